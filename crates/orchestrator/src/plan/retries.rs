//! Decides which failures are tried again: the contract's words for them, held against what is known of a failure.

use onex_contract::RetrySettings;
use onex_node::{Failure, Retry};

/// The name that stands for every error of an effect.
const ANY_EFFECT_ERROR: &str = "EffectExecutionError";
/// An open breaker refuses without asking the backend; waiting inside the run does not help.
const BREAKER_OPEN: &str = "ONEX4005";

/// Settings that judge failures.
pub trait MayRetry {
    /// Whether an attempt that failed so may be made again.
    fn may_retry(&self, failure: &Failure) -> bool;
}

impl MayRetry for RetrySettings {
    fn may_retry(&self, failure: &Failure) -> bool {
        let names = [failure.error_type(), failure.class.error_type()];
        let named = |list: &[String]| list.iter().any(|name| names.contains(&name.as_str()));
        if failure.code == BREAKER_OPEN || named(&self.never) {
            return false;
        }
        match failure.class.retry() {
            Retry::Never => false,
            Retry::WhenNamed => named(&self.retry_on),
            Retry::Later => {
                self.retry_on.is_empty()
                    || named(&self.retry_on)
                    || self.retry_on.iter().any(|name| name == ANY_EFFECT_ERROR)
            }
        }
    }
}
