//! what is tried again, how often, and after which delay.

use std::time::Duration;

use onex_node::ErrorClass::{Authentication, Connection, Internal, Throttled, Timeout, Unavailable, Validation};
use onex_node::{Failure, IdempotencyKey, StepId};

use crate::support::{Case, Deed, RUN};

const STEADY: &str = "retry_policy: {jitter_factor: 0}";

#[tokio::test(start_paused = true)]
async fn r01_to_r04_attempts_follow_the_class_of_the_failure() {
    let times = |class| vec![Deed::Fails(class); 2].into_iter().chain([Deed::Succeeds]).collect::<Vec<_>>();
    for (case, deeds, rules, errors, attempts, expected) in [
        ("R-01", times(Connection), "max_retries: 2", STEADY, vec![0, 1000, 3000], "done[A] succeeded"),
        ("R-02", vec![Deed::Fails(Timeout)], "max_retries: 2", STEADY, vec![0, 1000, 3000], "failed[A] failed"),
        ("default", vec![Deed::Fails(Unavailable)], "", STEADY, vec![0, 1000, 3000, 7000], "failed[A] failed"),
        ("R-03 401", times(Authentication), "max_retries: 2", STEADY, vec![0], "failed[A] failed"),
        ("R-03 invalid", times(Validation), "max_retries: 2", STEADY, vec![0], "failed[A] failed"),
        ("R-04", times(Internal), "max_retries: 2", STEADY, vec![0], "failed[A] failed"),
        (
            "named",
            times(Internal),
            "",
            "retry_policy: {jitter_factor: 0, retry_on: [InternalError]}",
            vec![0, 1000, 3000],
            "done[A] succeeded",
        ),
        ("not named", times(Throttled), "", "retry_policy: {retry_on: [ConnectionError]}", vec![0], "failed[A] failed"),
        (
            "any effect",
            times(Throttled),
            "",
            "retry_policy: {jitter_factor: 0, retry_on: [EffectExecutionError]}",
            vec![0, 1000, 3000],
            "done[A] succeeded",
        ),
        (
            "final",
            times(Connection),
            "",
            "error_types: [{name: ConnectionError, recoverable: false}]",
            vec![0],
            "failed[A] failed",
        ),
        (
            "abort",
            times(Connection),
            "failure_recovery_strategy: abort, max_retries: 5",
            STEADY,
            vec![0],
            "failed[A] failed",
        ),
        (
            "backoff",
            times(Connection),
            "retry_backoff_ms: 10, retry_backoff_multiplier: 3",
            STEADY,
            vec![0, 10, 40],
            "done[A] succeeded",
        ),
    ] {
        let world = Case::of("A").script("A", &deeds).rules(rules).errors(errors).world();
        let end = world.run().await.expect("it ends");
        assert_eq!(world.script.done().times, attempts, "{case}");
        assert_eq!(world.told(&end), expected, "{case}");
        assert_eq!(end.outcome.intents[0].attempts as usize, attempts.len(), "{case}");
        let key = IdempotencyKey::new(RUN, &StepId::from("A"), 0);
        assert!(
            world.script.done().keys.iter().all(|found| found == key.as_str()),
            "{case}: one key over all attempts"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn r02_the_last_failure_stops_the_run() {
    let world = Case::of("A,B").script("A", &[Deed::Fails(Connection)]).world();
    let end = world.run().await.expect("it ends");
    assert_eq!(world.told(&end), "failed[A] skipped[B] failed");
    let step = &end.outcome.steps[2];
    assert_eq!((step.attempts, step.code.as_deref()), (4, Some("ONEX4001")));
}

#[tokio::test(start_paused = true)]
async fn r01_a_delay_varies_by_a_quarter_and_is_the_same_over_a_repeat() {
    let case = Case::of("A").script("A", &[Deed::Fails(Connection), Deed::Fails(Connection), Deed::Succeeds]);
    let mut found = Vec::new();
    for _ in 0..2 {
        let world = case.world();
        world.run().await.expect("it ends");
        found.push(world.script.done().times.clone());
    }
    let times = &found[0];
    assert!((750..=1250).contains(&times[1]) && (1500..=2500).contains(&(times[2] - times[1])), "{times:?}");
    assert_eq!(found[0], found[1]);
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
