//! Section 19.3 of the semantics, and its new cases of rollback and deadlines: what a failure leads to.

use onex_journal::RunStatus;
use onex_node::ErrorClass;

use crate::support::{Case, Deed};

const CONTINUE: &str = "failure_recovery_strategy: continue";
const PARALLEL: &str = "execution_mode: parallel";
const BOTH: &str = "execution_mode: parallel, failure_recovery_strategy: continue";

async fn told(case: Case) -> String {
    let world = case.world();
    let end = world.run().await.expect("it ends");
    world.told(&end)
}

#[tokio::test(start_paused = true)]
async fn o34_to_o39_a_failure_stops_the_run_or_lets_it_continue() {
    for (case, graph, rules, expected) in [
        // C-07: what was not reached is skipped and told.
        ("O-34", "A,B!,C", "", "done[A] failed[B] skipped[C] failed"),
        ("O-34 abort", "A,B!,C", "failure_recovery_strategy: fail_fast", "done[A] failed[B] skipped[C] failed"),
        // Steps really run at once: what was under way when another failed comes to its end.
        ("O-35", "A,B!,C", PARALLEL, "done[A,C] failed[B] failed"),
        ("O-35b", "A!,B(A)", PARALLEL, "failed[A] skipped[B] failed"),
        ("O-36", "A!,B!", PARALLEL, "failed[A,B] failed"),
        ("O-37", "A!,B(A),C,D(B)", CONTINUE, "done[C] failed[A,B,D] failed"),
        ("O-37 parallel", "A!,B(A),C,D(B)", BOTH, "done[C] failed[A,B,D] failed"),
        ("O-38", "A!,B", CONTINUE, "done[B] failed[A] failed"),
        ("O-38b", "A!,B(A)", CONTINUE, "failed[A,B] failed"),
        ("O-39", "A,B!", BOTH, "done[A] failed[B] failed"),
        ("O-39b", "A!,B!", BOTH, "failed[A,B] failed"),
        ("O-40 to O-42", "A!,B", "", "failed[A] skipped[B] failed"),
        ("O-50", "A!,B(A),C,D+(C)", CONTINUE, "done[C,D] failed[A,B] failed"),
        ("absorbed", "A!,B,S&(A,B),P>(S)", "", "done[B,S,P] failed[A] partial"),
        ("absorbed, none applied", "A!,B!,S&(A,B),P>(S)", "", "done[S,P] failed[A,B] failed"),
        ("not absorbed by all", "A!,B,S&(A,B),C+(A)", "", "failed[A] skipped[B,S,C] failed"),
    ] {
        assert_eq!(told(Case::of(graph).rules(rules)).await, expected, "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn c07_o50_reasons_and_codes_are_told() {
    let world = Case::of("A!,B").world();
    let end = world.run().await.expect("it ends");
    let last = end.outcome.steps.last().expect("steps");
    assert_eq!((last.step.as_str(), last.reason.as_deref(), &last.code), ("B", Some("not_reached"), &None));
    let world = Case::of("A!,B+(A)").rules(CONTINUE).world();
    let end = world.run().await.expect("it ends");
    let last = end.outcome.steps.last().expect("steps");
    assert_eq!(last.reason.as_deref(), Some("step `B` needs `A`, which is not done"));
    assert_eq!(last.code.as_deref(), Some("ONEX3020"));
    assert_eq!(end.outcome.failure.expect("the first failure").message, "`A` failed");
}

#[tokio::test(start_paused = true)]
async fn o51_a_node_that_panics_fails_its_step_and_is_not_retried() {
    let world = Case::of("A,B").script("A", &[Deed::Panics]).rules(CONTINUE).world();
    let end = world.run().await.expect("it ends");
    assert_eq!(world.told(&end), "done[B] failed[A] failed");
    let failure = end.outcome.failure.expect("it failed");
    assert_eq!((failure.code.as_str(), failure.message.as_str()), ("ONEX3026", "the effect of `A.do` panicked"));
    assert_eq!(world.script.done().began, ["A", "B"]);
}

#[tokio::test(start_paused = true)]
async fn o55_r11_an_attempt_that_takes_too_long_is_cancelled_and_its_sibling_is_not() {
    let rules = "execution_mode: parallel, step_timeout_ms: 100, max_retries: 0";
    let world = Case::of("A,B").rules(rules).script("A", &[Deed::Takes(5_000)]).world();
    let end = world.run().await.expect("it ends");
    assert_eq!(world.told(&end), "done[B] failed[A] failed");
    let failure = end.outcome.failure.clone().expect("it failed");
    assert_eq!((failure.class, failure.code.as_str()), (ErrorClass::Timeout, "ONEX3024"));
    assert_eq!(end.outcome.intents[0].execution_time_ms, 100.0);
    assert_eq!(world.script.done().running, 0, "the attempt was dropped");
}

#[tokio::test(start_paused = true)]
async fn o56_r12_the_deadline_cuts_what_goes_on_and_fails_what_has_not_started() {
    for (case, graph, rules, expected) in [
        ("sequential", "A,B,C", "timeout_ms: 1000", "failed[A,B,C] failed"),
        ("parallel", "A,B,C(B),D+(A)", "timeout_ms: 1000, execution_mode: parallel", "done[B,C] failed[A,D] failed"),
        ("continue", "A,B,C+", "timeout_ms: 1000, failure_recovery_strategy: continue", "done[C] failed[A,B] failed"),
        ("absorbed", "A,B,S&(A,B),P>(S)", "timeout_ms: 1000", "done[S,P] failed[A,B] failed"),
    ] {
        let world = Case::of(graph).rules(rules).script("A", &[Deed::Takes(5_000)]).world();
        let end = world.run().await.expect("it ends");
        assert_eq!(world.told(&end), expected, "{case}");
        let failed: Vec<_> = end.outcome.steps.iter().filter(|step| step.ended == "failed").collect();
        assert!(failed.iter().all(|step| step.code.as_deref() == Some("ONEX3022")), "{case}: {failed:?}");
        assert_eq!(world.worker.clock.now().timestamp_millis(), 1000, "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn o56_the_deadline_holds_across_attempts() {
    let world = Case::of("A").rules("timeout_ms: 2500").script("A", &[Deed::Fails(ErrorClass::Connection)]).world();
    let end = world.run().await.expect("it ends");
    assert_eq!(end.outcome.failure.expect("it failed").code, "ONEX3022");
    assert_eq!(world.worker.clock.now().timestamp_millis(), 2500);
}

const ROLLBACK: &str = "failure_recovery_strategy: rollback, max_retries: 0";

#[tokio::test(start_paused = true)]
async fn r06_r07_effects_are_undone_in_reverse_and_all_are_tried() {
    let broken = &[Deed::Fails(ErrorClass::Validation)];
    for (case, made, began, failures) in [
        ("R-06", Case::of("A,B,C!").rules(ROLLBACK), "A,B,C,undo B,undo A", vec![]),
        (
            "R-06 compensate",
            Case::of("A,B,C!").rules("failure_recovery_strategy: compensate"),
            "A,B,C,undo B,undo A",
            vec![],
        ),
        ("R-06 enabled", Case::of("A,B,C!").rules("rollback_enabled: true"), "A,B,C,undo B,undo A", vec![]),
        (
            "R-07",
            Case::of("A,B,C!").rules(ROLLBACK).script("undo B", broken),
            "A,B,C,undo B,undo A",
            vec!["`B`: `undo B` failed"],
        ),
        ("not wanted", Case::of("A,B,C!"), "A,B,C", vec![]),
        ("not failed", Case::of("A,B,C").rules(ROLLBACK), "A,B,C", vec![]),
        ("no undo", Case::of("Fixed,B,C!").rules(ROLLBACK), "Fixed,B,C,undo B", vec![]),
        ("calls", Case::of("A,C!").rules(ROLLBACK).calls("A", 3), "A,A,A,C,undo A,undo A,undo A", vec![]),
        (
            "none applied",
            Case::of("A,S&(A)").rules(ROLLBACK).calls("A", 2).script("A", &[Deed::Succeeds, broken[0]]),
            "A,A,undo A",
            vec![],
        ),
    ] {
        let world = made.world();
        let end = world.run().await.expect("it ends");
        assert_eq!(world.script.done().began.join(","), began, "{case}");
        assert_eq!(end.outcome.undo_failures, failures, "{case}");
        if began.contains("C,undo") {
            assert_eq!(end.outcome.failure.expect("the original").message, "`C` failed", "{case}");
            assert_eq!(end.outcome.status, RunStatus::Failed, "{case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn r06_what_was_undone_is_told_as_undone() {
    let world = Case::of("A,B,C!").rules(ROLLBACK).script("undo B", &[Deed::Fails(ErrorClass::Validation)]).world();
    let end = world.run().await.expect("it ends");
    let undone: Vec<_> =
        end.outcome.steps.iter().filter(|step| step.undone).map(|step| step.step.to_string()).collect();
    assert_eq!(undone, ["A"]);
    let in_place: Vec<_> = end.outcome.intents.iter().map(|intent| intent.success).collect();
    assert_eq!(in_place, [false, true, false]);
    let state = world.worker.journal.entity_state("counter", "e").await.expect("readable").expect("written");
    assert_eq!(state.state["applied"], 1, "the entity knows what is still in place");
}

#[tokio::test(start_paused = true)]
async fn r07_an_undo_is_tried_again_as_its_step_is() {
    let undo = [Deed::Fails(ErrorClass::Connection), Deed::Fails(ErrorClass::Connection), Deed::Succeeds];
    let case =
        Case::of("A,C!").rules("rollback_enabled: true, max_retries: 2").errors("retry_policy: {jitter_factor: 0}");
    let world = case.script("undo A", &undo).world();
    let end = world.run().await.expect("it ends");
    assert_eq!(
        (world.script.done().began.join(","), end.outcome.undo_failures.len()),
        ("A,C,undo A,undo A,undo A".to_owned(), 0)
    );
    assert_eq!(world.script.done().times, [0, 0, 0, 1000, 3000]);
    let keys = world.script.done().keys.clone();
    assert!(keys[0] == keys[2] && keys[2] == keys[4], "one key names the effect: {keys:?}");
}

#[tokio::test(start_paused = true)]
async fn r31_every_step_is_told_exactly_once() {
    for (graph, rules) in
        [("A,B!,C,D+(C),E>(D)", PARALLEL), ("A!,B(A),C+(B),S&(C),P>(S)", BOTH), ("A,B!,C,S&(A,B)", ROLLBACK)]
    {
        let world = Case::of(graph).rules(rules).world();
        let end = world.run().await.expect("it ends");
        let told: Vec<_> = end.outcome.steps.iter().map(|step| step.step.as_str()).collect();
        let declared: Vec<_> = world.orchestrator.plan().steps.iter().map(|step| step.id.to_string()).collect();
        assert_eq!(told, declared);
        assert!(end.outcome.steps.iter().all(|step| ["done", "failed", "skipped"].contains(&step.ended.as_str())));
    }
}
