//! Section 19.2: in which order steps come, how many run at once, and what of that is the same in every run.

use std::time::Duration;

use onex_contract::{ExecutionMode, Fingerprint};
use onex_journal::RunStatus;
use onex_node::{NodeRegistry, RunId, StepId};
use onex_orchestrator::{Command, Event, NodeOrchestrator, PlanError, RunState};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{begins, ends, parallel, paused, sequential, table};
use crate::support::{Case, Deed, RUN, started};

fn batch(graph: &str) -> Case {
    Case::of(graph).rules("execution_mode: batch")
}

/// A case whose steps all take a while, so that those of one wave are under way together.
fn slow(case: Case) -> Case {
    let names: Vec<_> = case.steps().iter().map(|step| step.name.clone()).collect();
    names.iter().fold(case, |case, name| case.script(name, &[Deed::Takes(10)]))
}

table! { begins:
    o01 sequential("A,B(A),C") => "A,B,C";
    o01_serial Case::of("A,B(A),C").rules("execution_mode: serial") => "A,B,C";
    o01_batch batch("A,B(A),C") => "A,B,C";
    o02 slow(parallel("A,B(A),C")) => "A,C,B";
    o03 sequential("C(B),B(A),A") => "A,B,C";
    o04 parallel("B(A,A),A") => "A,B";
    o05 sequential("A[priority: 10],B[priority: 1]") => "A,B";
    o05_parallel parallel("A[priority: 10],B[priority: 1]") => "A,B";
    o06 sequential("A[order_index: 2],B[order_index: 1],C[order_index: 0]") => "A,B,C";
    o07 slow(parallel("A[parallel_group: g1],B[parallel_group: g2],C[parallel_group: g1]")) => "A,B,C";
    o08 slow(parallel("A,B(A),C(A),D(B,C)")) => "A,B,C,D";
    o09 sequential("F(E,C),A,E(D),B(A),D(A),C(B)") => "A,B,D,E,C,F";
}

table! { ends:
    o04_told parallel("B(A,A),A") => "done[B,A] SUCCEEDED";
    o12 Case::bare("") => "SUCCEEDED";
    o17 batch("A,B~") => "done[A] skip[B] SUCCEEDED";
}

/// The contract's mode, as it is settled over all places that declare one.
fn settles(case: Case, expected: ExecutionMode) {
    assert_eq!(case.plan().mode.value, expected);
}

table! { settles:
    o13_c11 Case::bare("").metadata("workflow_name: w, execution_mode: sequential").rules("execution_mode: parallel") => ExecutionMode::Parallel;
    o14_sequential Case::of("A").metadata("workflow_name: w, execution_mode: sequential") => ExecutionMode::Sequential;
    o14_parallel Case::of("A").metadata("workflow_name: w, execution_mode: parallel") => ExecutionMode::Parallel;
    o15 Case::of("A,B").metadata("workflow_name: w, execution_mode: parallel") => ExecutionMode::Parallel;
    o16 Case::of("A,B").metadata("workflow_name: w, execution_mode: sequential").rules("execution_mode: parallel") => ExecutionMode::Parallel;
    o17_mode batch("A,B~") => ExecutionMode::Batch;
}

fn of_kept(graph: &str) -> Result<NodeOrchestrator, PlanError> {
    let kept = Case::bare(graph).reading().canonical;
    NodeOrchestrator::from_canonical(&kept, Fingerprint::of(&kept).as_str(), &NodeRegistry::new())
}

#[test]
fn o10_a_cycle_that_was_kept_makes_no_plan() {
    let error = of_kept("A+(B),B+(A)").expect_err("a cycle");
    assert_eq!(error.to_string(), "cannot compute execution order: workflow contains cycles");
}

#[test]
fn o11_an_unknown_dependency_is_ignored_for_the_order() {
    let orchestrator = of_kept("B+(A,Z),A+").expect("a plan");
    assert_eq!(orchestrator.plan().order, [1, 0]);
}

#[test]
fn v31_a_chain_of_a_thousand_declared_deepest_first_is_ordered_and_run() {
    let name = |index: usize| format!("S{index}");
    let chain = (1..1000).rev().map(|index| format!("{}+({})", name(index), name(index - 1)));
    let graph = chain.chain(["S0+".to_owned()]).collect::<Vec<_>>().join(",");
    let plan = Case::bare(&graph).plan();
    assert_eq!(plan.order, (0..1000).rev().collect::<Vec<_>>());
    let mut state = RunState::new(RUN, plan);
    let mut commands = state.apply(started(&Value::Null)).expect("a run starts");
    for index in 0..1000 {
        assert_eq!(commands, [Command::Compute { step: StepId::from(name(index).as_str()) }]);
        commands = state
            .apply(Event::Computed { step: StepId::from(name(index).as_str()), result: Ok(json!(1)) })
            .expect("asked for");
    }
    assert_eq!(commands, [Command::Finish]);
}

#[test]
fn o15_steps_of_a_parallel_contract_run_at_once() {
    paused(async {
        let world = slow(Case::of("A,B").metadata("workflow_name: w, execution_mode: parallel")).world();
        world.run().await.expect("it ends");
        assert_eq!(world.script.done().most_running, 2);
    });
}

#[test]
fn o18_a_hundred_independent_steps_are_all_done_and_told_as_declared() {
    paused(async {
        let names: Vec<_> = (0..100).map(|index| format!("S{index}")).collect();
        let world = slow(parallel(&names.join(",")).rules("max_parallel_branches: 100")).world();
        let end = world.run().await.expect("it ends");
        assert_eq!(world.told(&end), format!("done[{}] SUCCEEDED", names.join(",")));
        assert_eq!(world.script.done().most_running, 100);
    });
}

#[test]
fn o19_r32_the_same_input_gives_the_same_run() {
    paused(async {
        let case = parallel("A,B(A),C,D!(C),E(B),S&(D,E),P>(S)");
        let mut ends = Vec::new();
        for _ in 0..5 {
            let world = case.world();
            ends.push((world.run().await.expect("it ends"), world.stored().await, world.script.done().keys.clone()));
        }
        assert!(ends.iter().all(|end| *end == ends[0]), "{ends:#?}");
    });
}

#[test]
fn o20_a_run_owes_nothing_to_the_run_before_it() {
    paused(async {
        let world = sequential("A,B!{c},C(A)").world();
        let mut told = Vec::new();
        for run in [1, 2] {
            let request = world.request_of(RunId(Uuid::from_u128(run)));
            let end = world.orchestrator.run(&world.worker, request).await.expect("it ends");
            told.push((world.told(&end), end.outcome.intents));
        }
        assert_eq!(told[0], told[1]);
    });
}

#[test]
fn o21_a_contract_that_was_written_and_read_again_runs_the_same() {
    paused(async {
        let case = parallel("A,B(A),C!{c},D(C)");
        let reading = case.reading();
        let fingerprint = Fingerprint::of(&reading.canonical);
        let kept = NodeOrchestrator::from_canonical(&reading.canonical, fingerprint.as_str(), &case.nodes().0);
        let kept = kept.expect("a plan");
        let (first, second) = (case.world(), case.world());
        let told = first.run().await.expect("it ends");
        let again = kept.run(&second.worker, second.request()).await.expect("it ends");
        assert_eq!(told, again);
    });
}

/// What a step is asked for, in the order it was asked.
fn dispatched(case: &Case) -> Vec<Command> {
    let mut state = RunState::new(RUN, case.plan());
    let input = case.input();
    let mut events = vec![started(&input)];
    let mut dispatched = Vec::new();
    while let Some(event) = events.pop() {
        for command in state.apply(event).expect("asked for") {
            match &command {
                Command::Compute { step } => {
                    let result = Ok(json!({"state": 1, "intents": input["intents"], "settled": [], "refusal": null}));
                    events.push(Event::Computed { step: step.clone(), result });
                }
                Command::Dispatch { call, attempt, .. } => {
                    let (call, attempt) = (call.clone(), *attempt);
                    events.push(Event::CallSucceeded { call, attempt, output: Value::Null, at: Default::default() });
                    dispatched.push(command);
                }
                _ => {}
            }
        }
    }
    dispatched
}

/// Upstream numbers waves and must keep the numbers to itself; here nothing that a node sees depends on when it runs.
#[test]
fn o22_what_a_step_is_asked_for_does_not_tell_when_it_runs() {
    let by_step = |case: Case| {
        let mut dispatched: Vec<_> = dispatched(&case).iter().map(|command| format!("{command:?}")).collect();
        dispatched.sort();
        dispatched
    };
    let one_after_another = by_step(sequential("A,B(A),C,D(B,C)"));
    assert_eq!(one_after_another, by_step(parallel("A,B(A),C,D(B,C)")));
    assert_eq!(one_after_another.len(), 4);
}

#[test]
fn o23_a_step_sees_what_its_dependencies_gave_and_nothing_else() {
    paused(async {
        let world = parallel("A,B,P>(A),Q>(B,A)").world();
        let end = world.run().await.expect("it ends");
        let given = |step: &str| {
            let mut published = end.outcome.publications.iter();
            let published = published.find(|published| published.step.as_str() == step).expect("it publishes");
            published.payload.to_string()
        };
        assert!(given("P").contains(r#"{"of":"A"}"#) && !given("P").contains(r#"{"of":"B"}"#), "{}", given("P"));
        assert!(given("Q").contains(r#"{"of":"A"}"#) && given("Q").contains(r#"{"of":"B"}"#), "{}", given("Q"));
    });
}

#[test]
fn r13_never_more_run_than_the_smallest_limit_and_results_come_as_declared() {
    for (rules, limit) in [
        ("execution_mode: parallel, max_parallel_branches: 3", 3),
        ("execution_mode: parallel", 4),
        ("execution_mode: parallel, max_parallel_branches: 1", 1),
        ("execution_mode: sequential, max_parallel_branches: 3", 1),
        ("execution_mode: parallel, parallel_execution_allowed: false", 1),
    ] {
        let graph = "A,B,C,D,E,F,G,H";
        let case = graph.split(',').enumerate().fold(Case::of(graph).rules(rules), |case, (index, step)| {
            case.script(step, &[Deed::Takes(1_000 - 100 * index as u64)])
        });
        paused(async {
            let world = case.world();
            let end = world.run().await.expect("it ends");
            assert_eq!(world.script.done().most_running, limit, "{rules}");
            assert_eq!(world.told(&end), format!("done[{graph}] SUCCEEDED"));
        });
    }
}

#[test]
fn r14_a_later_step_that_ends_first_is_told_later() {
    paused(async {
        let world = parallel("A,B").script("A", &[Deed::Takes(500)]).world();
        let end = world.run().await.expect("it ends");
        assert_eq!(world.script.done().succeeded, ["B", "A"]);
        assert_eq!(world.told(&end), "done[A,B] SUCCEEDED");
        let kinds: Vec<_> = end.outcome.intents.iter().map(|intent| intent.intent_kind.as_str()).collect();
        assert_eq!((kinds, end.outcome.status), (vec!["A.do", "B.do"], RunStatus::Succeeded));
        assert_eq!(world.worker.clock.now().timestamp_millis(), Duration::from_millis(500).as_millis() as i64);
    });
}
