//! What a failed transaction means: every request of the batch learns of it, nothing is kept of it, and the next
//! transaction starts afresh.

use std::path::Path;
use std::time::Duration;

use onex_journal::{Append, Journal, JournalError, JournalLimits, NewRecord, NewRun};
use onex_node::RunId;
use serde_json::json;
use sqlx::{ConnectOptions, Connection, Executor};
use uuid::Uuid;

use crate::{SqliteJournal, file};

#[tokio::test]
async fn a_locked_database_fails_the_whole_batch_and_the_next_succeeds() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("journal.db");
    let options = file::writing(&path).busy_timeout(Duration::from_millis(10));
    let journal = SqliteJournal::open_with(&path, options, JournalLimits::default()).await.expect("it opens");
    let mut meddler = file::writing(&path).connect().await.expect("it opens");
    meddler.execute("BEGIN IMMEDIATE").await.expect("it is free");
    let (first, taken, second) =
        tokio::join!(start(&journal, 1), journal.take_over("other", at_zero(), at_zero(), 1), start(&journal, 2));
    assert!(matches!(first, Err(JournalError::Unavailable { .. })), "{first:?}");
    assert!(matches!(taken, Err(JournalError::Unavailable { .. })), "{taken:?}");
    assert!(matches!(second, Err(JournalError::Unavailable { .. })), "{second:?}");
    meddler.close().await.expect("it closes");
    assert_eq!(start(&journal, 1).await.expect("the journal can be used again"), 1);
    let statistics = journal.statistics();
    assert_eq!((statistics.failures, statistics.commits, statistics.requests), (1, 1, 4));
}

#[tokio::test]
async fn a_full_disk_fails_the_whole_batch_and_keeps_nothing_of_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("journal.db");
    let journal = limited(&path).await;
    start(&journal, 1).await.expect("there is room");
    let (large, neighbour) = tokio::join!(append(&journal, 1, "x".repeat(1_000_000)), start(&journal, 2));
    assert!(matches!(large, Err(JournalError::Unavailable { .. })), "{large:?}");
    assert!(matches!(neighbour, Err(JournalError::Unavailable { .. })), "{neighbour:?}");
    assert!(journal.load(RunId(Uuid::from_u128(2))).await.expect("readable").is_none());
    assert_eq!(append(&journal, 1, String::new()).await.expect("there is room for less"), 2);
}

/// The disk is filled by somebody else, and the run goes on where it was when there is room again.
#[tokio::test]
async fn a_full_disk_is_told_in_words_and_the_run_goes_on_when_there_is_room() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("journal.db");
    let journal = limited(&path).await;
    start(&journal, 1).await.expect("there is room");
    let mut other = file::writing(&path).pragma("max_page_count", "60").connect().await.expect("it opens");
    other.execute("CREATE TABLE filler (text TEXT)").await.expect("there is room");
    while other.execute("INSERT INTO filler VALUES (randomblob(2000))").await.is_ok() {}
    let full = append(&journal, 1, "x".repeat(10_000)).await.expect_err("there is no room");
    let cause = std::error::Error::source(&full).map(ToString::to_string).unwrap_or_default();
    assert!(full.code() == "ONEX5001" && cause.contains("database or disk is full"), "{full}: {cause}");
    other.execute("DELETE FROM filler").await.expect("to delete takes no room");
    other.close().await.expect("it closes");
    assert_eq!(append(&journal, 1, "x".repeat(10_000)).await.expect("there is room again"), 2);
    assert_eq!(journal.load(RunId(Uuid::from_u128(1))).await.expect("readable").expect("there").records.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_stops_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = SqliteJournal::open(&directory.path().join("journal.db")).await.expect("it opens");
    start(&journal, 1).await.expect("it starts");
    assert_eq!(journal.runs(None, 9).await.expect("readable").len(), 1);
    journal.close().await;
}

async fn limited(path: &Path) -> SqliteJournal {
    let options = file::writing(path).pragma("max_page_count", "60");
    SqliteJournal::open_with(path, options, JournalLimits::default()).await.expect("it opens")
}

async fn start(journal: &SqliteJournal, number: u128) -> Result<u64, JournalError> {
    journal.start(NewRun::example(RunId(Uuid::from_u128(number)), "f")).await
}

async fn append(journal: &SqliteJournal, number: u128, text: String) -> Result<u64, JournalError> {
    let records = vec![NewRecord { kind: "step".to_owned(), body: json!(text) }];
    let run_id = RunId(Uuid::from_u128(number));
    journal.append(Append { run_id, epoch: 1, expected_sequence: 1, records, end: None, settled_orders: vec![] }).await
}

fn at_zero() -> onex_node::Timestamp {
    onex_node::Timestamp::UNIX_EPOCH
}
