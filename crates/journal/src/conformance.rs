//! The promises of [`Journal`], written once and run against every journal.

#![expect(clippy::expect_used, reason = "a suite of assertions stops at the first broken promise")]

mod leases;
mod limits;
mod orders;
mod retention;

use onex_node::{RunId, Timestamp};
use serde_json::json;
use uuid::Uuid;

use crate::{
    Append, End, InboxMessage, Journal, JournalError, NewRecord, NewRun, OutboxMessage, RunStatus, StateWrite,
};

pub use limits::{SMALL_LIMITS, limits_conformance};

const FINGERPRINT: &str = "fingerprint";

/// Runs every promise against an empty `journal`.
///
/// # Panics
///
/// At the first broken promise, naming it.
pub async fn journal_conformance(journal: &dyn Journal) {
    journal.save_contract(FINGERPRINT, "{}").await.expect("a contract can be saved");
    contracts_are_kept(journal).await;
    a_run_starts_once(journal).await;
    records_are_kept_in_sequence(journal).await;
    an_unexpected_sequence_is_refused(journal).await;
    r24_a_stale_owner_is_refused(journal).await;
    an_expired_lease_is_taken_over_and_a_renewed_one_is_not(journal).await;
    a_finished_run_accepts_nothing(journal).await;
    the_end_commits_outbox_and_states_together(journal).await;
    a_conflicting_state_refuses_the_whole_append(journal).await;
    an_inbox_message_is_forgotten_when_its_run_starts(journal).await;
    a_run_set_aside_is_not_taken_over(journal).await;
    a_run_that_has_ended_cannot_be_set_aside(journal).await;
    concurrent_runs_do_not_disturb_each_other(journal).await;
    leases::take_overs_go_by_lease(journal).await;
    leases::an_owner_at_work_takes_over_what_has_expired(journal).await;
    leases::a_step_s_run_goes_with_its_parent(journal).await;
    leases::a_claim_takes_one_free_run(journal).await;
    orders::orders_are_kept_until_they_are_settled(journal).await;
    orders::orders_are_refused_by_the_state_of_their_run(journal).await;
    orders::a_retry_waits_for_whoever_asks_and_starts_a_run(journal).await;
    retention::old_runs_are_removed_and_needed_ones_stay(journal).await;
}

async fn contracts_are_kept(journal: &dyn Journal) {
    journal.save_contract("other", r#"{"name":"a"}"#).await.expect("a contract can be saved");
    journal.save_contract("other", r#"{"name":"b"}"#).await.expect("a repeat is no error");
    let kept = journal.contract("other").await.expect("readable");
    assert_eq!(kept.as_deref(), Some(r#"{"name":"a"}"#), "a fingerprint keeps its first contract");
    assert_eq!(journal.contract("unknown").await.expect("readable"), None);
}

async fn a_run_starts_once(journal: &dyn Journal) {
    let run_id = started(journal, 1).await;
    let again = journal.start(run(run_id)).await;
    assert!(matches!(again, Err(JournalError::RunExists { ended: false, .. })), "a run starts once");
    assert!(journal.load(RunId(Uuid::from_u128(999))).await.expect("readable").is_none());
    finish(journal, run_id, 1, 1).await.expect("it can end");
    let again = journal.start(run(run_id)).await;
    assert!(matches!(again, Err(JournalError::RunExists { ended: true, .. })), "also when it has ended");
}

async fn records_are_kept_in_sequence(journal: &dyn Journal) {
    let run_id = started(journal, 2).await;
    assert_eq!(append(journal, run_id, 1, 1, &["a", "b"]).await.expect("in sequence"), 3);
    assert_eq!(append(journal, run_id, 1, 3, &["c"]).await.expect("in sequence"), 4);
    let stored = journal.load(run_id).await.expect("readable").expect("there");
    let kinds: Vec<_> = stored.records.iter().map(|record| (record.sequence, record.kind.as_str())).collect();
    assert_eq!(kinds, [(1, "started"), (2, "a"), (3, "b"), (4, "c")], "records are kept in sequence");
    assert_eq!(stored.records[1].body, json!({"text": "a"}), "bodies come back as written");
    assert_eq!(stored.header.status, RunStatus::Running);
    finish(journal, run_id, 1, 4).await.expect("it can end");
}

async fn an_unexpected_sequence_is_refused(journal: &dyn Journal) {
    let run_id = started(journal, 3).await;
    append(journal, run_id, 1, 1, &["a"]).await.expect("in sequence");
    for expected in [0, 1, 3] {
        let refused = append(journal, run_id, 1, expected, &["x"]).await;
        assert!(
            matches!(refused, Err(JournalError::SequenceConflict { current: 2, .. })),
            "sequence {expected} is refused"
        );
    }
    finish(journal, run_id, 1, 2).await.expect("it can end");
}

async fn r24_a_stale_owner_is_refused(journal: &dyn Journal) {
    let run_id = started(journal, 4).await;
    let claims = journal.take_over("successor", at(1_000), at(2_000), 10).await.expect("writable");
    let claim = claims.iter().find(|claim| claim.run_id == run_id).expect("an expired lease is taken over");
    assert_eq!(claim.epoch, 2, "a new owner starts at the next epoch");
    let refused = append(journal, run_id, 1, 1, &["late"]).await;
    assert!(matches!(refused, Err(JournalError::StaleOwner { given: 1, current: 2, .. })), "a stale owner is refused");
    append(journal, run_id, 2, 1, &["mine"]).await.expect("the owner may write");
    finish(journal, run_id, 2, 2).await.expect("it can end");
}

async fn an_expired_lease_is_taken_over_and_a_renewed_one_is_not(journal: &dyn Journal) {
    let run_id = started(journal, 5).await;
    let claim = crate::Claim { run_id, epoch: 1 };
    assert_eq!(journal.renew(&[claim], at(5_000)).await.expect("writable"), [], "an owner can renew");
    let taken = journal.take_over("other", at(4_999), at(6_000), 10).await.expect("writable");
    assert_eq!(taken, [], "a lease that holds is respected");
    let taken = journal.take_over("other", at(5_000), at(6_000), 10).await.expect("writable");
    assert_eq!(taken.len(), 1, "an expired lease is taken over");
    assert_eq!(journal.renew(&[claim], at(9_000)).await.expect("writable"), [run_id], "the former owner learns of it");
    let own = journal.take_over("other", at(5_001), at(6_000), 10).await.expect("writable");
    assert_eq!(own.len(), 1, "a restarted owner takes its own runs over at once");
    finish(journal, run_id, 3, 1).await.expect("it can end");
}

async fn a_finished_run_accepts_nothing(journal: &dyn Journal) {
    let run_id = started(journal, 6).await;
    finish(journal, run_id, 1, 1).await.expect("it can end");
    let refused = append(journal, run_id, 1, 2, &["late"]).await;
    assert!(matches!(refused, Err(JournalError::RunEnded { .. })), "a finished run accepts nothing");
    let taken = journal.take_over("other", at(9_999_999), at(9_999_999), 10).await.expect("writable");
    assert_eq!(taken, [], "and is not taken over");
    let ended = journal.runs(Some(RunStatus::Succeeded), 100).await.expect("readable");
    assert!(
        ended.iter().any(|header| header.run_id == run_id && header.ended_at == Some(at(50))),
        "it is listed as ended"
    );
}

async fn the_end_commits_outbox_and_states_together(journal: &dyn Journal) {
    let run_id = started(journal, 7).await;
    let message = outbox_message(70);
    end(journal, run_id, vec![message.clone()], vec![state_write("e7", 0)]).await.expect("it can end");
    assert_eq!(
        journal.outbox(10).await.expect("readable"),
        std::slice::from_ref(&message),
        "outgoing messages wait in the outbox"
    );
    let state = journal.entity_state("reducer", "e7").await.expect("readable").expect("written");
    assert_eq!((state.version, state.state), (1, json!({"status": "complete"})));
    journal.mark_published(&[message.id]).await.expect("writable");
    assert_eq!(journal.outbox(10).await.expect("readable"), [], "a published message leaves it");
}

async fn a_conflicting_state_refuses_the_whole_append(journal: &dyn Journal) {
    let run_id = started(journal, 8).await;
    let refused = end(journal, run_id, vec![outbox_message(80)], vec![state_write("e7", 0)]).await;
    assert!(matches!(refused, Err(JournalError::StateConflict { expected: 0, current: 1, .. })), "{refused:?}");
    assert_eq!(journal.outbox(10).await.expect("readable"), [], "nothing of a refused append is kept");
    end(journal, run_id, vec![], vec![state_write("e7", 1)]).await.expect("the right version passes");
    let state = journal.entity_state("reducer", "e7").await.expect("readable").expect("written");
    assert_eq!(state.version, 2, "versions count writes");
}

async fn an_inbox_message_is_forgotten_when_its_run_starts(journal: &dyn Journal) {
    let messages: Vec<_> = (90..93).map(inbox_message).collect();
    journal.accept(&messages).await.expect("writable");
    assert_eq!(journal.inbox(10).await.expect("readable"), messages, "accepted messages are kept in order");
    let run_id = RunId(Uuid::from_u128(9));
    journal.start(NewRun { inbox_id: Some(messages[0].id), ..run(run_id) }).await.expect("it starts");
    journal.forget(&[messages[1].id]).await.expect("writable");
    assert_eq!(
        journal.inbox(10).await.expect("readable"),
        messages[2..],
        "until their run starts or they are forgotten"
    );
    journal.forget(&[messages[2].id]).await.expect("writable");
    finish(journal, run_id, 1, 1).await.expect("it can end");
}

async fn a_run_set_aside_is_not_taken_over(journal: &dyn Journal) {
    let run_id = started(journal, 10).await;
    journal.set_aside(run_id, "cannot be read").await.expect("writable");
    let taken = journal.take_over("other", at(9_999_999), at(9_999_999), 10).await.expect("writable");
    assert_eq!(taken, [], "a run set aside is not taken over");
    let header = journal.load(run_id).await.expect("readable").expect("there").header;
    assert_eq!((header.status, header.reason.as_deref()), (RunStatus::SetAside, Some("cannot be read")));
}

async fn a_run_that_has_ended_cannot_be_set_aside(journal: &dyn Journal) {
    let run_id = started(journal, 11).await;
    finish(journal, run_id, 1, 1).await.expect("it can end");
    let refused = journal.set_aside(run_id, "too late").await;
    assert!(matches!(refused, Err(JournalError::RunEnded { .. })), "{refused:?}");
    let header = journal.load(run_id).await.expect("readable").expect("there").header;
    assert_eq!((header.status, header.reason), (RunStatus::Succeeded, None), "its end stands");
    let aside = RunId(Uuid::from_u128(10));
    journal.set_aside(aside, "another reason").await.expect("a repeat is no error");
    let header = journal.load(aside).await.expect("readable").expect("there").header;
    assert_eq!(header.reason.as_deref(), Some("cannot be read"), "the first reason stands");
}

async fn concurrent_runs_do_not_disturb_each_other(journal: &dyn Journal) {
    let whole_life = |number: u128| async move {
        let run_id = started(journal, number).await;
        for sequence in 1..=5 {
            append(journal, run_id, 1, sequence, &["step"]).await.expect("in sequence");
        }
        finish(journal, run_id, 1, 6).await.expect("it can end");
        run_id
    };
    let (a, b, c) = tokio::join!(whole_life(100), whole_life(101), whole_life(102));
    for run_id in [a, b, c] {
        let stored = journal.load(run_id).await.expect("readable").expect("there");
        assert_eq!(stored.records.len(), 7, "every record of concurrent runs is kept");
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(seconds, 0).expect("in range")
}

fn run(run_id: RunId) -> NewRun {
    NewRun { owner: "first".to_owned(), lease_until: at(30), ..NewRun::example(run_id, FINGERPRINT) }
}

async fn started(journal: &dyn Journal, number: u128) -> RunId {
    let run_id = RunId(Uuid::from_u128(number));
    assert_eq!(journal.start(run(run_id)).await.expect("it starts"), 1, "a run starts at epoch 1");
    run_id
}

async fn append(
    journal: &dyn Journal,
    run_id: RunId,
    epoch: u64,
    expected_sequence: u64,
    kinds: &[&str],
) -> Result<u64, JournalError> {
    let records =
        kinds.iter().map(|kind| NewRecord { kind: (*kind).to_owned(), body: json!({"text": kind}) }).collect();
    journal.append(Append { run_id, epoch, expected_sequence, records, end: None, settled_orders: vec![] }).await
}

async fn finish(journal: &dyn Journal, run_id: RunId, epoch: u64, expected_sequence: u64) -> Result<u64, JournalError> {
    let end = End { status: RunStatus::Succeeded, at: at(50), outbox: vec![], states: vec![] };
    let records = vec![NewRecord { kind: "ended".to_owned(), body: json!({}) }];
    journal.append(Append { run_id, epoch, expected_sequence, records, end: Some(end), settled_orders: vec![] }).await
}

async fn end(
    journal: &dyn Journal,
    run_id: RunId,
    outbox: Vec<OutboxMessage>,
    states: Vec<StateWrite>,
) -> Result<u64, JournalError> {
    let end = End { status: RunStatus::Succeeded, at: at(50), outbox, states };
    journal
        .append(Append {
            run_id,
            epoch: 1,
            expected_sequence: 1,
            records: vec![],
            end: Some(end),
            settled_orders: vec![],
        })
        .await
}

fn outbox_message(number: u128) -> OutboxMessage {
    let envelope = json!({"payload": {"number": number as u64}});
    OutboxMessage { id: Uuid::from_u128(number), topic: "t".to_owned(), key: Some("k".to_owned()), envelope }
}

fn state_write(entity: &str, expected_version: u64) -> StateWrite {
    let state = json!({"status": "complete"});
    StateWrite { reducer: "reducer".to_owned(), entity: entity.to_owned(), expected_version, state }
}

fn inbox_message(number: u128) -> InboxMessage {
    InboxMessage { id: Uuid::from_u128(number), topic: "t".to_owned(), key: None, body: "{}".to_owned() }
}
