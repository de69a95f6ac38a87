//! Requests made together share a commit, and each is judged as if it were alone.

#![expect(clippy::expect_used, reason = "the lint knows test functions, but not what they share")]

use futures::future::join_all;
use onex_journal::{Append, Claim, End, InboxMessage, Journal, JournalError, NewRecord, NewRun, RunStatus, StateWrite};
use onex_journal_sqlite::SqliteJournal;
use onex_node::{RunId, Timestamp};
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_appends_all_land_in_far_fewer_commits() {
    let (_directory, journal) = journal().await;
    let before = journal.statistics();
    join_all((0..64).map(|number| whole_life(&journal, number))).await;
    let after = journal.statistics();
    let (requests, commits) = (after.requests - before.requests, after.commits - before.commits);
    assert_eq!(requests, 64 * 51);
    assert!(commits * 4 < requests, "{commits} commits for {requests} requests");
    for number in 0..64 {
        let stored = journal.load(run_id(number)).await.expect("readable").expect("there");
        let sequences: Vec<_> = stored.records.iter().map(|record| record.sequence).collect();
        assert_eq!(sequences, (1..=51).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_refused_request_leaves_its_neighbours_alone() {
    let (_directory, journal) = journal().await;
    start(&journal, 1).await;
    start(&journal, 2).await;
    let commits = journal.statistics().commits;
    let (first, stale, unknown, again, second) = tokio::join!(
        journal.append(step(1, 1)),
        journal.append(Append { epoch: 7, ..step(1, 2) }),
        journal.append(step(9, 1)),
        journal.start(NewRun::example(run_id(2), "f")),
        journal.append(step(2, 1)),
    );
    assert_eq!(first.expect("in sequence"), 2);
    assert!(matches!(stale, Err(JournalError::StaleOwner { given: 7, current: 1, .. })), "{stale:?}");
    assert!(matches!(unknown, Err(JournalError::RunUnknown { .. })), "{unknown:?}");
    assert!(matches!(again, Err(JournalError::RunExists { ended: false, .. })), "{again:?}");
    assert_eq!(second.expect("in sequence"), 2);
    assert_eq!(journal.statistics().commits, commits + 1, "one commit for all");
}

#[tokio::test]
async fn appends_of_one_run_in_one_batch_see_each_other() {
    let (_directory, journal) = journal().await;
    let (started, first, repeated, second) = tokio::join!(
        journal.start(NewRun::example(run_id(1), "f")),
        journal.append(step(1, 1)),
        journal.append(step(1, 1)),
        journal.append(step(1, 2)),
    );
    assert_eq!(started.expect("it starts"), 1);
    assert_eq!(first.expect("in sequence"), 2);
    assert!(matches!(repeated, Err(JournalError::SequenceConflict { expected: 1, current: 2, .. })), "{repeated:?}");
    assert_eq!(second.expect("in sequence"), 3);
    assert_eq!(journal.statistics().largest_batch, 4, "they did share a batch");
    let stored = journal.load(run_id(1)).await.expect("readable").expect("there");
    assert_eq!(stored.records.len(), 3);
}

#[tokio::test]
async fn ends_of_one_batch_see_each_others_states() {
    let (_directory, journal) = journal().await;
    for number in 1..=3 {
        start(&journal, number).await;
    }
    let (first, conflicting, second) =
        tokio::join!(journal.append(end(1, 0)), journal.append(end(2, 0)), journal.append(end(3, 1)));
    first.expect("the state is not written yet");
    assert!(matches!(conflicting, Err(JournalError::StateConflict { expected: 0, current: 1, .. })), "{conflicting:?}");
    second.expect("it knows of the first");
    let state = journal.entity_state("reducer", "entity").await.expect("readable").expect("written");
    assert_eq!((state.version, state.state), (2, json!(3)));
    let open = journal.runs(Some(RunStatus::Running), 9).await.expect("readable");
    assert_eq!(open.iter().map(|header| header.run_id).collect::<Vec<_>>(), [run_id(2)]);
}

#[tokio::test]
async fn a_take_over_acts_between_its_neighbours() {
    let (_directory, journal) = journal().await;
    start(&journal, 1).await;
    let other = [Claim { run_id: run_id(2), epoch: 1 }];
    let claims_of_both = [1, 2].map(|epoch| Claim { run_id: run_id(1), epoch });
    let (_, before, lost, claims, late, renewed, mine) = tokio::join!(
        journal.start(NewRun::example(run_id(2), "f")),
        journal.append(step(1, 1)),
        journal.renew(&other, at(9)),
        journal.take_over("successor", at(5), at(8), 10),
        journal.append(step(1, 2)),
        journal.renew(&claims_of_both, at(10)),
        journal.append(Append { epoch: 2, ..step(1, 2) }),
    );
    before.expect("its epoch still held");
    assert_eq!(lost.expect("writable"), []);
    assert_eq!(claims.expect("writable"), [Claim { run_id: run_id(1), epoch: 2 }], "the other lease was renewed");
    assert!(matches!(late, Err(JournalError::StaleOwner { given: 1, current: 2, .. })), "{late:?}");
    assert_eq!(renewed.expect("writable"), [run_id(1)], "only the former claim is lost");
    assert_eq!(mine.expect("the new owner goes on"), 3);
}

#[tokio::test]
async fn take_overs_go_by_age_and_stop_at_the_limit() {
    let (_directory, journal) = journal().await;
    for number in [3, 1, 2] {
        start(&journal, number).await;
    }
    let claims = journal.take_over("successor", at(1), at(5), 2).await.expect("writable");
    assert_eq!(claims.iter().map(|claim| claim.run_id).collect::<Vec<_>>(), [run_id(3), run_id(1)]);
    let listed = journal.runs(None, 2).await.expect("readable");
    assert_eq!(listed.iter().map(|header| header.run_id).collect::<Vec<_>>(), [run_id(2), run_id(1)], "newest first");
}

#[tokio::test]
async fn messages_enter_and_leave_the_inbox_in_order() {
    let (_directory, journal) = journal().await;
    journal.accept(&[message(1), message(2)]).await.expect("accepted");
    let run = NewRun { inbox_id: Some(Uuid::from_u128(4)), ..NewRun::example(run_id(1), "f") };
    let (first, third) = ([Uuid::from_u128(1)], [Uuid::from_u128(3)]);
    let messages = [message(3), message(1), message(4), message(2)];
    let outcomes =
        tokio::join!(journal.forget(&first), journal.accept(&messages), journal.start(run), journal.forget(&third),);
    assert!(matches!(outcomes, (Ok(()), Ok(()), Ok(1), Ok(()))), "{outcomes:?}");
    assert_eq!(journal.inbox(9).await.expect("readable"), [message(2), message(1)], "a repeat counts once");
}

async fn journal() -> (TempDir, SqliteJournal) {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = SqliteJournal::open(&directory.path().join("journal.db")).await.expect("it opens");
    (directory, journal)
}

async fn whole_life(journal: &SqliteJournal, number: u128) {
    start(journal, number).await;
    for sequence in 1..=50 {
        journal.append(step(number, sequence)).await.expect("in sequence");
    }
}

async fn start(journal: &SqliteJournal, number: u128) {
    journal.start(NewRun::example(run_id(number), "f")).await.expect("it starts");
}

fn step(number: u128, expected_sequence: u64) -> Append {
    let records = vec![NewRecord { kind: "step".to_owned(), body: json!({"a": 1}) }];
    Append { run_id: run_id(number), epoch: 1, expected_sequence, records, end: None, settled_orders: vec![] }
}

fn end(number: u128, expected_version: u64) -> Append {
    let (reducer, entity) = ("reducer".to_owned(), "entity".to_owned());
    let write = StateWrite { reducer, entity, expected_version, state: json!(number as u64) };
    let end = End { status: RunStatus::Succeeded, at: at(50), outbox: vec![], states: vec![write] };
    Append { end: Some(end), ..step(number, 1) }
}

fn message(number: u128) -> InboxMessage {
    InboxMessage { id: Uuid::from_u128(number), topic: "t".to_owned(), key: None, body: "{}".to_owned() }
}

fn run_id(number: u128) -> RunId {
    RunId(Uuid::from_u128(number))
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(seconds, 0).expect("in range")
}
