//! Section 19.3: disabled, failing and skipping steps, and deadlines.

use onex_contract::Contract;
use onex_node::ErrorClass;
use onex_orchestrator::{Event, RunState, Timer};
use serde_json::json;

use super::{begins, ends, parallel, paused, sequential, table};
use crate::support::{Case, Deed, RUN, started};

const CONTINUE: &str = "failure_recovery_strategy: continue";

/// A case of a run whose deadline passes while `A`, its first step, is under way.
fn late(case: Case) -> Case {
    case.rules("timeout_ms: 1000").script("A", &[Deed::Takes(5_000)])
}

table! { ends:
    o30 sequential("A,B~(A),C(B)") => "done[A,C] skip[B] SUCCEEDED";
    o30_parallel parallel("A,B~(A),C(B)") => "done[A,C] skip[B] SUCCEEDED";
    o31 sequential("A~,B~") => "skip[A,B] SUCCEEDED";
    o32 sequential("A!{c},B~(A),C(B)") => "done[C] fail[A] skip[B] FAILED";
    o33 sequential("B~(A),A~") => "skip[B,A] SUCCEEDED";
    o33_parallel parallel("B~(A),A~") => "skip[B,A] SUCCEEDED";
    o34 sequential("A,B!,C") => "done[A] fail[B] skip[C] FAILED";
    o34_fail_fast sequential("A,B!,C").rules("failure_recovery_strategy: fail_fast") => "done[A] fail[B] skip[C] FAILED";
    // Steps really run at once: what was under way when another failed comes to its end, what was not is skipped.
    o35 parallel("A,B!,C") => "done[A,C] fail[B] FAILED";
    o35_not_reached parallel("A,B!,C").rules("max_parallel_branches: 2").script("A", &[Deed::Takes(10)]) => "done[A] fail[B] skip[C] FAILED";
    o35b parallel("A!,B(A)") => "fail[A] skip[B] FAILED";
    o36 parallel("A!,B!") => "fail[A,B] FAILED";
    o36_not_reached parallel("A!,B!").rules("max_parallel_branches: 1") => "fail[A] skip[B] FAILED";
    o37 sequential("A!{c},B(A),C,D(B)") => "done[C] fail[A,B,D] FAILED";
    o37_parallel parallel("A!{c},B(A),C,D(B)") => "done[C] fail[A,B,D] FAILED";
    o38 sequential("A!{c},B") => "done[B] fail[A] FAILED";
    o38b sequential("A!{c},B(A){c}") => "fail[A,B] FAILED";
    o39 parallel("A,B!{c}") => "done[A] fail[B] FAILED";
    o39b parallel("A!{c},B!{c}") => "fail[A,B] FAILED";
    o40 sequential("A!{r},B") => "fail[A] skip[B] FAILED";
    o41 sequential("A!{k},B") => "fail[A] skip[B] FAILED";
    o41_after_another sequential("A,B!{k},C") => "done[A] fail[B] skip[C] FAILED";
    o42 sequential("A!{s}[continue_on_error: true],B") => "fail[A] skip[B] FAILED";
    o42_default sequential("A![continue_on_error: true],B") => "fail[A] skip[B] FAILED";
    o43 sequential("A!{c},Bs(A)") => "fail[A,B] FAILED";
    o44 sequential("A!{c},Bs,C") => "done[C] fail[A] skip[B] FAILED";
    o45 parallel("A!{c},Bs,C") => "done[B,C] fail[A] FAILED";
    o46 sequential("Bs") => "done[B] SUCCEEDED";
    o47 sequential("A!{c},Z,Bs(Z),C(B)") => "done[Z,C] fail[A] skip[B] FAILED";
    o48 parallel("A!{c},Z,Bs(Z),C(B)").script("Z", &[Deed::Takes(10)]) => "done[Z,C] fail[A] skip[B] FAILED";
    o49 parallel("A!{c},Z,Bs(Z),C(B),Y(Z)").script("Z", &[Deed::Takes(10)]) => "done[Z,C,Y] fail[A] skip[B] FAILED";
    o50 sequential("A!{c},B(A){s},C") => "done[C] fail[A,B] FAILED";
    o50_parallel parallel("A!{c},B(A){s},C,D(C)") => "done[C,D] fail[A,B] FAILED";
    o53 late(sequential("A,B,C")) => "fail[A,B,C] FAILED";
    o54 late(sequential("A,B~,C")) => "fail[A,C] skip[B] FAILED";
    o54_parallel late(parallel("A,B~,C(A)")) => "fail[A,C] skip[B] FAILED";
    o56 late(sequential("A,B,C")) => "fail[A,B,C] FAILED";
    o56_r12_parallel late(parallel("A,B,C(B),D+(A)")) => "done[B,C] fail[A,D] FAILED";
    o56_continue late(sequential("A,B,C+")).rules(CONTINUE) => "done[C] fail[A,B] FAILED";
    o56_absorbed late(sequential("A,B,S&(A,B),P>(S)")) => "done[S,P] fail[A,B] FAILED";
    r25 sequential("A!,B").rules(CONTINUE) => "done[B] fail[A] FAILED";
    r25_stop sequential("A!{s},B").rules(CONTINUE) => "fail[A] skip[B] FAILED";
    r25_continue sequential("A!{c},B").rules("failure_recovery_strategy: abort") => "done[B] fail[A] FAILED";
    r25_abort sequential("A!,B").rules("failure_recovery_strategy: abort") => "fail[A] skip[B] FAILED";
    r31_absorbed sequential("A!,B,S&(A,B),P>(S)") => "done[B,S,P] fail[A] PARTIAL";
    r31_none_applied sequential("A!,B!,S&(A,B),P>(S)") => "done[S,P] fail[A,B] FAILED";
    r31_not_absorbed_by_all sequential("A!,B,S&(A,B),C+(A)") => "fail[A] skip[B,S,C] FAILED";
}

table! { begins:
    o40_attempts sequential("A{r},B").errors("retry_policy: {jitter_factor: 0}").script("A", &[Deed::Fails(ErrorClass::Connection), Deed::Succeeds]) => "A,A,B";
    o41_undone sequential("A,B!{k},C") => "A,B,undo A";
}

#[test]
fn o34_o50_r31_reasons_and_codes_are_told() {
    paused(async {
        let world = sequential("A!,B").world();
        let end = world.run().await.expect("it ends");
        let last = end.outcome.steps.last().expect("steps");
        assert_eq!((last.step.as_str(), last.reason.as_deref(), &last.code), ("B", Some("not_reached"), &None));
        let world = sequential("A!,B+(A)").rules(CONTINUE).world();
        let end = world.run().await.expect("it ends");
        let last = end.outcome.steps.last().expect("steps");
        assert_eq!(last.reason.as_deref(), Some("step `B` needs `A`, which is not done"));
        assert_eq!(last.code.as_deref(), Some("ONEX3020"));
        assert_eq!(end.outcome.failure.expect("the first failure").message, "`A` failed");
    });
}

#[test]
fn o51_a_node_that_panics_fails_its_step_and_is_not_retried() {
    paused(async {
        let world = sequential("A,B").script("A", &[Deed::Panics]).rules(CONTINUE).world();
        let end = world.run().await.expect("it ends");
        assert_eq!(world.told(&end), "done[B] fail[A] FAILED");
        let failure = end.outcome.failure.expect("it failed");
        assert_eq!((failure.code.as_str(), failure.message.as_str()), ("ONEX3026", "the effect of `A.do` panicked"));
        assert_eq!(world.script.done().began, ["A", "B"]);
    });
}

#[test]
fn o55_r11_an_attempt_that_takes_too_long_is_cancelled_and_its_sibling_is_not() {
    paused(async {
        let world =
            parallel("A,B").rules("step_timeout_ms: 100, max_retries: 0").script("A", &[Deed::Takes(5_000)]).world();
        let end = world.run().await.expect("it ends");
        assert_eq!(world.told(&end), "done[B] fail[A] FAILED");
        let failure = end.outcome.failure.clone().expect("it failed");
        assert_eq!((failure.class, failure.code.as_str()), (ErrorClass::Timeout, "ONEX3024"));
        assert_eq!(end.outcome.intents[0].execution_time_ms, 100.0);
        assert_eq!(world.script.done().running, 0, "the attempt was dropped");
    });
}

#[test]
fn o53_o56_r12_the_deadline_is_the_reason_and_no_time_is_lost_after_it() {
    for case in [
        sequential("A,B,C"),
        parallel("A,B,C(B),D+(A)"),
        sequential("A,B,C+").rules(CONTINUE),
        sequential("A,B,S&(A,B),P>(S)"),
    ] {
        paused(async {
            let world = late(case.clone()).world();
            let end = world.run().await.expect("it ends");
            let failed: Vec<_> = end.outcome.steps.iter().filter(|step| step.ended == "failed").collect();
            assert!(failed.iter().all(|step| step.code.as_deref() == Some("ONEX3022")), "{case:?}: {failed:?}");
            assert_eq!(world.worker.clock.now().timestamp_millis(), 1000, "{case:?}");
        });
    }
}

#[test]
fn o53_a_deadline_that_has_passed_before_anything_began() {
    let case = sequential("A,B,C").rules("timeout_ms: 1000");
    let mut state = RunState::new(RUN, case.plan());
    state.apply(started(&case.input())).expect("it starts");
    state.apply(Event::TimerFired { timer: Timer::RunDeadline, at: Default::default() }).expect("it passes");
    let intents = json!({"state": 1, "intents": case.input()["intents"], "settled": [], "refusal": null});
    state.apply(Event::Computed { step: "reduce".into(), result: Ok(intents) }).expect("asked for");
    let outcome = state.outcome().expect("it has finished");
    let failed: Vec<_> =
        outcome.steps.iter().filter(|step| step.ended == "failed").map(|step| step.step.as_str()).collect();
    assert_eq!(failed, ["A", "B", "C"]);
}

#[test]
fn o56_the_deadline_holds_across_attempts() {
    paused(async {
        let world = Case::of("A").rules("timeout_ms: 2500").script("A", &[Deed::Fails(ErrorClass::Connection)]).world();
        let end = world.run().await.expect("it ends");
        assert_eq!(end.outcome.failure.expect("it failed").code, "ONEX3022");
        assert_eq!(world.worker.clock.now().timestamp_millis(), 2500);
    });
}

#[test]
fn o60_a_contract_without_a_workflow_makes_no_orchestrator() {
    let text = "name: a\nnode_type: ORCHESTRATOR\ncontract_version: 1.0.0\n";
    let contract: Option<Contract> =
        onex_contract::read(onex_contract::Source { file: "contract.yaml", text }).contract;
    let error = onex_orchestrator::Plan::new(&contract.expect("readable"), "f", &Default::default());
    let error = error.expect_err("it has no workflow");
    assert_eq!((error.code(), error.to_string().as_str()), ("ONEX2002", "`a` has no workflow to run"));
}

#[test]
fn r31_every_step_is_told_exactly_once() {
    for case in [
        parallel("A,B!,C,D+(C),E>(D)"),
        parallel("A!,B(A),C+(B),S&(C),P>(S)").rules(CONTINUE),
        sequential("A,B!,C,S&(A,B)").rules("failure_recovery_strategy: rollback"),
    ] {
        paused(async {
            let world = case.world();
            let end = world.run().await.expect("it ends");
            let told: Vec<_> = end.outcome.steps.iter().map(|step| step.step.as_str()).collect();
            let declared: Vec<_> = world.orchestrator.plan().steps.iter().map(|step| step.id.to_string()).collect();
            assert_eq!(told, declared);
            assert!(end.outcome.steps.iter().all(|step| ["done", "failed", "skipped"].contains(&step.ended.as_str())));
        });
    }
}
