//! Decides the ways a node can fail and which of them are worth another attempt.
//!
//! Every backend maps its client's errors to one of these classes; the orchestrator retries by class
//! and by the contract's `retry_on`, never by reading a message.

use serde::{Deserialize, Serialize};

/// Why a call failed, as far as the caller can act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// The backend could not be reached: refused, reset, no route, name not found.
    Connection,
    /// An attempt, step or run ran out of time.
    Timeout,
    /// The backend answered that it cannot serve now: 503, starting up, read-only, breaker open.
    Unavailable,
    /// The backend asks to slow down: 429, too many connections.
    Throttled,
    /// Who calls is not known: 401, wrong password.
    Authentication,
    /// Who calls may not do this: 403, insufficient privilege.
    Authorization,
    /// The request itself is wrong and stays wrong.
    Validation,
    /// The backend holds something newer or other than the request assumes: stale epoch, unique violation.
    Conflict,
    /// What the request names does not exist.
    NotFound,
    /// Anything else, our own defects included. Not retried unless `retry_on` names it.
    Internal,
}

/// Whether the same call may succeed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Another attempt may succeed.
    Later,
    /// No attempt will succeed.
    Never,
    /// Not known: only a contract that names the error in `retry_on` has it tried again.
    WhenNamed,
}

impl ErrorClass {
    /// Every class, for tables and documentation.
    pub const ALL: [Self; 10] = [
        Self::Connection,
        Self::Timeout,
        Self::Unavailable,
        Self::Throttled,
        Self::Authentication,
        Self::Authorization,
        Self::Validation,
        Self::Conflict,
        Self::NotFound,
        Self::Internal,
    ];

    /// Whether another attempt may help.
    pub fn retry(self) -> Retry {
        match self {
            Self::Connection | Self::Timeout | Self::Unavailable | Self::Throttled => Retry::Later,
            Self::Authentication | Self::Authorization | Self::Validation | Self::Conflict | Self::NotFound => {
                Retry::Never
            }
            Self::Internal => Retry::WhenNamed,
        }
    }

    /// The name a contract's `retry_on` and `error_types` use for this class.
    pub fn error_type(self) -> &'static str {
        match self {
            Self::Connection => "ConnectionError",
            Self::Timeout => "TimeoutError",
            Self::Unavailable => "UnavailableError",
            Self::Throttled => "ThrottledError",
            Self::Authentication => "AuthenticationError",
            Self::Authorization => "AuthorizationError",
            Self::Validation => "ValidationError",
            Self::Conflict => "ConflictError",
            Self::NotFound => "NotFoundError",
            Self::Internal => "InternalError",
        }
    }
}

/// One failed call: a class to act on, a stable code to look up, and a text that is safe to show.
///
/// # Contract
///
/// `message` holds no secret: whoever builds a failure from a client's error redacts it first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What the caller can do about it.
    pub class: ErrorClass,
    /// Stable code, `ONEX####`, explained in `docs/errors.md`.
    pub code: String,
    /// Lower-case sentence without a full stop.
    pub message: String,
    /// The name `retry_on` matches besides the class's own, such as `AggregationError`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_type: Option<String>,
}

impl Failure {
    /// A failure of `class` with its stable code.
    pub fn new(class: ErrorClass, code: &str, message: impl Into<String>) -> Self {
        Self { class, code: code.to_owned(), message: message.into(), error_type: None }
    }

    /// The same failure under a more specific `error_type`.
    #[must_use]
    pub fn named(self, error_type: &str) -> Self {
        Self { error_type: Some(error_type.to_owned()), ..self }
    }

    /// The name that `retry_on` is matched against.
    pub fn error_type(&self) -> &str {
        self.error_type.as_deref().unwrap_or(self.class.error_type())
    }
}

#[cfg(test)]
mod tests {
    use super::{ErrorClass, Retry};

    #[test]
    fn r03_r04_only_what_may_pass_by_itself_is_retried() {
        let retried: Vec<_> = ErrorClass::ALL.into_iter().filter(|class| class.retry() == Retry::Later).collect();
        assert_eq!(
            retried,
            [ErrorClass::Connection, ErrorClass::Timeout, ErrorClass::Unavailable, ErrorClass::Throttled]
        );
        assert_eq!(ErrorClass::Internal.retry(), Retry::WhenNamed);
    }
}
