//! Decides which failures mean "not now" and which mean that the file is damaged, and what a person reads of them.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use onex_journal::JournalError;

/// Failures that are ours and not SQLite's.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("another onex process uses `{}`", path.display())]
    InUse { path: PathBuf },
    #[error("cannot lock `{}`", path.display())]
    Lock { path: PathBuf, source: io::Error },
    #[error("the journal was opened for reading only")]
    ReadOnly,
    #[error("the journal is closed")]
    Closed,
    #[error("`{text}` is no {expected}")]
    Unreadable { text: String, expected: &'static str },
}

/// What a failed statement means.
pub(crate) fn failed(error: sqlx::Error) -> JournalError {
    shared_failure(&Arc::new(error))
}

/// What a failed statement means to one of the several requests that it was executed for.
pub(crate) fn shared_failure(error: &Arc<sqlx::Error>) -> JournalError {
    let source = Arc::clone(error);
    match &**error {
        sqlx::Error::ColumnDecode { index, .. } => {
            JournalError::corrupt(format!("a column `{}`", index.trim_matches('"')), source)
        }
        sqlx::Error::Decode(_) => JournalError::corrupt("a row", source),
        sqlx::Error::Database(database) if is_damage(database.code().as_deref()) => {
            JournalError::corrupt("a database file", source)
        }
        _ => JournalError::unavailable(source),
    }
}

/// Whether SQLite found the file itself damaged, or no database at all.
fn is_damage(code: Option<&str>) -> bool {
    const SQLITE_CORRUPT: i32 = 11;
    const SQLITE_NOTADB: i32 = 26;
    let extended: Option<i32> = code.and_then(|code| code.parse().ok());
    matches!(extended.map(|code| code & 0xff), Some(SQLITE_CORRUPT | SQLITE_NOTADB))
}
