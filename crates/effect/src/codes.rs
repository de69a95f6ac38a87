//! Decides the stable codes of effect failures; the table is what `docs/errors.md` is made of.

use onex_node::ErrorClass;

/// An attempt got no answer in time.
pub const ATTEMPT_TIMEOUT: &str = "ONEX4001";
/// No backend carries out intents of this kind.
pub const UNKNOWN_KIND: &str = "ONEX4002";
/// The intent's payload cannot be carried out.
pub const BAD_PAYLOAD: &str = "ONEX4003";
/// The backend holds something newer.
pub const STALE: &str = "ONEX4004";
/// The circuit breaker refuses calls.
pub const BREAKER_OPEN: &str = "ONEX4005";
/// The backend cannot be reached or does not serve now.
pub const NOT_SERVING: &str = "ONEX4006";
/// What was done has no undo.
pub const NO_UNDO: &str = "ONEX4007";
/// The stored schema is not this binary's.
pub const FOREIGN_SCHEMA: &str = "ONEX4008";
/// The backend refuses the credentials or what they may do.
pub const CREDENTIALS: &str = "ONEX4009";
/// The backend answered with an error.
pub const REFUSED: &str = "ONEX4010";

/// Every code with its title and what to do about it.
pub const CODES: &[(&str, &str, &str)] = &[
    (
        ATTEMPT_TIMEOUT,
        "an attempt ran out of time",
        "the attempt was cancelled and counts as retryable; raise the step's timeout or look at the backend's load",
    ),
    (
        UNKNOWN_KIND,
        "no backend carries out this kind of intent",
        "configure a backend for the kind, or correct the kind in the reducer or the routing table",
    ),
    (
        BAD_PAYLOAD,
        "the payload of an intent cannot be carried out",
        "compare the payload with the kind's schema; the same intent fails the same way again",
    ),
    (
        STALE,
        "refused as stale",
        "the backend holds a newer epoch or timestamp of this node; nothing is to be done unless the node's clock or epoch went backwards",
    ),
    (
        BREAKER_OPEN,
        "the circuit breaker is open",
        "the backend failed several times in a row and is left alone until the next probe; look at the failures before",
    ),
    (
        NOT_SERVING,
        "the backend cannot be reached or does not serve now",
        "check address, network and health of the backend; the attempt is retried",
    ),
    (
        NO_UNDO,
        "what was done has no undo",
        "take the step out of the rollback, or use a backend that keeps what it replaces",
    ),
    (
        FOREIGN_SCHEMA,
        "the stored schema is not this binary's",
        "run the version that wrote the schema or a newer one; an older one would damage it",
    ),
    (
        CREDENTIALS,
        "the backend refuses the credentials",
        "check user, password or token and their privileges; not retried",
    ),
    (
        REFUSED,
        "the backend answered with an error",
        "the message says which; retried only when a contract's `retry_on` names its error type",
    ),
];

/// The code of a failure that a backend answers with, when none is more specific.
pub fn of_class(class: ErrorClass) -> &'static str {
    match class {
        ErrorClass::Connection | ErrorClass::Timeout | ErrorClass::Unavailable | ErrorClass::Throttled => NOT_SERVING,
        ErrorClass::Authentication | ErrorClass::Authorization => CREDENTIALS,
        ErrorClass::Validation | ErrorClass::Conflict | ErrorClass::NotFound | ErrorClass::Internal => REFUSED,
    }
}

#[cfg(test)]
mod tests {
    use super::CODES;

    #[test]
    fn the_table_is_complete_and_in_order() {
        let codes: Vec<_> = CODES.iter().map(|(code, ..)| (*code).to_owned()).collect();
        let expected: Vec<_> = (4001..=4010).map(|number| format!("ONEX{number}")).collect();
        assert_eq!(codes, expected);
    }
}
