//! What an operator does to runs from outside: looks at them, pauses, resumes, cancels and retries them, while another
//! process carries them; and what steps say beyond their binding, run by the binary.

#![expect(clippy::expect_used, reason = "a test reports by panicking")]

use onex_tests::process::{Home, event, lines, node, until};
use onex_tests::{ORCHESTRATOR, contract_path, text};
use serde_json::Value;

/// A port where nobody listens.
const NOBODY: &str =
    "registry:\n  backends:\n    consul:\n      address: http://127.0.0.1:9\n    embedded: {}\nbus: memory\n";

/// A home whose runs wait half a minute before they try again.
fn waiting_home() -> Home {
    let home = Home::new();
    let orchestrator = text(&contract_path(ORCHESTRATOR));
    let patient = orchestrator.replace("initial_delay_ms: 100", "initial_delay_ms: 30000");
    let patient =
        patient.replace("max_delay_ms: 5000", "max_delay_ms: 30000").replace("timeout_ms: 30000", "timeout_ms: 600000");
    assert_ne!(patient, orchestrator, "the contract has the delays that are replaced");
    home.write("contracts/orchestrator/contract.yaml", patient);
    home.write("unreachable.yaml", NOBODY);
    home.write("events.jsonl", lines(&[event(node(1), 1)]));
    home
}

fn listed(home: &Home) -> Vec<Value> {
    let listed = home.onex(&["runs", "list", "--json"]).run().expect_code(0);
    serde_json::from_str(&listed.lines.concat()).expect("an array")
}

fn shown(home: &Home, run: &str) -> String {
    home.onex(&["runs", "show", run]).run().expect_code(0).lines.concat()
}

fn ordered(home: &Home, order: &str, run: &str) -> String {
    home.onex(&["runs", order, run]).run().expect_code(0).lines.concat()
}

/// The id of the first run, once its first attempt has failed and it waits.
fn waiting_run(home: &Home) -> String {
    until("a run that waits", || {
        let run = listed(home).first()?["run_id"].as_str()?.to_owned();
        shown(home, &run).contains("call_failed").then_some(run)
    })
}

#[test]
fn a_run_is_paused_resumed_cancelled_and_retried_from_outside() {
    let home = waiting_home();
    let arguments = ["run", "--config", "unreachable.yaml", "--input", "events.jsonl", "--once"];
    let mut running = home.onex(&arguments).start();
    running.wait_for_notice("taking in");
    let run = waiting_run(&home);
    for (order, record) in
        [("pause", "pause_requested"), ("resume", "resume_requested"), ("cancel", "cancel_requested")]
    {
        assert!(ordered(&home, order, &run).contains("will be told"), "{order}");
        until(record, || shown(&home, &run).contains(record).then_some(()));
    }
    let ended = running.end().expect_code(1);
    assert!(ended.stderr.contains("0 failed, 1 cancelled"), "{}", ended.stderr);
    assert_eq!(listed(&home)[0]["status"], "cancelled");

    let retry = ordered(&home, "retry", &run);
    let ended = home.onex(&["run", "--input", "/dev/null", "--once"]).run().expect_code(0);
    assert_eq!(ended.lines.len(), 1, "the retry publishes its result: {}", ended.stderr);
    let newest = &listed(&home)[0];
    assert_eq!(newest["status"], "succeeded");
    assert!(retry.contains(newest["run_id"].as_str().expect("an id")), "{retry}");
}

#[test]
fn orders_that_nobody_can_follow_are_refused_with_a_reason() {
    let home = Home::new();
    let unknown = "6f1c2b9e-0000-4000-8000-000000000000";
    assert!(home.onex(&["runs", "cancel", unknown]).run().expect_code(2).stderr.contains("no journal yet"));
    assert_eq!(home.onex(&["runs", "list"]).run().expect_code(0).lines, ["no runs\n"]);
    home.feed(lines(&[event(node(1), 1)])).expect_code(0);
    let run = listed(&home)[0]["run_id"].as_str().expect("an id").to_owned();
    for (order, run, reason) in [
        ("cancel", unknown, "ONEX5003"),
        ("pause", run.as_str(), "has ended"),
        ("resume", run.as_str(), "has ended"),
        ("cancel", run.as_str(), "has ended"),
    ] {
        let refused = home.onex(&["runs", order, run]).run().expect_code(1);
        assert!(refused.stderr.contains(reason), "{order}: {}", refused.stderr);
    }
    home.onex(&["runs", "show", unknown]).run().expect_code(2);
    home.onex(&["runs", "show", "x"]).run().expect_code(2);
}

const OUTER: &str = r#"
name: outer_orchestrator
node_type: ORCHESTRATOR
contract_version: "1.0.0"
description: Runs another workflow for each endpoint of a node that introduces itself.
input_model: {name: NodeIntrospectionEvent, module: onex.events}
output_model: {name: Told, module: onex.events}
consumed_events: [{topic: onex.evt.platform.node-introspection.v1, event_type: NodeIntrospectionEvent}]
published_events: [{topic: onex.evt.outer.told.v1, event_type: Told}]
workflow_coordination:
  workflow_definition:
    workflow_metadata: {workflow_name: outer, workflow_version: "1.0.0"}
    execution_graph:
      nodes:
        - {node_id: receive, node_type: EFFECT, step_config: {event_pattern: NodeIntrospectionEvent}}
        - node_id: each
          node_type: ORCHESTRATOR
          depends_on: [receive]
          condition: input.node_type exists
          for_each: [a, b, c]
          max_parallel_instances: 2
          step_config: {workflow: inner_orchestrator, input: {letter: "${item}", at: "${index}"}}
        - {node_id: never, node_type: COMPUTE, depends_on: [receive], enabled: false}
        - node_id: tell
          node_type: EFFECT
          depends_on: [each, never]
          step_config: {event_type: Told, input: {letters: "${steps.each.output.results}"}}
"#;

const INNER: &str = r#"
name: inner_orchestrator
node_type: ORCHESTRATOR
contract_version: "1.0.0"
description: Hands on what it is given.
input_model: {name: In, module: onex.events}
output_model: {name: Out, module: onex.events}
workflow_coordination:
  workflow_definition:
    workflow_metadata: {workflow_name: inner, workflow_version: "1.0.0"}
    execution_graph:
      nodes:
        - {node_id: letter, node_type: COMPUTE, step_config: {input: "${input.letter}"}}
"#;

#[test]
fn a_workflow_runs_another_for_each_item_of_a_list() {
    let home = Home::new();
    home.write("contracts/outer/contract.yaml", OUTER);
    home.write("contracts/inner/contract.yaml", INNER);
    let ended = home.feed(lines(&[event(node(1), 1)])).expect_code(0);
    assert!(ended.stderr.contains("wired     orchestrator inner_orchestrator"), "{}", ended.stderr);
    let told: Value = serde_json::from_str(&ended.lines.concat()).expect("one event");
    let results = told["envelope"]["payload"]["letters"].as_array().expect("results");
    let letters: Vec<_> = results.iter().map(|result| &result["output"]["results"]["letter"]).collect();
    assert_eq!(letters, ["a", "b", "c"]);
    let runs = listed(&home);
    let children = runs.iter().filter(|run| run["orchestrator"] == "inner_orchestrator");
    assert!(children.clone().all(|run| run["parent"].is_string() && run["status"] == "succeeded"), "{runs:#?}");
    assert_eq!(children.count(), 3);
}
