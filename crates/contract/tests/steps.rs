//! What steps may say beyond their binding: conditions, lists, error actions, workflows of their own.

use onex_contract::{ErrorAction, Reading, Severity, Source, SystemContract, check_system, read};
use serde_json::json;

const GOOD: &str = r#"
name: fan
contract_version: "1.0.0"
node_type: ORCHESTRATOR
description: Steps that say more than what they are bound to.
input_model: {name: In, module: a.b}
output_model: {name: Out, module: a.b}
consumed_events: [{topic: onex.evt.fan.asked.v1, event_type: Asked}]
workflow_coordination:
  workflow_definition:
    workflow_metadata: {workflow_name: fan, workflow_version: "1.0.0"}
    execution_graph:
      nodes:
        - {node_id: receive, node_type: EFFECT, step_config: {event_pattern: Asked}}
        - node_id: send
          node_type: EFFECT
          depends_on: [receive]
          enabled: true
          skip_on_failure: true
          error_action: continue
          condition: [input.count > 0, steps.receive.output.kind == mail]
          for_each: "${input.items}"
          max_parallel_instances: 4
          max_failures: 2
          timeout_ms: 1000
          retry_count: 1
          step_config: {effect_node: mailer, intent: mail.send, input: {to: "${item}"}}
        - {node_id: child, node_type: ORCHESTRATOR, depends_on: [send], step_config: {workflow: other}}
    coordination_rules: {execution_mode: parallel, synchronization_points: [receive]}
"#;

fn read_text(text: &str) -> Reading {
    read(Source { file: "contract.yaml", text })
}

/// Codes of findings worse than a note, with the text they point at.
fn told(text: &str) -> Vec<(String, String)> {
    let worse = |severity: Severity| severity != Severity::Note;
    let found = read_text(text).diagnostics.into_iter().filter(|found| worse(found.severity));
    found
        .map(|found| {
            let place = found.span.map(|span| text[span.offset..span.offset + span.length].to_owned());
            (found.code.to_owned(), place.unwrap_or_default())
        })
        .collect()
}

#[test]
fn every_key_of_a_step_is_read() {
    assert_eq!(told(GOOD), []);
    let contract = read_text(GOOD).contract.expect("sound");
    let step = &contract.steps()[1];
    assert_eq!(
        (step.enabled, step.skip_on_failure, step.error_action),
        (Some(true), Some(true), Some(ErrorAction::Continue))
    );
    assert_eq!(step.condition, ["input.count > 0", "steps.receive.output.kind == mail"]);
    assert_eq!(step.for_each, Some(json!("${input.items}")));
    assert_eq!((step.max_parallel_instances, step.max_failures), (Some(4), Some(2)));
    assert_eq!((step.timeout_ms, step.max_retries), (Some(1000), Some(1)));
    assert_eq!(contract.steps()[2].step_config.workflow.as_deref(), Some("other"));
}

#[test]
fn what_a_step_says_wrongly_is_found_at_its_place() {
    for (from, to, code, place) in [
        ("input.count > 0", "input.count ~ 0", "ONEX0061", "condition"),
        ("error_action: continue", "error_action: ignore", "ONEX0005", "ignore"),
        ("for_each: \"${input.items}\"", "for_each: input.items", "ONEX0045", "input.items"),
        ("for_each: \"${input.items}\"", "for_each: {a: 1}", "ONEX0005", "for_each"),
        (", intent: mail.send", "", "ONEX0045", "\"${input.items}\""),
        ("max_parallel_instances: 4", "max_parallel_instances: 0", "ONEX0030", "0"),
        ("max_parallel_instances: 4", "max_parallel_instances: 101", "ONEX0030", "101"),
        ("retry_count: 1", "retry_count: 11", "ONEX0030", "11"),
        ("synchronization_points: [receive]", "synchronization_points: [received]", "ONEX0046", "received"),
        ("step_config: {workflow: other}", "step_config: {}", "ONEX0040", "child"),
        ("steps.receive.output.kind == mail", "steps.child.output.kind == mail", "ONEX0047", "condition"),
        ("{to: \"${item}\"}", "{to: \"a ${steps.child.output}\"}", "ONEX0047", "\"a ${steps.child.output}\""),
        ("\"${input.items}\"", "\"${steps.gone.output.x}\"", "ONEX0047", "\"${steps.gone.output.x}\""),
        ("effect_node: mailer,", "effect_node: mailer, for_each: [1],", "ONEX0007", "for_each"),
        ("effect_node: mailer,", "effect_node: mailer, condition: a > 1,", "ONEX0007", "condition"),
    ] {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "`{from}` is part of the text");
        let told = told(&text);
        assert!(told.contains(&(code.to_owned(), place.to_owned())), "{to}: {told:?}");
    }
}

#[test]
fn a_workflow_must_be_one_of_the_system() {
    let other = GOOD.replace("name: fan\n", "name: other\n");
    let effect = "name: other\nnode_type: EFFECT\ncontract_version: \"1.0.0\"\n";
    for (second, expected) in
        [("name: third\nnode_type: COMPUTE\n", Some("ONEX0081")), (effect, Some("ONEX0082")), (&other, None)]
    {
        let (first, second) = (read_text(GOOD).contract.expect("sound"), read_text(second).contract.expect("readable"));
        let system =
            [SystemContract { file: "a.yaml", contract: &first }, SystemContract { file: "b.yaml", contract: &second }];
        let about = |path: &str| path.ends_with("workflow");
        let found = check_system(&system, &[]).into_iter().find(|found| about(&found.path.to_string()));
        assert_eq!(found.map(|found| found.code), expected);
    }
}
