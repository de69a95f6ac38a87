//! what is tried again, how often, and after which delay.

use std::time::Duration;

use onex_node::ErrorClass::{Authentication, Connection, Internal, Throttled, Timeout, Unavailable, Validation};
use onex_node::{ErrorClass, Failure, IdempotencyKey, StepId};
use onex_orchestrator::MayRetry;

use super::{paused, sequential, table};
use crate::support::{Case, Deed, RUN};

const STEADY: &str = "retry_policy: {jitter_factor: 0}";

/// One step without jitter that fails twice, then succeeds.
fn twice(class: ErrorClass) -> Case {
    let deeds = [Deed::Fails(class), Deed::Fails(class), Deed::Succeeds];
    sequential("A").errors(STEADY).script("A", &deeds)
}

/// Attempts begin at these milliseconds, under one key, and the run ends so.
fn tried(case: Case, (times, told): (&[u64], &str)) {
    paused(async {
        let world = case.world();
        let end = world.run().await.expect("it ends");
        assert_eq!(world.script.done().times, times);
        assert_eq!(world.told(&end), told);
        assert_eq!(end.outcome.intents[0].attempts as usize, times.len());
        let key = IdempotencyKey::new(RUN, &StepId::from("A"), 0);
        assert!(world.script.done().keys.iter().all(|found| found == key.as_str()), "one key over all attempts");
    });
}

const DONE: &str = "done[A] SUCCEEDED";
const FAILED: &str = "fail[A] FAILED";

table! { tried:
    r01 twice(Connection).rules("max_retries: 2") => (&[0, 1000, 3000], DONE);
    r01_of_the_step twice(Connection).rules("max_retries: 0").again("A{r}[retry_count: 2]") => (&[0, 1000, 3000], DONE);
    r01_backoff twice(Connection).rules("retry_backoff_ms: 10, retry_backoff_multiplier: 3") => (&[0, 10, 40], DONE);
    r02 twice(Timeout).rules("max_retries: 2").script("A", &[Deed::Fails(Timeout)]) => (&[0, 1000, 3000], FAILED);
    r02_default twice(Unavailable).script("A", &[Deed::Fails(Unavailable)]) => (&[0, 1000, 3000, 7000], FAILED);
    r02_abort twice(Connection).rules("failure_recovery_strategy: abort, max_retries: 5") => (&[0], FAILED);
    r03_401 twice(Authentication).rules("max_retries: 2") => (&[0], FAILED);
    r03_invalid twice(Validation).rules("max_retries: 2") => (&[0], FAILED);
    r03_final twice(Connection).errors("error_types: [{name: ConnectionError, recoverable: false}]") => (&[0], FAILED);
    r03_not_named twice(Throttled).errors("retry_policy: {retry_on: [ConnectionError]}") => (&[0], FAILED);
    r04 twice(Internal).rules("max_retries: 2") => (&[0], FAILED);
    r04_named twice(Internal).errors("retry_policy: {jitter_factor: 0, retry_on: [InternalError]}") => (&[0, 1000, 3000], DONE);
    r04_any_effect twice(Throttled).errors("retry_policy: {jitter_factor: 0, retry_on: [EffectExecutionError]}") => (&[0, 1000, 3000], DONE);
}

#[test]
fn r02_the_last_failure_stops_the_run() {
    paused(async {
        let world = sequential("A,B").script("A", &[Deed::Fails(Connection)]).world();
        let end = world.run().await.expect("it ends");
        assert_eq!(world.told(&end), "fail[A] skip[B] FAILED");
        let step = &end.outcome.steps[2];
        assert_eq!((step.attempts, step.code.as_deref()), (4, Some("ONEX4001")));
    });
}

#[test]
fn r01_a_delay_varies_by_a_quarter_and_is_the_same_over_a_repeat() {
    let case = twice(Connection).errors("");
    let times = || {
        paused(async {
            let world = case.world();
            world.run().await.expect("it ends");
            let done = world.script.done();
            done.times.clone()
        })
    };
    let found = times();
    assert!((750..=1250).contains(&found[1]) && (1500..=2500).contains(&(found[2] - found[1])), "{found:?}");
    assert_eq!(found, times());
}

#[test]
fn r05_jitter_comes_after_the_cap() {
    let errors = "retry_policy: {initial_delay_ms: 1000, exponential_base: 2, max_delay_ms: 60000}";
    let plan = Case::of("A").errors(errors).plan();
    let retry = &plan.steps[2].retry;
    for (attempt, chance, seconds) in [
        (1, 0.5, 1.0),
        (2, 0.5, 2.0),
        (6, 0.5, 32.0),
        (7, 0.5, 60.0),
        (7, 0.0, 45.0),
        (7, 1.0, 75.0),
        (u32::MAX, 1.0, 75.0),
        (0, 0.5, 1.0),
    ] {
        assert_eq!(
            retry.delay(attempt, chance),
            Duration::from_secs_f64(seconds),
            "attempt {attempt}, chance {chance}"
        );
    }
}

#[test]
fn r03_an_open_breaker_is_not_asked_again() {
    let plan = Case::of("A").plan();
    let refused = |code| Failure::new(Unavailable, code, "refused");
    assert!(plan.steps[2].retry.may_retry(&refused("ONEX4001")));
    assert!(!plan.steps[2].retry.may_retry(&refused("ONEX4005")));
}
