//! Decides what an answer of Consul, or none, means to the caller.

use onex_effect::{codes, safe_message};
use onex_node::{ErrorClass, Failure};

/// The longest piece of an answer in an error, in characters.
const MAX_ANSWER_CHARS: usize = 200;

/// The failure of `act` that Consul answered with a status.
pub(crate) fn answered(act: &str, status: u16, answer: &str) -> Failure {
    let class = class_of_status(status, answer);
    let answer: String = answer.trim().trim_end_matches('.').chars().take(MAX_ANSWER_CHARS).collect();
    failed(class, act, &format!("Consul answered {status} {answer}"))
}

/// The failure of `act` for another reason.
pub(crate) fn failed(class: ErrorClass, act: &str, reason: &str) -> Failure {
    Failure::new(class, codes::of_class(class), safe_message(format!("{act} failed: {reason}").trim_end()))
}

fn class_of_status(status: u16, answer: &str) -> ErrorClass {
    match status {
        401 => ErrorClass::Authentication,
        // An unknown token; a known one that may not is `Permission denied`.
        403 if answer.contains("ACL not found") => ErrorClass::Authentication,
        403 => ErrorClass::Authorization,
        404 => ErrorClass::NotFound,
        408 => ErrorClass::Timeout,
        429 => ErrorClass::Throttled,
        500.. => ErrorClass::Unavailable,
        _ => ErrorClass::Validation,
    }
}

#[cfg(test)]
mod tests {
    use super::answered;
    use onex_node::ErrorClass;

    #[test]
    fn statuses_tell_whether_to_try_again() {
        for (status, answer, expected) in [
            (400, "Request decode failed", ErrorClass::Validation),
            (401, "", ErrorClass::Authentication),
            (403, "ACL not found", ErrorClass::Authentication),
            (403, "Permission denied", ErrorClass::Authorization),
            (404, "", ErrorClass::NotFound),
            (429, "", ErrorClass::Throttled),
            (500, "No cluster leader", ErrorClass::Unavailable),
            (503, "", ErrorClass::Unavailable),
        ] {
            let failure = answered("reading the service", status, answer);
            assert_eq!(failure.class, expected, "{status} {answer}");
        }
    }

    #[test]
    fn an_answer_is_cut_and_redacted() {
        let long = answered("reading the service", 400, &format!("token=hunter2 {}", "x".repeat(900)));
        assert!(long.message.starts_with("reading the service failed: Consul answered 400 token=REDACTED x"));
        assert!(long.message.chars().count() < 300, "{}", long.message);
        assert_eq!(answered("reading", 500, "").message, "reading failed: Consul answered 500");
    }
}
