//! The one place that reads the wall clock and makes fresh ids; everything below takes them as arguments.

use onex_node::Timestamp;
use onex_orchestrator::Clock;
use uuid::Uuid;

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else is given")]
    fn now(&self) -> Timestamp {
        chrono::Utc::now()
    }
}

/// A fresh message id, ordered by time.
#[expect(clippy::disallowed_methods, reason = "ids of messages that come in without one are made here")]
pub(crate) fn fresh_id() -> Uuid {
    Uuid::now_v7()
}
