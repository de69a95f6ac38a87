//! The SQLite journal keeps the common promises.

use onex_journal::conformance::journal_conformance;
use onex_journal_sqlite::SqliteJournal;

#[tokio::test]
async fn the_sqlite_journal_conforms() {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = SqliteJournal::open(&directory.path().join("journal.db")).await.expect("it opens");
    journal_conformance(&journal).await;
}
