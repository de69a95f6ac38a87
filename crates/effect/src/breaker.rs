//! Decides whether a backend that kept failing is called again.
//!
//! A state machine without a clock: the time arrives as an argument, counted from any fixed moment.
//! After `failure_threshold` failures in a row it refuses; after `reset_timeout` it lets one probe
//! through, whose result closes or re-opens it. [`crate::Gate`] adds the clock and the lock.
//!
//! **Invariant:** an answer counts only in the phase its call was admitted in, so a call that was slow
//! enough to see the breaker open and close again changes nothing.

use std::time::Duration;

use onex_node::ErrorClass;

/// When a breaker opens and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerSettings {
    /// A disabled breaker lets every call through.
    pub enabled: bool,
    /// Failures in a row that open it; 0 counts as 1.
    pub failure_threshold: u32,
    /// How long it refuses before a probe, and how long a probe may stay without an answer.
    pub reset_timeout: Duration,
}

impl Default for BreakerSettings {
    /// Enabled, five failures, one minute.
    fn default() -> Self {
        Self { enabled: true, failure_threshold: 5, reset_timeout: Duration::from_secs(60) }
    }
}

/// Names the phase a call was admitted in; its result is recorded with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u64);

/// What the breaker says to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Closed: go ahead.
    Allowed(Ticket),
    /// Half open: go ahead, alone; the result decides.
    Probe(Ticket),
    /// Open, or another probe is under way.
    Refused {
        /// How long until the next probe may be admitted.
        retry_after: Duration,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Closed { failures: u32 },
    Open { until: Duration },
    Probing { until: Duration },
}

/// The breaker of one backend.
#[derive(Debug)]
pub struct CircuitBreaker {
    settings: BreakerSettings,
    phase: Phase,
    number: u64,
}

impl CircuitBreaker {
    /// A closed breaker.
    pub fn new(settings: BreakerSettings) -> Self {
        Self { settings, phase: Phase::Closed { failures: 0 }, number: 0 }
    }

    /// Whether calls are being refused, at most one probe apart.
    pub fn is_open(&self) -> bool {
        !matches!(self.phase, Phase::Closed { .. })
    }

    /// Decides about a call that wants to start at `now`.
    pub fn admit(&mut self, now: Duration) -> Admission {
        match self.phase {
            Phase::Closed { .. } => Admission::Allowed(Ticket(self.number)),
            Phase::Open { until } | Phase::Probing { until } if until > now => {
                Admission::Refused { retry_after: until - now }
            }
            Phase::Open { .. } | Phase::Probing { .. } => {
                self.enter(Phase::Probing { until: now.saturating_add(self.settings.reset_timeout) });
                Admission::Probe(Ticket(self.number))
            }
        }
    }

    /// The backend answered the call.
    pub fn record_success(&mut self, ticket: Ticket) {
        match self.phase_of(ticket) {
            Some(Phase::Closed { .. }) => self.phase = Phase::Closed { failures: 0 },
            Some(Phase::Probing { .. }) => self.enter(Phase::Closed { failures: 0 }),
            Some(Phase::Open { .. }) | None => {}
        }
    }

    /// The backend did not serve the call, known at `now`.
    pub fn record_failure(&mut self, ticket: Ticket, now: Duration) {
        match self.phase_of(ticket) {
            Some(Phase::Closed { failures }) if failures + 1 < self.settings.failure_threshold => {
                self.phase = Phase::Closed { failures: failures + 1 };
            }
            Some(Phase::Closed { .. }) if !self.settings.enabled => {}
            Some(Phase::Closed { .. } | Phase::Probing { .. }) => {
                self.enter(Phase::Open { until: now.saturating_add(self.settings.reset_timeout) });
            }
            Some(Phase::Open { .. }) | None => {}
        }
    }

    /// The call was given up without a result at `now`; a probe's place is free again at once.
    pub fn release(&mut self, ticket: Ticket, now: Duration) {
        if let Some(Phase::Probing { .. }) = self.phase_of(ticket) {
            self.enter(Phase::Open { until: now });
        }
    }

    fn phase_of(&self, ticket: Ticket) -> Option<Phase> {
        (ticket.0 == self.number).then_some(self.phase)
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.number += 1;
    }
}

/// Whether a failure of this class says that the backend is not serving; any other is an answer.
pub fn counts_as_failure(class: ErrorClass) -> bool {
    match class {
        ErrorClass::Connection | ErrorClass::Timeout | ErrorClass::Unavailable | ErrorClass::Throttled => true,
        ErrorClass::Authentication
        | ErrorClass::Authorization
        | ErrorClass::Validation
        | ErrorClass::Conflict
        | ErrorClass::NotFound
        | ErrorClass::Internal => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Admission, BreakerSettings, CircuitBreaker, Ticket};
    use std::time::Duration;

    fn at(second: u64) -> Duration {
        Duration::from_secs(second)
    }

    fn breaker(failure_threshold: u32) -> CircuitBreaker {
        CircuitBreaker::new(BreakerSettings { enabled: true, failure_threshold, reset_timeout: at(60) })
    }

    fn admitted(admission: Admission) -> Ticket {
        match admission {
            Admission::Allowed(ticket) | Admission::Probe(ticket) => ticket,
            Admission::Refused { retry_after } => panic!("refused for {retry_after:?}"),
        }
    }

    fn fail(breaker: &mut CircuitBreaker, now: Duration) {
        let ticket = admitted(breaker.admit(now));
        breaker.record_failure(ticket, now);
    }

    #[test]
    fn it_opens_at_the_threshold_and_a_success_starts_the_count_again() {
        let mut breaker = breaker(3);
        fail(&mut breaker, at(0));
        fail(&mut breaker, at(0));
        let ticket = admitted(breaker.admit(at(1)));
        breaker.record_success(ticket);
        fail(&mut breaker, at(1));
        fail(&mut breaker, at(1));
        assert!(!breaker.is_open());
        fail(&mut breaker, at(2));
        assert_eq!(breaker.admit(at(2)), Admission::Refused { retry_after: at(60) });
        assert_eq!(breaker.admit(at(61)), Admission::Refused { retry_after: at(1) });
    }

    #[test]
    fn one_probe_decides() {
        let mut breaker = breaker(1);
        fail(&mut breaker, at(0));
        let probe = breaker.admit(at(60));
        assert!(matches!(probe, Admission::Probe(_)));
        assert_eq!(breaker.admit(at(61)), Admission::Refused { retry_after: at(59) });
        breaker.record_failure(admitted(probe), at(62));
        assert_eq!(breaker.admit(at(62)), Admission::Refused { retry_after: at(60) });
        let probe = admitted(breaker.admit(at(122)));
        breaker.record_success(probe);
        assert!(matches!(breaker.admit(at(122)), Admission::Allowed(_)));
    }

    #[test]
    fn a_lost_probe_does_not_wedge_it() {
        let mut breaker = breaker(1);
        fail(&mut breaker, at(0));
        let lost = admitted(breaker.admit(at(60)));
        let second = breaker.admit(at(120));
        assert!(matches!(second, Admission::Probe(_)), "the lost probe's lease has ended");
        breaker.record_failure(lost, at(121));
        breaker.record_success(admitted(second));
        assert!(!breaker.is_open(), "the lost probe's late result does not count");
    }

    #[test]
    fn a_cancelled_probe_makes_room_for_the_next() {
        let mut breaker = breaker(1);
        fail(&mut breaker, at(0));
        let probe = admitted(breaker.admit(at(60)));
        breaker.release(probe, at(61));
        assert!(matches!(breaker.admit(at(61)), Admission::Probe(_)));
    }

    #[test]
    fn answers_from_an_earlier_phase_do_not_count() {
        let mut breaker = breaker(1);
        let slow = admitted(breaker.admit(at(0)));
        fail(&mut breaker, at(0));
        breaker.record_success(slow);
        assert!(breaker.is_open());
        let probe = admitted(breaker.admit(at(60)));
        breaker.record_failure(slow, at(60));
        breaker.record_success(probe);
        assert!(!breaker.is_open());
    }

    #[test]
    fn a_disabled_one_never_opens() {
        let settings = BreakerSettings { enabled: false, failure_threshold: 1, reset_timeout: at(60) };
        let mut breaker = CircuitBreaker::new(settings);
        (0..10).for_each(|second| fail(&mut breaker, at(second)));
        assert!(!breaker.is_open());
    }
}
