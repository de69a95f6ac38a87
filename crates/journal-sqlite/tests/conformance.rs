//! The SQLite journal keeps the common promises.

use onex_journal::conformance::{SMALL_LIMITS, journal_conformance, limits_conformance};
use onex_journal_sqlite::SqliteJournal;

#[tokio::test]
async fn the_sqlite_journal_conforms() {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = SqliteJournal::open(&directory.path().join("journal.db")).await.expect("it opens");
    journal_conformance(&journal).await;
}

#[tokio::test]
async fn the_sqlite_journal_keeps_its_limits() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("journal.db");
    let journal = SqliteJournal::open_limited(&path, SMALL_LIMITS).await.expect("it opens");
    limits_conformance(&journal).await;
}
