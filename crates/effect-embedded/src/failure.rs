//! Decides what an error of SQLite means to the caller.

use onex_effect::{codes, safe_message};
use onex_node::{ErrorClass, Failure};

/// The failure of `act`, such as `writing the history`.
pub(crate) fn failure(act: &str, error: &sqlx::Error) -> Failure {
    let class = class_of(error);
    Failure::new(class, codes::of_class(class), safe_message(&format!("{act} failed: {error}")))
}

/// The failure of reading what is stored; the file was written by something else.
pub(crate) fn unreadable(what: &str) -> Failure {
    Failure::new(ErrorClass::Internal, codes::REFUSED, format!("the stored {what} cannot be read"))
}

fn class_of(error: &sqlx::Error) -> ErrorClass {
    match error {
        sqlx::Error::Database(database) => class_of_code(database.code().as_deref()),
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
            ErrorClass::Unavailable
        }
        _ => ErrorClass::Internal,
    }
}

/// Primary result codes are the low byte: <https://sqlite.org/rescode.html>.
fn class_of_code(code: Option<&str>) -> ErrorClass {
    let primary = code.and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff);
    match primary {
        // BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN
        Some(5 | 6 | 8 | 10 | 13 | 14) => ErrorClass::Unavailable,
        // PERM, AUTH
        Some(3 | 23) => ErrorClass::Authorization,
        // CONSTRAINT
        Some(19) => ErrorClass::Conflict,
        // TOOBIG, MISMATCH, RANGE
        Some(18 | 20 | 25) => ErrorClass::Validation,
        _ => ErrorClass::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::class_of_code;
    use onex_node::ErrorClass;

    #[test]
    fn extended_codes_count_as_their_primary_one() {
        for (code, expected) in [
            ("5", ErrorClass::Unavailable),
            ("261", ErrorClass::Unavailable),
            ("14", ErrorClass::Unavailable),
            ("2067", ErrorClass::Conflict),
            ("11", ErrorClass::Internal),
            ("none", ErrorClass::Internal),
        ] {
            assert_eq!(class_of_code(Some(code)), expected, "{code}");
        }
    }
}
