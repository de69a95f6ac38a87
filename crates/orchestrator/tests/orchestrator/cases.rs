//! Sections 19.1 and 19.2 of the semantics: what makes a plan, in which order steps come, and how many run
//! at once.

use onex_journal::RunStatus;
use onex_node::{NodeRegistry, StepId};
use onex_orchestrator::{Command, Event, NodeOrchestrator, PlanError, RunState, Start};
use serde_json::{Value, json};

use crate::support::{Case, Deed, RUN};

/// The problems of a graph of pure steps.
fn problems(graph: &str) -> Vec<String> {
    let reading = Case::bare(graph).reading();
    let errors = reading.diagnostics.iter().filter(|diagnostic| diagnostic.severity == onex_contract::Severity::Error);
    errors.map(|diagnostic| diagnostic.message.clone()).collect()
}

#[test]
fn v01_to_v05_unsound_graphs_are_refused_and_told() {
    for (case, graph, problem) in [
        ("V-01", "A+,A+", "Execution graph has duplicate node_id values: ['A']"),
        ("V-02", "A+(Z)", "Execution graph node 'A' depends on undeclared node_id(s): ['Z']"),
        ("V-03", "A+(B),B+(A)", "Execution graph contains a cycle (must be a DAG)"),
        ("V-04", "A+(A)", "Execution graph contains a cycle (must be a DAG)"),
        ("V-05", "A+(Z,A)", "Execution graph node 'A' depends on undeclared node_id(s): ['Z']"),
    ] {
        let found = problems(graph);
        assert!(found.iter().any(|message| message.starts_with(problem)), "{case}: {found:?}");
        let refused = NodeOrchestrator::from_reading(&Case::bare(graph).reading(), &NodeRegistry::new());
        assert!(matches!(refused, Err(PlanError::Unsound { .. })), "{case}");
    }
}

/// The steps in the order they are considered, and the order they are declared in.
fn order(graph: &str) -> (String, String) {
    let plan = Case::bare(graph).plan();
    let names = |indices: &mut dyn Iterator<Item = usize>| {
        indices.map(|index| plan.steps[index].id.to_string()).collect::<Vec<_>>().join(",")
    };
    (names(&mut plan.order.iter().copied()), names(&mut (0..plan.steps.len())))
}

#[test]
fn v06_v12_o01_to_o12_order_is_topological_with_declaration_as_tie_break() {
    for (case, graph, ordered, declared) in [
        ("V-06", "B+(A),A+", "A,B", "B,A"),
        ("V-06 empty, O-12", "", "", ""),
        ("V-06 twice, O-04", "B+(A,A),A+", "A,B", "B,A"),
        ("V-12, O-08", "A+,B+(A),C+(A),D+(B,C)", "A,B,C,D", "A,B,C,D"),
        ("O-01", "A+,B+(A),C+", "A,B,C", "A,B,C"),
        ("O-03", "C+(B),B+(A),A+", "A,B,C", "C,B,A"),
        ("O-05 to O-07", "C+,A+,B+", "C,A,B", "C,A,B"),
        ("O-09", "F+(E,C),A+,E+(D),B+(A),D+(A),C+(B)", "A,B,D,E,C,F", "F,A,E,B,D,C"),
    ] {
        assert_eq!(order(graph), (ordered.to_owned(), declared.to_owned()), "{case}");
    }
}

fn of_kept(graph: &str) -> Result<NodeOrchestrator, PlanError> {
    let kept = Case::bare(graph).reading().canonical;
    NodeOrchestrator::from_canonical(&kept, onex_contract::Fingerprint::of(&kept).as_str(), &NodeRegistry::new())
}

#[test]
fn o10_a_cycle_that_was_kept_makes_no_plan() {
    let error = of_kept("A+(B),B+(A)").expect_err("a cycle");
    assert_eq!(error.to_string(), "cannot compute execution order: workflow contains cycles");
}

#[test]
fn o78_r16_a_contract_that_was_changed_where_it_was_kept_makes_no_orchestrator() {
    let case = Case::of("A,B(A)");
    let reading = case.reading();
    let fingerprint = reading.fingerprint.as_ref().expect("a contract").as_str();
    let of = |kept: &str| NodeOrchestrator::from_canonical(kept, fingerprint, &case.nodes().0);
    of(&reading.canonical).expect("what was kept");
    let error = of(&reading.canonical.replace("\"A.do\"", "\"B.do\"")).expect_err("another content");
    assert_eq!((error.code(), matches!(error, PlanError::Changed { .. })), ("ONEX2006", true));
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
    let mut commands = state.apply(started()).expect("a run starts");
    for index in 0..1000 {
        assert_eq!(commands, [Command::Compute { step: StepId::from(name(index).as_str()) }]);
        commands = state
            .apply(Event::Computed { step: StepId::from(name(index).as_str()), result: Ok(json!(1)) })
            .expect("asked for");
    }
    assert_eq!(commands, [Command::Finish]);
}

fn started() -> Event {
    Event::Started(Box::new(Start::new(Default::default(), Value::Null)))
}

/// Runs a graph of effects; the attempts in the order they began, and the result.
async fn run(case: &Case) -> (String, String) {
    let world = case.world();
    let end = world.run().await.expect("it ends");
    let began = world.script.done().began.join(",");
    (began, world.told(&end))
}

#[tokio::test(start_paused = true)]
async fn o01_o02_o17_effects_begin_in_the_order_of_the_mode() {
    for (case, graph, mode, began) in [
        ("O-01", "A,B(A),C", "sequential", "A,B,C"),
        ("O-01 serial", "A,B(A),C", "serial", "A,B,C"),
        ("O-02", "A,B(A),C", "parallel", "A,C,B"),
        ("O-03", "C(B),B(A),A", "sequential", "A,B,C"),
        ("O-04", "B(A,A),A", "parallel", "A,B"),
        ("O-08", "A,B(A),C(A),D(B,C)", "parallel", "A,B,C,D"),
        ("O-17", "A,B(A),C", "batch", "A,B,C"),
    ] {
        let (found, told) = run(&Case::of(graph).rules(&format!("execution_mode: {mode}"))).await;
        assert_eq!(found, began, "{case}");
        assert!(told.ends_with("succeeded"), "{case}: {told}");
    }
}

#[tokio::test(start_paused = true)]
async fn o12_a_run_without_steps_succeeds() {
    let (began, told) = run(&Case::bare("")).await;
    assert_eq!((began.as_str(), told.as_str()), ("", "succeeded"));
}

#[tokio::test(start_paused = true)]
async fn o18_a_hundred_independent_steps_are_all_done_and_told_as_declared() {
    let names: Vec<_> = (0..100).map(|index| format!("S{index}")).collect();
    let case = Case::of(&names.join(",")).rules("execution_mode: parallel, max_parallel_branches: 100");
    let world = names.iter().fold(case, |case, name| case.script(name, &[Deed::Takes(10)])).world();
    let end = world.run().await.expect("it ends");
    assert_eq!(world.told(&end), format!("done[{}] succeeded", names.join(",")));
    assert_eq!(world.script.done().most_running, 100);
}

#[tokio::test(start_paused = true)]
async fn o19_o20_the_same_input_gives_the_same_run() {
    let case = Case::of("A,B(A),C,D!(C),E(B),S&(D,E),P>(S)").rules("execution_mode: parallel");
    let mut ends = Vec::new();
    for _ in 0..5 {
        let world = case.world();
        ends.push((world.run().await.expect("it ends"), world.stored().await, world.script.done().keys.clone()));
    }
    assert!(ends.iter().all(|end| *end == ends[0]), "{ends:#?}");
}

#[tokio::test(start_paused = true)]
async fn r13_never_more_run_than_the_smallest_limit_and_results_come_as_declared() {
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
        let world = case.world();
        let end = world.run().await.expect("it ends");
        assert_eq!(world.script.done().most_running, limit, "{rules}");
        assert_eq!(world.told(&end), format!("done[{graph}] succeeded"));
    }
}

#[tokio::test(start_paused = true)]
async fn r14_c06_a_later_step_that_ends_first_is_told_later() {
    let case = Case::of("A,B").rules("execution_mode: parallel").script("A", &[Deed::Takes(500)]);
    let world = case.world();
    let end = world.run().await.expect("it ends");
    assert_eq!(world.script.done().succeeded, ["B", "A"]);
    assert_eq!(world.told(&end), "done[A,B] succeeded");
    let kinds: Vec<_> = end.outcome.intents.iter().map(|intent| intent.intent_kind.as_str()).collect();
    assert_eq!((kinds, end.outcome.status), (vec!["A.do", "B.do"], RunStatus::Succeeded));
}
