//! taking back what was done, after a failure or a cancellation.

use onex_journal::RunStatus;
use onex_node::ErrorClass::{Connection, Validation};
use onex_orchestrator::{CallId, Command, Event, RunState, Timer};
use serde_json::{Value, json};

use super::{begins, parallel, paused, sequential, table};
use crate::support::{Case, Deed, RUN, started};

const ROLLBACK: &str = "failure_recovery_strategy: rollback, max_retries: 0";

fn rollback(graph: &str) -> Case {
    sequential(graph).rules(ROLLBACK)
}

table! { begins:
    r06 rollback("A,B,C!") => "A,B,C,undo B,undo A";
    r06_compensate sequential("A,B,C!").rules("failure_recovery_strategy: compensate") => "A,B,C,undo B,undo A";
    r06_enabled sequential("A,B,C!").rules("rollback_enabled: true") => "A,B,C,undo B,undo A";
    r06_not_wanted sequential("A,B,C!") => "A,B,C";
    r06_not_failed rollback("A,B,C") => "A,B,C";
    r06_without_undo rollback("A#,B,C!") => "A,B,C,undo B";
    r06_several_calls rollback("A,C!").calls("A", 3) => "A,A,A,C,undo A,undo A,undo A";
    r06_none_applied rollback("A,S&(A)").calls("A", 2).script("A", &[Deed::Succeeds, Deed::Fails(Validation)]) => "A,A,undo A";
    r06_by_the_step sequential("A,B,C!{k}") => "A,B,C,undo B,undo A";
    r07 rollback("A,B,C!").script("undo B", &[Deed::Fails(Validation)]) => "A,B,C,undo B,undo A";
}

#[test]
fn r06_r07_the_failure_is_kept_and_what_cannot_be_undone_is_told() {
    for (undo, failures) in [(Deed::Succeeds, vec![]), (Deed::Fails(Validation), vec!["`B`: `undo B` failed"])] {
        paused(async {
            let world = rollback("A,B,C!").script("undo B", &[undo]).world();
            let end = world.run().await.expect("it ends");
            assert_eq!(end.outcome.undo_failures, failures);
            assert_eq!(end.outcome.failure.expect("the original").message, "`C` failed");
            assert_eq!(end.outcome.status, RunStatus::Failed);
        });
    }
}

#[test]
fn r06_what_was_undone_is_told_as_undone() {
    paused(async {
        let world = rollback("A,B,C!").script("undo B", &[Deed::Fails(Validation)]).world();
        let end = world.run().await.expect("it ends");
        let undone: Vec<_> =
            end.outcome.steps.iter().filter(|step| step.undone).map(|step| step.step.to_string()).collect();
        assert_eq!(undone, ["A"]);
        let in_place: Vec<_> = end.outcome.intents.iter().map(|intent| intent.success).collect();
        assert_eq!(in_place, [false, true, false]);
        let state = world.worker.journal.entity_state("counter", "e").await.expect("readable").expect("written");
        assert_eq!(state.state["applied"], 1, "the entity knows what is still in place");
    });
}

#[test]
fn r07_an_undo_is_tried_again_as_its_step_is() {
    paused(async {
        let undo = [Deed::Fails(Connection), Deed::Fails(Connection), Deed::Succeeds];
        let case = sequential("A,C!").rules("rollback_enabled: true, max_retries: 2");
        let world = case.errors("retry_policy: {jitter_factor: 0}").script("undo A", &undo).world();
        let end = world.run().await.expect("it ends");
        let found = (world.script.done().began.join(","), end.outcome.undo_failures.len());
        assert_eq!(found, ("A,C,undo A,undo A,undo A".to_owned(), 0));
        assert_eq!(world.script.done().times, [0, 0, 0, 1000, 3000]);
        let keys = world.script.done().keys.clone();
        assert!(keys[0] == keys[2] && keys[2] == keys[4], "one key names the effect: {keys:?}");
    });
}

/// A run of a case, as far as its first effects: what it asked for then.
fn under_way(case: &Case) -> (RunState, Vec<Command>) {
    let mut state = RunState::new(RUN, case.plan());
    state.apply(started(&case.input())).expect("it starts");
    let intents = json!({"state": 1, "intents": case.input()["intents"], "settled": [], "refusal": null});
    let commands = state.apply(Event::Computed { step: "reduce".into(), result: Ok(intents) }).expect("asked for");
    (state, commands)
}

fn call(step: &str) -> CallId {
    CallId { step: step.into(), call: 0 }
}

fn succeeded(step: &str) -> Event {
    Event::CallSucceeded { call: call(step), attempt: 1, output: Value::Null, at: Default::default() }
}

fn cancelled() -> Event {
    Event::CancelRequested { at: Default::default() }
}

#[test]
fn o52_r30_a_cancelled_run_stops_what_goes_on_and_ends_as_cancelled() {
    let (mut state, _) = under_way(&parallel("A,B,C(A)"));
    state.apply(succeeded("A")).expect("asked for");
    let commands = state.apply(cancelled()).expect("it can be cancelled");
    assert_eq!(commands, [Command::Abort { call: call("B") }, Command::Abort { call: call("C") }, Command::Finish]);
    let outcome = state.outcome().expect("it has finished");
    assert_eq!(outcome.status, RunStatus::Cancelled);
    let told: Vec<_> = outcome.steps.iter().map(|step| (step.step.as_str(), step.ended.as_str())).collect();
    assert_eq!(told[2..], [("A", "done"), ("B", "failed"), ("C", "failed")]);
    assert_eq!(outcome.steps[3].code.as_deref(), Some("ONEX3023"));
    state.apply(succeeded("B")).expect_err("a finished run accepts nothing");
}

#[test]
fn r30_a_cancelled_run_takes_back_what_it_did_when_its_contract_says_so() {
    for (rules, wanted) in [("rollback_enabled: true", true), ("rollback_enabled: false", false)] {
        let (mut state, _) = under_way(&sequential("A,B,C").rules(rules));
        state.apply(succeeded("A")).expect("asked for");
        let commands = state.apply(cancelled()).expect("it can be cancelled");
        let undone =
            commands.iter().any(|command| matches!(command, Command::Undo { call, .. } if call.step.as_str() == "A"));
        assert_eq!(undone, wanted, "{rules}");
        if undone {
            state.apply(Event::UndoSucceeded { call: call("A"), at: Default::default() }).expect("asked for");
        }
        assert_eq!(state.outcome().expect("it has finished").status, RunStatus::Cancelled);
    }
}

/// Undoing is not cut short by the run's deadline: its attempts bound it.
#[test]
fn r12_a_deadline_that_hits_takes_back_what_was_done() {
    let (mut state, _) = under_way(&sequential("A,B,C").rules("rollback_enabled: true, timeout_ms: 1000"));
    state.apply(succeeded("A")).expect("asked for");
    let late = Event::TimerFired { timer: Timer::RunDeadline, at: Default::default() };
    let commands = state.apply(late).expect("it passes");
    assert!(commands.iter().any(|command| matches!(command, Command::Undo { call, .. } if call.step.as_str() == "A")));
}
