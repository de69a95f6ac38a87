//! Decides which failures mean "not now", which that a commit is worth another attempt, and which that one request
//! cannot be carried out at all. What is told of a server's error is its message and its SQLSTATE: the detail may
//! hold values.

use std::sync::Arc;

use onex_journal::JournalError;
use sqlx::migrate::MigrateError;

/// Failures that are ours and not PostgreSQL's.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("the PostgreSQL URL of the journal cannot be read")]
    Url,
    #[error("PostgreSQL at {place} gave no answer within {milliseconds} ms")]
    Silent { place: String, milliseconds: u128 },
    #[error("PostgreSQL does not answer")]
    NoAnswer,
    #[error("the journal is closed")]
    Closed,
    #[error("{message} (SQLSTATE {state})")]
    Server { message: String, state: String },
    #[error("`{text}` is no {expected}")]
    Unreadable { text: String, expected: &'static str },
    #[error("it has {found} of {expected} records")]
    Incomplete { found: usize, expected: u64 },
}

/// What a failed commit means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Nothing was committed, and the same may succeed at once: an expectation did not hold, or others were in the way.
    Again,
    /// Nothing was committed, because of something in it.
    Refused,
    /// The connection cannot be used any more; whether it was committed is not certain.
    Lost,
}

/// What a failed statement means to the caller.
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
        sqlx::Error::Database(database) => JournalError::unavailable(Problem::Server {
            message: database.message().to_owned(),
            state: database.code().as_deref().unwrap_or("unknown").to_owned(),
        }),
        _ => JournalError::unavailable(source),
    }
}

/// What a failed migration means.
pub(crate) fn migration_failure(error: MigrateError) -> JournalError {
    match error {
        MigrateError::VersionMissing(version) | MigrateError::VersionMismatch(version) => {
            JournalError::NewerSchema { version }
        }
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => failed(error),
        other => JournalError::unavailable(other),
    }
}

/// What a failed commit means, by its SQLSTATE.
pub(crate) fn meaning(error: &sqlx::Error) -> Meaning {
    match error {
        sqlx::Error::Database(database) => meaning_of_state(database.code().as_deref().unwrap_or_default()),
        sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Encode(_) => Meaning::Refused,
        _ => Meaning::Lost,
    }
}

/// See <https://www.postgresql.org/docs/current/errcodes-appendix.html>; `OX001` is our own `onex_require`.
fn meaning_of_state(state: &str) -> Meaning {
    match state {
        // A row was there already, a serialisation failure, a deadlock.
        "OX001" | "23505" | "40001" | "40P01" => Meaning::Again,
        _ => match state.get(..2) {
            // Data, constraints, syntax and access, program limits: nothing that a new connection changes.
            Some("22" | "23" | "42" | "54") => Meaning::Refused,
            _ => Meaning::Lost,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{Meaning, meaning_of_state};

    #[test]
    fn states_tell_what_to_do() {
        for (state, expected) in [
            ("OX001", Meaning::Again),
            ("40P01", Meaning::Again),
            ("40001", Meaning::Again),
            ("23505", Meaning::Again),
            ("22P02", Meaning::Refused),
            ("54000", Meaning::Refused),
            ("42501", Meaning::Refused),
            ("57P01", Meaning::Lost),
            ("57014", Meaning::Lost),
            ("53100", Meaning::Lost),
            ("08006", Meaning::Lost),
            ("", Meaning::Lost),
        ] {
            assert_eq!(meaning_of_state(state), expected, "{state}");
        }
    }
}
