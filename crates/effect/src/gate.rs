//! Decides how one call to one backend is watched: the breaker admits it, its time is bounded, its
//! result is recorded, and its error text is made safe to show.
//!
//! Retries are absent on purpose: they belong to the orchestrator (C-13).

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use onex_node::{ErrorClass, Failure};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::breaker::{Admission, BreakerSettings, CircuitBreaker, Ticket, counts_as_failure};
use crate::codes;
use crate::message::safe_message;

/// Stands in front of one backend.
#[derive(Debug)]
pub struct Gate {
    backend: String,
    epoch: Instant,
    breaker: Mutex<CircuitBreaker>,
}

impl Gate {
    /// A gate with a closed breaker; `backend` is the name that errors and logs show.
    pub fn new(backend: &str, settings: BreakerSettings) -> Self {
        Self { backend: backend.to_owned(), epoch: Instant::now(), breaker: Mutex::new(CircuitBreaker::new(settings)) }
    }

    /// Whether the breaker is refusing calls.
    pub fn is_open(&self) -> bool {
        self.breaker().is_open()
    }

    /// Runs `call` for at most `patience`.
    ///
    /// # Errors
    ///
    /// - `Unavailable`, ONEX4005: the breaker is open and `call` was not polled.
    /// - `Timeout`, ONEX4001: `call` gave no answer in time and was dropped.
    /// - Whatever `call` fails with, its message redacted and cut to 500 characters.
    pub async fn pass<T>(
        &self,
        patience: Duration,
        call: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let pass = self.admit(patience)?;
        let result = match tokio::time::timeout(patience, call).await {
            Ok(result) => result.map_err(|failure| Failure { message: safe_message(&failure.message), ..failure }),
            Err(_) => Err(self.silence(patience)),
        };
        pass.record(result.as_ref().err().map(|failure| failure.class));
        result
    }

    fn admit(&self, patience: Duration) -> Result<Pass<'_>, Failure> {
        let now = self.now();
        match self.breaker().admit(now) {
            Admission::Allowed(ticket) | Admission::Probe(ticket) => {
                Ok(Pass { gate: self, ticket, started: now, patience, recorded: false })
            }
            Admission::Refused { retry_after } => {
                let wait = retry_after.as_millis();
                let message = format!("circuit breaker of `{}` is open, next probe in {wait} ms", self.backend);
                Err(Failure::new(ErrorClass::Unavailable, codes::BREAKER_OPEN, message))
            }
        }
    }

    fn silence(&self, patience: Duration) -> Failure {
        let message = format!("no answer from `{}` within {} ms", self.backend, patience.as_millis());
        Failure::new(ErrorClass::Timeout, codes::ATTEMPT_TIMEOUT, message)
    }

    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    fn breaker(&self) -> MutexGuard<'_, CircuitBreaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut CircuitBreaker)) {
        let mut breaker = self.breaker();
        let before = breaker.is_open();
        change(&mut breaker);
        match (before, breaker.is_open()) {
            (false, true) => warn!(backend = self.backend, "circuit breaker opened"),
            (true, false) => info!(backend = self.backend, "circuit breaker closed"),
            (false, false) | (true, true) => {}
        }
    }
}

/// One admitted call. Dropped without a result, it gives a probe's place back; a call that is dropped
/// after its time has run out counts as failed, since its caller's timer was only the faster one.
struct Pass<'a> {
    gate: &'a Gate,
    ticket: Ticket,
    started: Duration,
    patience: Duration,
    recorded: bool,
}

impl Pass<'_> {
    fn record(mut self, failed: Option<ErrorClass>) {
        self.recorded = true;
        let now = self.gate.now();
        let serves = !failed.is_some_and(counts_as_failure);
        self.gate.change(|breaker| match serves {
            true => breaker.record_success(self.ticket),
            false => breaker.record_failure(self.ticket, now),
        });
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.recorded {
            return;
        }
        let now = self.gate.now();
        let ran_out = now.saturating_sub(self.started) + TIMER_GRAIN >= self.patience;
        self.gate.change(|breaker| match ran_out {
            true => breaker.record_failure(self.ticket, now),
            false => breaker.release(self.ticket, now),
        });
    }
}

/// Timers of tokio are this coarse.
const TIMER_GRAIN: Duration = Duration::from_millis(2);

#[cfg(test)]
mod tests {
    use super::Gate;
    use crate::breaker::BreakerSettings;
    use onex_node::{ErrorClass, Failure};
    use std::future::{pending, ready};
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    fn gate(failure_threshold: u32) -> Gate {
        Gate::new("postgres", BreakerSettings { enabled: true, failure_threshold, reset_timeout: 10 * SECOND })
    }

    fn failed(class: ErrorClass) -> Result<(), Failure> {
        Err(Failure::new(class, "ONEX4006", "cannot reach postgres://onex:hunter2@db/onex"))
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_a_timeout_and_opens_the_breaker() {
        let gate = gate(1);
        let silence = gate.pass(5 * SECOND, pending::<Result<(), Failure>>()).await.unwrap_err();
        assert_eq!((silence.class, silence.code.as_str()), (ErrorClass::Timeout, "ONEX4001"));
        assert_eq!(silence.message, "no answer from `postgres` within 5000 ms");
        let refused = gate.pass(SECOND, ready(Ok(()))).await.unwrap_err();
        assert_eq!((refused.class, refused.code.as_str()), (ErrorClass::Unavailable, "ONEX4005"));
        assert_eq!(refused.message, "circuit breaker of `postgres` is open, next probe in 10000 ms");
        tokio::time::advance(10 * SECOND).await;
        gate.pass(SECOND, ready(Ok(()))).await.unwrap();
        assert!(!gate.is_open());
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_backend_that_does_not_serve_opens_the_breaker() {
        for class in ErrorClass::ALL {
            let gate = gate(1);
            gate.pass(SECOND, ready(failed(class))).await.unwrap_err();
            let silent = [ErrorClass::Connection, ErrorClass::Timeout, ErrorClass::Unavailable, ErrorClass::Throttled];
            assert_eq!(gate.is_open(), silent.contains(&class), "{class:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn messages_are_redacted_and_cut() {
        let gate = gate(9);
        let failure = gate.pass(SECOND, ready(failed(ErrorClass::Internal))).await.unwrap_err();
        assert_eq!(failure.message, "cannot reach postgres://REDACTED@db/onex");
        let long = Failure::new(ErrorClass::Internal, "ONEX4010", "ä".repeat(900));
        let failure = gate.pass(SECOND, ready(Err::<(), _>(long))).await.unwrap_err();
        assert_eq!(failure.message.chars().count(), 500);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_probe_is_given_back_and_a_dropped_overdue_call_counts() {
        let gate = gate(1);
        gate.pass(SECOND, ready(failed(ErrorClass::Connection))).await.unwrap_err();
        tokio::time::advance(10 * SECOND).await;
        let probe = gate.pass(5 * SECOND, pending::<Result<(), Failure>>());
        tokio::time::timeout(SECOND, probe).await.unwrap_err();
        gate.pass(SECOND, ready(Ok(()))).await.unwrap();
        let overdue = gate.pass(2 * SECOND, pending::<Result<(), Failure>>());
        tokio::time::timeout(2 * SECOND - Duration::from_millis(1), overdue).await.unwrap_err();
        assert!(gate.is_open());
    }
}
