//! What was answered is in the file, whoever waits for the answer and however the journal ends.

#![expect(clippy::expect_used, reason = "the lint knows test functions, but not what they share")]

use std::path::Path;
use std::time::Duration;

use onex_journal::{
    Append, End, EntityState, InboxMessage, Journal, JournalError, NewRecord, NewRun, OutboxMessage, RunStatus,
    StateWrite,
};
use onex_journal_sqlite::SqliteJournal;
use onex_node::{RunId, Timestamp};
use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Executor};
use uuid::Uuid;

#[tokio::test]
async fn everything_is_there_after_reopening() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("journal.db");
    let journal = SqliteJournal::open(&path).await.expect("it opens");
    write_some_of_everything(&journal).await;
    let before = (journal.load(run_id(1)).await.expect("readable"), journal.runs(None, 9).await.expect("readable"));
    drop(journal);

    let journal = reopened(&path).await;
    let after = (journal.load(run_id(1)).await.expect("readable"), journal.runs(None, 9).await.expect("readable"));
    assert_eq!(after, before);
    assert_eq!(journal.contract("f").await.expect("readable").as_deref(), Some("{}"));
    assert_eq!(journal.outbox(9).await.expect("readable"), [outgoing()]);
    assert_eq!(journal.inbox(9).await.expect("readable"), [incoming()]);
    let state = journal.entity_state("reducer", "entity").await.expect("readable");
    assert_eq!(state, Some(EntityState { version: 1, state: json!("done") }));
}

#[tokio::test]
async fn bodies_come_back_as_written() {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = SqliteJournal::open(&directory.path().join("journal.db")).await.expect("it opens");
    let bodies = [
        json!(null),
        json!("text with \u{0}, \", \\ and \u{1f980}"),
        json!([u64::MAX, i64::MIN, 0.1, 1e300, {"a\u{0}": {"$[0]": true}}]),
    ];
    let run_id = start(&journal, 1).await;
    let records = bodies.iter().map(|body| NewRecord { kind: "a\u{0}b".to_owned(), body: body.clone() }).collect();
    journal
        .append(Append { run_id, epoch: 1, expected_sequence: 1, records, end: None, settled_orders: vec![] })
        .await
        .expect("appended");
    let stored = journal.load(run_id).await.expect("readable").expect("there");
    let read: Vec<_> = stored.records[1..].iter().map(|record| record.body.clone()).collect();
    assert_eq!(read, bodies);
    assert_eq!(stored.records[1].kind, "a\u{0}b");
}

#[tokio::test]
async fn a_second_writer_is_refused_until_the_first_has_closed() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("journal.db");
    let first = SqliteJournal::open(&path).await.expect("it opens");
    let Err(JournalError::Unavailable { source }) = SqliteJournal::open(&path).await else {
        panic!("a second writer is refused");
    };
    assert_eq!(source.to_string(), format!("another onex process uses `{}`", path.display()));
    first.close().await;
    SqliteJournal::open(&path).await.expect("a closed journal can be opened again");
}

#[tokio::test]
async fn a_reader_sees_what_a_writer_has_committed_and_writes_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("journal.db");
    assert!(matches!(SqliteJournal::open_read_only(&path).await, Err(JournalError::Unavailable { .. })));
    let writer = SqliteJournal::open(&path).await.expect("it opens");
    let reader = SqliteJournal::open_read_only(&path).await.expect("beside a writer");
    start(&writer, 1).await;
    assert!(reader.load(run_id(1)).await.expect("readable").is_some());
    assert!(matches!(reader.save_contract("f", "{}").await, Err(JournalError::Unavailable { .. })));
    writer.close().await;
    let alone = SqliteJournal::open_read_only(&path).await.expect("without a writer");
    assert!(alone.load(run_id(1)).await.expect("readable").is_some());
}

#[tokio::test]
async fn a_dropped_callers_write_still_lands() {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = SqliteJournal::open(&directory.path().join("journal.db")).await.expect("it opens");
    let run_id = start(&journal, 1).await;
    {
        let append = journal.append(step(run_id, 1));
        let mut append = std::pin::pin!(append);
        assert!(futures::poll!(append.as_mut()).is_pending(), "queued and not yet answered");
    }
    assert_eq!(journal.append(step(run_id, 2)).await.expect("the dropped caller's record is there"), 3);
}

#[tokio::test]
async fn a_closed_journal_finishes_what_was_queued_and_refuses_the_rest() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("journal.db");
    let journal = SqliteJournal::open(&path).await.expect("it opens");
    let (queued, ()) = tokio::join!(journal.start(NewRun::example(run_id(1), "f")), journal.close());
    assert_eq!(queued.expect("it was queued before"), 1);
    let refused = journal.start(NewRun::example(run_id(2), "f")).await;
    assert!(matches!(refused, Err(JournalError::Unavailable { .. })), "{refused:?}");
    assert!(matches!(journal.load(run_id(1)).await, Err(JournalError::Unavailable { .. })));
    let journal = SqliteJournal::open(&path).await.expect("it opens again");
    assert!(journal.load(run_id(1)).await.expect("readable").is_some());
}

#[tokio::test]
async fn a_file_that_is_no_journal_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("journal.db");
    std::fs::write(&path, "name: not a journal\n".repeat(1000)).expect("writable");
    let refused = SqliteJournal::open(&path).await;
    assert!(matches!(refused, Err(JournalError::Corrupt { .. })), "{refused:?}");
}

#[tokio::test]
async fn what_cannot_be_read_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("journal.db");
    let journal = SqliteJournal::open(&path).await.expect("it opens");
    let run_id = start(&journal, 1).await;
    journal.append(step(run_id, 1)).await.expect("appended");
    let mut meddler = SqliteConnectOptions::new().filename(&path).connect().await.expect("it opens");
    meddler.execute("UPDATE run_records SET body = '{' WHERE sequence = 2").await.expect("meddled with");
    let Err(error) = journal.load(run_id).await else { panic!("a broken record is no record") };
    assert_eq!(error.to_string(), format!("the journal holds a record 2 of run {run_id} that cannot be read"));
}

/// A dropped journal lets go of the file as soon as its writer has finished.
async fn reopened(path: &Path) -> SqliteJournal {
    loop {
        match SqliteJournal::open(path).await {
            Ok(journal) => return journal,
            Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
}

async fn write_some_of_everything(journal: &SqliteJournal) {
    journal.save_contract("f", "{}").await.expect("saved");
    journal.accept(&[incoming()]).await.expect("accepted");
    let run_id = start(journal, 1).await;
    journal.append(step(run_id, 1)).await.expect("appended");
    let state = StateWrite {
        reducer: "reducer".to_owned(),
        entity: "entity".to_owned(),
        expected_version: 0,
        state: json!("done"),
    };
    let at = Timestamp::from_timestamp_micros(1_234_567).expect("in range");
    let end = End { status: RunStatus::Partial, at, outbox: vec![outgoing()], states: vec![state] };
    journal.append(Append { end: Some(end), ..step(run_id, 2) }).await.expect("ended");
    let aside = start(journal, 2).await;
    journal.set_aside(aside, "somebody has to look").await.expect("set aside");
}

async fn start(journal: &SqliteJournal, number: u128) -> RunId {
    let run = NewRun { entity: Some("entity".to_owned()), ..NewRun::example(run_id(number), "f") };
    journal.start(run).await.expect("it starts");
    run_id(number)
}

fn run_id(number: u128) -> RunId {
    RunId(Uuid::from_u128(number))
}

fn step(run_id: RunId, expected_sequence: u64) -> Append {
    let records = vec![NewRecord { kind: "step".to_owned(), body: json!({"a": [1, 2.5, null]}) }];
    Append { run_id, epoch: 1, expected_sequence, records, end: None, settled_orders: vec![] }
}

fn outgoing() -> OutboxMessage {
    let envelope = json!({"payload": 1});
    OutboxMessage { id: Uuid::from_u128(7), topic: "out".to_owned(), key: None, envelope }
}

fn incoming() -> InboxMessage {
    InboxMessage {
        id: Uuid::from_u128(8),
        topic: "in".to_owned(),
        key: Some("k".to_owned()),
        body: "not JSON".to_owned(),
    }
}
