//! Prints how many appends per second one caller and many callers get on this disk, and in how many commits.
//!
//! `cargo run --release -p onex-journal-sqlite --example throughput [directory]`; the directory is where the journal
//! is made, a temporary one by default.

#![expect(clippy::print_stdout, reason = "an example that prints")]
#![expect(clippy::expect_used, reason = "an example that ends at the first failure")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::join_all;
use onex_journal::{Append, Journal, NewRecord, NewRun};
use onex_journal_sqlite::SqliteJournal;
use onex_node::RunId;
use serde_json::json;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

#[tokio::main]
async fn main() {
    let temporary = tempfile::tempdir().expect("a directory");
    let directory = std::env::args_os().nth(1).map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    for (callers, appends) in [(1, 2_000), (8, 2_000), (64, 2_000), (256, 500)] {
        measure(&directory, callers, appends).await;
    }
}

async fn measure(directory: &Path, callers: u128, appends: u64) {
    let path = directory.join(format!("{callers}.db"));
    let journal = Arc::new(SqliteJournal::open(&path).await.expect("it opens"));
    join_all((0..callers).map(|caller| journal.start(NewRun::example(RunId(Uuid::from_u128(caller)), "f")))).await;
    let (tasks, commits, begin) = (TaskTracker::new(), journal.statistics().commits, Instant::now());
    let running: Vec<_> = (0..callers).map(|caller| tasks.spawn(call(Arc::clone(&journal), caller, appends))).collect();
    for task in running {
        task.await.expect("it ends");
    }
    let (seconds, total) = (begin.elapsed().as_secs_f64(), callers as f64 * appends as f64);
    let commits = journal.statistics().commits - commits;
    println!("{callers:>4} callers: {:>8.0} appends/s, {total:>6} appends in {commits} commits", total / seconds);
    journal.close().await;
}

async fn call(journal: Arc<SqliteJournal>, caller: u128, appends: u64) {
    for expected_sequence in 1..=appends {
        let body = json!({"step": "store", "output": {"rows": 1, "etag": "b7f2c1", "text": "x".repeat(200)}});
        let records = vec![NewRecord { kind: "effect_done".to_owned(), body }];
        let run_id = RunId(Uuid::from_u128(caller));
        journal
            .append(Append { run_id, epoch: 1, expected_sequence, records, end: None, settled_orders: vec![] })
            .await
            .expect("in sequence");
    }
}
