//! Decides what an error of PostgreSQL means to the caller.

use onex_effect::{codes, safe_message};
use onex_node::{ErrorClass, Failure};

/// The failure of `act`, such as `writing the registration`.
pub(crate) fn failure(act: &str, error: &sqlx::Error) -> Failure {
    let class = class_of(error);
    let cause = match error {
        // The detail, which may hold values, is left out; the message names tables and constraints only.
        sqlx::Error::Database(database) => {
            format!("{} (SQLSTATE {})", database.message(), database.code().as_deref().unwrap_or("unknown"))
        }
        other => other.to_string(),
    };
    Failure::new(class, codes::of_class(class), safe_message(&format!("{act} failed: {cause}")))
}

/// The failure of reading what is stored; the row was written by something else.
pub(crate) fn unreadable(what: &str) -> Failure {
    Failure::new(ErrorClass::Internal, codes::REFUSED, format!("the stored {what} cannot be read"))
}

fn class_of(error: &sqlx::Error) -> ErrorClass {
    match error {
        sqlx::Error::Database(database) => class_of_state(database.code().as_deref().unwrap_or_default()),
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
            ErrorClass::Connection
        }
        sqlx::Error::PoolTimedOut => ErrorClass::Timeout,
        sqlx::Error::Configuration(_) | sqlx::Error::InvalidArgument(_) | sqlx::Error::Encode(_) => {
            ErrorClass::Validation
        }
        _ => ErrorClass::Internal,
    }
}

/// The class of a SQLSTATE: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn class_of_state(state: &str) -> ErrorClass {
    match state {
        // Insufficient privilege.
        "42501" => ErrorClass::Authorization,
        // Query cancelled: the statement's time has run out.
        "57014" => ErrorClass::Timeout,
        // Read-only transaction, lock not available, serialisation failure, deadlock.
        "25006" | "55P03" | "40001" | "40P01" => ErrorClass::Unavailable,
        _ => match state.get(..2) {
            Some("08") => ErrorClass::Connection,
            Some("28") => ErrorClass::Authentication,
            Some("53") => ErrorClass::Throttled,
            // Shutting down, starting up, the database was dropped.
            Some("57") => ErrorClass::Unavailable,
            Some("23") => ErrorClass::Conflict,
            Some("22") => ErrorClass::Validation,
            _ => ErrorClass::Internal,
        },
    }
}

/// Whether a write lost a race for its idempotency key: what the key did is committed by now.
pub(crate) fn is_lost_race(error: &sqlx::Error) -> bool {
    let database = error.as_database_error();
    database.is_some_and(|error| error.constraint() == Some("node_registration_history_key"))
}

#[cfg(test)]
mod tests {
    use super::{class_of_state, failure};
    use onex_node::ErrorClass;

    #[test]
    fn states_tell_whether_to_try_again() {
        for (state, expected) in [
            ("28P01", ErrorClass::Authentication),
            ("28000", ErrorClass::Authentication),
            ("42501", ErrorClass::Authorization),
            ("53300", ErrorClass::Throttled),
            ("57P03", ErrorClass::Unavailable),
            ("57P01", ErrorClass::Unavailable),
            ("25006", ErrorClass::Unavailable),
            ("08006", ErrorClass::Connection),
            ("57014", ErrorClass::Timeout),
            ("23505", ErrorClass::Conflict),
            ("22P05", ErrorClass::Validation),
            ("40P01", ErrorClass::Unavailable),
            ("42P01", ErrorClass::Internal),
            ("42703", ErrorClass::Internal),
            ("3D000", ErrorClass::Internal),
            ("", ErrorClass::Internal),
        ] {
            assert_eq!(class_of_state(state), expected, "{state}");
        }
    }

    #[test]
    fn errors_without_a_state() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        assert_eq!(failure("connecting", &refused.into()).class, ErrorClass::Connection);
        assert_eq!(failure("connecting", &sqlx::Error::PoolTimedOut).class, ErrorClass::Timeout);
        assert_eq!(failure("connecting", &sqlx::Error::RowNotFound).class, ErrorClass::Internal);
    }
}
