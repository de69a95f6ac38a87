//! What holds of every run: generated graphs, failures, interleavings and troubles against [`RunState`], without a
//! driver. One property, one test; `PROPTEST_CASES=20000` for a long night.

mod life;
mod scenario;

use std::collections::{BTreeMap, BTreeSet};

use onex_node::{ErrorClass, Failure, StepId};
use onex_orchestrator::{Binding, CallId, Command, Event, Plan, Timer};
use proptest::prelude::*;
use serde_json::Value;

use life::{Life, Line, call_of};
use scenario::{Scenario, scenario};

/// As many cases as `PROPTEST_CASES` says, 256 when it is silent.
fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

/// The step that begins with a line, when it does.
fn begun(line: &Line) -> Option<&StepId> {
    match line {
        Line::Asked(Command::Compute { step }) => Some(step),
        Line::Asked(Command::Dispatch { call, attempt: 1, .. }) if call.call == 0 => Some(&call.step),
        _ => None,
    }
}

/// The step that a line is about, undoing aside.
fn about(line: &Line) -> Option<&StepId> {
    match line {
        Line::Asked(Command::Compute { step }) | Line::Happened(Event::Computed { step, .. }) => Some(step),
        Line::Asked(Command::Dispatch { call, .. })
        | Line::Happened(Event::CallSucceeded { call, .. } | Event::CallFailed { call, .. }) => Some(&call.step),
        _ => None,
    }
}

/// Whether the last that was told of each call of a step, or of its computation, is good; `None` when nothing was.
fn went_well(story: &[Line], step: &StepId) -> Option<bool> {
    let mut last = BTreeMap::new();
    for line in story.iter().filter(|line| about(line) == Some(step)) {
        match line {
            Line::Happened(Event::CallSucceeded { call, .. }) => last.insert(call.call, true),
            Line::Happened(Event::CallFailed { call, .. }) => last.insert(call.call, false),
            Line::Happened(Event::Computed { result, .. }) => last.insert(0, result.is_ok()),
            _ => None,
        };
    }
    (!last.is_empty()).then(|| last.values().all(|is_good| *is_good))
}

/// How each step ended, by name.
fn ends(life: &Life<'_>) -> BTreeMap<StepId, String> {
    life.outcome().steps.into_iter().map(|step| (step.step, step.ended)).collect()
}

/// A step ended as what was told of it says, and one of which nothing was told did not end well.
fn check_end(life: &Life<'_>, step: &StepId, ended: &str) {
    let planned = &life.plan.steps[life.plan.index_of(step).expect("a step of the plan")];
    let was_asked = life.story.iter().any(|line| about(line) == Some(step));
    let is_of_itself = matches!(planned.binding, Binding::Receive { .. });
    assert!(ended != "done" || was_asked || is_of_itself, "`{step}` is done, and was never asked for");
    assert!(ended != "skipped" || !was_asked, "`{step}` is skipped, and was asked for");
    let cut = |line: &Line| matches!(line, Line::Asked(Command::Abort { call }) if call.step == *step);
    let is_as_told = went_well(&life.story, step).is_none_or(|well| well == (ended == "done"));
    assert!(is_as_told || planned.max_failures > 0 || life.story.iter().any(cut), "`{step}` {ended}");
}

/// A step that begins finds all of its dependencies at rest, and well unless it takes failures.
fn check_begin(life: &Life<'_>, position: usize, step: &StepId) {
    let planned = &life.plan.steps[life.plan.index_of(step).expect("a step of the plan")];
    let (before, after) = life.story.split_at(position);
    let ends = ends(life);
    for index in &planned.depends_on {
        let dependency = &life.plan.steps[*index].id;
        assert!(after.iter().all(|line| about(line) != Some(dependency)), "`{dependency}` goes on beside `{step}`");
        let may_fail = life.plan.steps[*index].max_failures > 0;
        let is_well =
            went_well(before, dependency).filter(|_| !may_fail).unwrap_or_else(|| ends[dependency] != "failed");
        assert!(is_well || planned.takes_failures, "`{step}` begins although `{dependency}` is not done");
    }
}

/// The steps under way after each line.
fn check_limit(life: &Life<'_>) {
    let (limit, mut busy) = (life.plan.max_parallel.value as usize, BTreeSet::new());
    let mut open: BTreeSet<CallId> = BTreeSet::new();
    for line in &life.story {
        match line {
            Line::Asked(Command::Dispatch { call, .. } | Command::Arm { timer: Timer::Retry(call), .. }) => {
                open.insert(call.clone());
            }
            Line::Happened(Event::CallSucceeded { call, .. } | Event::CallFailed { call, .. })
            | Line::Asked(Command::Abort { call }) => {
                open.remove(call);
            }
            _ => {}
        }
        busy = open.iter().map(|call| call.step.clone()).collect::<BTreeSet<_>>();
        // What is asked for in answer to an event comes after it, one command after another.
        assert!(busy.len() <= limit, "never more than {limit}: {busy:?}");
    }
    assert!(busy.is_empty(), "nothing is left open: {busy:?}");
}

/// The calls of each step that are under way at once.
fn check_instances(life: &Life<'_>) {
    let mut open: BTreeMap<&StepId, BTreeSet<u32>> = BTreeMap::new();
    for line in &life.story {
        match line {
            Line::Asked(Command::Dispatch { call, .. }) => {
                let calls = open.entry(&call.step).or_default();
                calls.insert(call.call);
                let limit = life.plan.steps[life.plan.index_of(&call.step).expect("a step")].max_instances as usize;
                assert!(calls.len() <= limit, "never more than {limit} calls of `{}`: {calls:?}", call.step);
            }
            Line::Happened(Event::CallSucceeded { call, .. } | Event::CallFailed { call, .. })
            | Line::Asked(Command::Abort { call }) => {
                open.entry(&call.step).or_default().remove(&call.call);
            }
            _ => {}
        }
    }
}

/// Between a pause and what ends it, nothing begins.
fn check_pause(story: &[Line]) {
    let mut is_paused = false;
    for line in story {
        match line {
            Line::Happened(Event::PauseRequested { .. }) => is_paused = true,
            Line::Happened(Event::ResumeRequested { .. } | Event::CancelRequested { .. }) => is_paused = false,
            Line::Asked(
                Command::Compute { .. } | Command::Dispatch { .. } | Command::Undo { .. } | Command::Arm { .. },
            ) => {
                assert!(!is_paused, "{line:?} in a paused run");
            }
            _ => {}
        }
    }
}

fn check_repeats(story: &[Line]) {
    let mut may_be_asked: BTreeMap<(&CallId, bool), u32> = BTreeMap::new();
    for line in story {
        match line {
            Line::Asked(Command::Dispatch { call, attempt, .. }) => {
                assert_eq!(may_be_asked.insert((call, false), 0).unwrap_or(1), *attempt, "{call:?}");
            }
            Line::Asked(Command::Undo { call, attempt, .. }) => {
                assert_eq!(may_be_asked.insert((call, true), 0).unwrap_or(1), *attempt, "undo of {call:?}");
            }
            Line::Happened(Event::CallFailed { call, attempt, failure, .. }) => {
                may_be_asked.insert((call, false), next(*attempt, failure));
            }
            Line::Happened(Event::UndoFailed { call, attempt, failure, .. }) => {
                may_be_asked.insert((call, true), next(*attempt, failure));
            }
            _ => {}
        }
    }
}

/// The attempt that may follow a failure; none is numbered 0.
fn next(attempt: u32, failure: &Failure) -> u32 {
    if failure.class == ErrorClass::Connection && attempt <= 2 { attempt + 1 } else { 0 }
}

/// Events that no run waits for, or that a finished one may not take.
fn unwanted(life: &Life<'_>) -> Vec<Event> {
    let (at, attempt, call) = (Default::default(), 77, CallId { step: "S0".into(), call: 0 });
    let failure = Failure::new(ErrorClass::Connection, "ONEX4001", "down");
    let mut events = vec![
        life.records[0].clone(),
        Event::Computed { step: "S0".into(), result: Ok(Value::Null) },
        Event::CallSucceeded { call: call.clone(), attempt, output: Value::Null, at },
        Event::CallFailed { call: call.clone(), attempt, failure: failure.clone(), at },
        Event::UndoFailed { call: call.clone(), attempt, failure, at },
    ];
    if life.state.is_finished() {
        let timers = [Timer::RunDeadline, Timer::Retry(call.clone()), Timer::RetryUndo(call.clone())];
        events.extend(timers.map(|timer| Event::TimerFired { timer, at }));
        events.extend([Event::CancelRequested { at }, Event::PauseRequested { at }, Event::ResumeRequested { at }]);
        events.push(Event::UndoSucceeded { call, at });
        events.extend(life.records.iter().cloned());
    }
    events
}

fn check_refusals(life: &mut Life<'_>) {
    let before = format!("{:?}", life.state);
    for event in unwanted(life) {
        life.state.apply(event.clone()).expect_err(&format!("nothing asked for {event:?}"));
    }
    assert_eq!(format!("{:?}", life.state), before, "what was refused changed nothing");
}

/// Where an intent's kind stands in the contract.
fn place(plan: &Plan, kind: &str) -> usize {
    plan.index_of(&kind.split('.').next().unwrap_or_default().into()).expect("a step of the plan")
}

fn check_undoing(life: &Life<'_>) {
    let calls = |pick: fn(&Line) -> Option<&CallId>| {
        let mut calls: Vec<CallId> = Vec::new();
        life.story.iter().filter_map(pick).for_each(|call| {
            if !calls.contains(call) {
                calls.push(call.clone());
            }
        });
        calls
    };
    let mut succeeded = calls(|line| match line {
        Line::Happened(Event::CallSucceeded { call, .. }) => Some(call),
        _ => None,
    });
    let undone = calls(|line| match line {
        Line::Asked(Command::Undo { call, .. }) => Some(call),
        _ => None,
    });
    succeeded.reverse();
    assert!(
        undone.is_empty() || undone == succeeded,
        "all, in the reverse of their order: {undone:?} of {succeeded:?}"
    );
    let has_failed = ["failed", "cancelled"].contains(&life.outcome().status.as_str());
    assert!(has_failed || undone.is_empty(), "nothing is undone in a run that went well");
    assert!(
        !(has_failed && life.plan.rollback.value) || undone == succeeded,
        "all is undone when the contract says so"
    );
}

/// How the steps of a run ended, without times.
fn told(scenario: &Scenario) -> Vec<(String, String, Option<String>, u32)> {
    let plan = scenario.plan();
    let steps = Life::of(scenario, &plan).outcome().steps.into_iter();
    steps.map(|step| (step.step.to_string(), step.ended, step.code, step.attempts)).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn r31_every_step_ends_in_exactly_one_way(scenario in scenario()) {
        let plan = scenario.plan();
        let life = Life::of(&scenario, &plan);
        let outcome = life.outcome();
        let told: Vec<_> = outcome.steps.iter().map(|step| &step.step).collect();
        assert_eq!(told, plan.steps.iter().map(|step| &step.id).collect::<Vec<_>>());
        assert!(outcome.steps.iter().all(|step| ["done", "failed", "skipped"].contains(&step.ended.as_str())));
        let computed = life.story.iter().filter_map(|line| match line {
            Line::Asked(Command::Compute { step }) => Some(step),
            _ => None,
        });
        let computed: Vec<_> = computed.collect();
        assert_eq!(computed.iter().collect::<BTreeSet<_>>().len(), computed.len(), "each is computed once");
        ends(&life).iter().for_each(|(step, ended)| check_end(&life, step, ended));
    }

    #[test]
    fn o09_no_step_starts_before_its_dependencies_are_satisfied(scenario in scenario()) {
        let plan = scenario.plan();
        let life = Life::of(&scenario, &plan);
        for (position, line) in life.story.iter().enumerate() {
            if let Some(step) = begun(line) {
                check_begin(&life, position, step);
            }
        }
    }

    #[test]
    fn r13_no_more_than_the_limit_run_at_once(scenario in scenario()) {
        let plan = scenario.plan();
        check_limit(&Life::of(&scenario, &plan));
    }

    #[test]
    fn r13_no_more_calls_of_a_step_than_it_allows_run_at_once(scenario in scenario()) {
        let plan = scenario.plan();
        check_instances(&Life::of(&scenario, &plan));
    }

    #[test]
    fn r30_a_paused_run_begins_nothing(scenario in scenario()) {
        let plan = scenario.plan();
        check_pause(&Life::of(&scenario, &plan).story);
    }

    #[test]
    fn r14_results_are_told_in_the_order_of_the_contract(scenario in scenario()) {
        let plan = scenario.plan();
        let outcome = Life::of(&scenario, &plan).outcome();
        let places: Vec<_> = outcome.intents.iter().map(|intent| place(&plan, &intent.intent_kind)).collect();
        assert!(places.is_sorted(), "{places:?}");
    }

    #[test]
    fn r14_when_everything_goes_on_the_end_does_not_depend_on_the_order_of_answers(
        scenario in scenario(),
        order in prop::collection::vec(any::<u8>(), 1..80),
    ) {
        let scenario = scenario.without_stops();
        assert_eq!(told(&scenario.reordered(vec![0])), told(&scenario.reordered(order)));
    }

    #[test]
    fn r01_an_effect_is_asked_for_again_only_after_a_failure_that_may_pass(scenario in scenario()) {
        let plan = scenario.plan();
        check_repeats(&Life::of(&scenario, &plan).story);
    }

    #[test]
    fn r30_a_finished_run_accepts_nothing_and_a_refused_event_changes_nothing(scenario in scenario(), cut in 1..40_usize) {
        let plan = scenario.plan();
        let mut life = Life::of(&scenario, &plan);
        check_refusals(&mut life);
        let cut = cut.min(life.records.len());
        check_refusals(&mut Life::read(&scenario, &plan, &life.records[..cut]));
    }

    #[test]
    fn r15_the_fold_of_the_records_is_the_state_that_was_lived_through(scenario in scenario()) {
        let plan = scenario.plan();
        let life = Life::of(&scenario, &plan);
        let read = Life::read(&scenario, &plan, &life.records);
        assert_eq!(read.tellings, life.tellings);
    }

    #[test]
    fn r15_a_run_that_dies_anywhere_repeats_only_what_was_in_flight(scenario in scenario()) {
        let plan = scenario.plan();
        let life = Life::of(&scenario, &plan);
        for cut in 1..life.records.len() {
            let story = Life::read(&scenario, &plan, &life.records[..cut]).lived().story;
            let succeeded: Vec<_> = story.iter().filter_map(|line| match line {
                Line::Happened(Event::CallSucceeded { call, .. }) => Some(call),
                _ => None,
            }).collect();
            assert_eq!(succeeded.iter().collect::<BTreeSet<_>>().len(), succeeded.len(), "an effect succeeds once");
            let death = story.iter().position(|line| *line == Line::Died).expect("it died");
            let again = story[death..].iter().filter(|line| matches!(line, Line::Asked(Command::Dispatch { .. })));
            let before = story[..death].iter().filter(|line| matches!(line, Line::Happened(Event::CallSucceeded { .. })));
            let before: BTreeSet<_> = before.filter_map(|line| about_call(line)).collect();
            assert!(again.filter_map(|line| about_call(line)).all(|call| !before.contains(call)), "what is done stays done");
        }
    }

    #[test]
    fn r06_what_is_undone_is_all_of_it_in_the_reverse_of_its_order(scenario in scenario()) {
        let plan = scenario.plan();
        check_undoing(&Life::of(&scenario, &plan));
    }
}

fn about_call(line: &Line) -> Option<&CallId> {
    match line {
        Line::Asked(command) => call_of(command),
        Line::Happened(Event::CallSucceeded { call, .. }) => Some(call),
        _ => None,
    }
}
