//! What each difference between two contracts is called. The base contracts are changed in one place per row.

#![expect(clippy::expect_used, reason = "a test reports by panicking")]

use std::path::Path;

use onex_contract::{Change, Contract, Source, diff, read};

const ORCHESTRATOR: &str = r#"name: greeter
node_type: ORCHESTRATOR
contract_version: "1.2.0"
description: Greets.
input_model: {name: Hello, module: greeting.models}
workflow_coordination:
  workflow_definition:
    workflow_metadata: {workflow_name: greeting, workflow_version: {major: 1, minor: 0, patch: 0}}
    execution_graph:
      nodes:
        - {node_id: receive, node_type: effect, step_config: {event_pattern: Hello}}
        - {node_id: decide, node_type: reducer, depends_on: [receive], step_config: {reducer_protocol: greeter_reducer}}
        - {node_id: act, node_type: effect, depends_on: [decide], step_config: {effect_node: mail_effect, intent_filter: "mail.*"}}
        - {node_id: tell, node_type: effect, depends_on: [act], step_config: {event_type: Greeted, input: {to: "${input.to}"}}}
    coordination_rules: {failure_recovery_strategy: retry, max_retries: 3, timeout_ms: 30000}
consumed_events:
  - {topic: "onex.evt.hello.said.v1", event_type: Hello}
  - {topic: "onex.evt.hello.waved.v1", event_type: Wave}
published_events:
  - {topic: "onex.evt.hello.greeted.v1", event_type: Greeted}
intent_consumption:
  subscribed_intents: [mail.send]
  intent_routing_table: {mail.send: mail_effect}
dependencies:
  - {name: greeter_reducer, type: node, module: greeting.greeter_reducer}
error_handling:
  retry_policy: {max_retries: 3, retry_on: [TimeoutError, ConnectionError]}
  circuit_breaker: {failure_threshold: 5}
  error_types: [{name: Rude, recoverable: true}]
metadata: {author: somebody}
"#;

const REDUCER: &str = r#"name: greeter_reducer
node_type: REDUCER
contract_version: "0.3.0"
state_machine:
  initial_state: idle
  states: [idle, greeted, gone]
  terminal_states: [gone]
  transitions:
    - {from_state: idle, to_state: greeted, trigger: said}
    - {from_state: greeted, to_state: gone, trigger: left, conditions: [{expression: "count > 1"}]}
    - {from_state: greeted, to_state: idle, trigger: left}
"#;

const EFFECT: &str = r#"name: mail_effect
node_type: EFFECT
contract_version: "1.0.0"
event_bus:
  subscribe_topics: ["onex.cmd.mail.send.v1"]
  publish_topics: ["onex.evt.mail.sent.v1"]
io_operations:
  - {operation: mail.send, idempotent: true, description: Sends.}
  - {operation: mail.recall}
"#;

fn contract(text: &str) -> Contract {
    let reading = read(Source { file: "contract.yaml", text });
    let contract = reading.contract.expect("readable");
    assert!(
        reading.diagnostics.iter().all(|finding| !finding.code.starts_with("ONEX000")),
        "{:?}",
        reading.diagnostics
    );
    contract
}

fn line(change: &Change) -> String {
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let Change { class, path, what, before, after } = change;
    format!("{class:<11} | {path} | {what} | {} -> {}", shown(before), shown(after))
}

fn changes(old: &str, new: &str) -> Vec<String> {
    diff(&contract(old), &contract(new)).iter().map(line).collect()
}

/// The base with each replacement made, and what is said of it.
fn report(base: &str, rows: &[(&str, &str)]) -> String {
    let mut report = String::new();
    for (before, after) in rows {
        assert!(base.contains(before), "`{before}` is in the base");
        let edited = base.replacen(before, after, 1);
        report.push_str(&format!("- {before}\n+ {after}\n"));
        changes(base, &edited).iter().for_each(|line| report.push_str(&format!("    {line}\n")));
    }
    report
}

#[test]
fn what_says_the_same_is_no_difference() {
    for (base, before, after) in [
        (ORCHESTRATOR, "node_type: ORCHESTRATOR", "node_type: orchestrator_generic"),
        (ORCHESTRATOR, "contract_version: \"1.2.0\"", "contract_version: {major: 1, minor: 2, patch: 0}"),
        (ORCHESTRATOR, "name: greeter\n", "node_name: greeter\n"),
        (ORCHESTRATOR, "topic: \"onex.evt.hello.said.v1\"", "topic: \"{env}.{namespace}.onex.evt.hello.said.v1\""),
        (ORCHESTRATOR, "event_pattern: Hello", "event_pattern: [Hello]"),
        (ORCHESTRATOR, "[TimeoutError, ConnectionError]", "[ConnectionError, TimeoutError]"),
        (ORCHESTRATOR, "failure_recovery_strategy: retry", "failure_recovery_strategy: RETRY"),
        (ORCHESTRATOR, "node_id: tell, node_type: effect", "step_id: tell, step_type: EFFECT_GENERIC"),
        (ORCHESTRATOR, "depends_on: [act]", "dependencies: [act]"),
        (ORCHESTRATOR, "{name: Hello, module: greeting.models}", "greeting.models.Hello"),
        (ORCHESTRATOR, "name: greeter\n", "# a comment\n\"name\":   'greeter'\n"),
        (ORCHESTRATOR, "timeout_ms: 30000}", "}\n  timeout_ms: 30000"),
        (ORCHESTRATOR, "timeout_ms: 30000}", "timeout_ms: 30000}\n  timeout_ms: 40000"),
        (REDUCER, "state_machine:", "fsm:"),
        (
            REDUCER,
            "{from_state: idle, to_state: greeted, trigger: said}",
            "{from: idle, to: greeted, trigger: said, priority: 0, transition_name: hi}",
        ),
        (REDUCER, "states: [idle, greeted, gone]", "states: [{name: gone}, {state_name: idle}, greeted]"),
        (
            REDUCER,
            "conditions: [{expression: \"count > 1\"}]",
            "conditions: [{expression: \"count > 1\"}, {expression: \"maybe\", required: false}]",
        ),
        (EFFECT, "  subscribe_topics: [\"onex.cmd.mail.send.v1\"]", "  subscribe: {topic: \"onex.cmd.mail.send.v1\"}"),
        (
            EFFECT,
            "publish_topics: [\"onex.evt.mail.sent.v1\"]",
            "publish: {success_topic: \"dev.mail.onex.evt.mail.sent.v1\"}",
        ),
    ] {
        assert!(base.contains(before), "`{before}` is in the base");
        assert_eq!(changes(base, &base.replacen(before, after, 1)), Vec::<String>::new(), "{after}");
    }
}

#[test]
fn an_orchestrators_surface() {
    insta::assert_snapshot!(report(
        ORCHESTRATOR,
        &[
            ("name: greeter\n", "name: welcomer\n"),
            ("node_type: ORCHESTRATOR", "node_type: EFFECT"),
            ("contract_version: \"1.2.0\"", "contract_version: \"1.3.0\""),
            ("description: Greets.", "description: Greets politely."),
            ("author: somebody", "author: somebody else"),
            ("{name: Hello, module: greeting.models}", "{name: Bonjour, module: greeting.models}"),
            ("{name: Hello, module: greeting.models}", "{name: Hello, module: greeting.shapes}"),
            ("input_model: {name: Hello, module: greeting.models}\n", ""),
            ("input_model: ", "output_model: {name: Bye}\ninput_model: "),
            ("onex.evt.hello.said.v1", "onex.evt.hello.said.v2"),
            ("event_type: Hello}\n", "event_type: Hallo}\n"),
            ("  - {topic: \"onex.evt.hello.waved.v1\", event_type: Wave}\n", ""),
            ("consumed_events:\n", "consumed_events:\n  - {topic: \"onex.evt.hello.nodded.v1\", event_type: Nod}\n"),
            ("  - {topic: \"onex.evt.hello.greeted.v1\", event_type: Greeted}\n", "  []\n"),
            ("onex.evt.hello.greeted.v1", "onex.evt.hello.welcomed.v1"),
            ("intent_routing_table: {mail.send: mail_effect}", "intent_routing_table: {}"),
            (
                "intent_routing_table: {mail.send: mail_effect}",
                "intent_routing_table: {mail.send: post_effect, mail.recall: mail_effect}"
            ),
            ("subscribed_intents: [mail.send]", "subscribed_intents: [mail.send, mail.recall]"),
            ("module: greeting.greeter_reducer", "module: greeting.other_reducer"),
            ("dependencies:\n", "dependencies:\n  - {name: clock, type: service}\n"),
            ("metadata: {author", "terminal_event: onex.evt.hello.ended.v1\nmetadata: {author"),
        ]
    ));
}

#[test]
fn an_orchestrators_program_and_rules() {
    insta::assert_snapshot!(report(
        ORCHESTRATOR,
        &[
            ("event_pattern: Hello", "event_pattern: Wave"),
            (
                "        - {node_id: tell, node_type: effect, depends_on: [act], step_config: {event_type: Greeted, input: {to: \"${input.to}\"}}}\n",
                ""
            ),
            ("      nodes:\n", "      nodes:\n        - {node_id: think, node_type: compute, depends_on: [receive]}\n"),
            ("depends_on: [act]", "depends_on: [decide]"),
            (
                "      nodes:\n        - {node_id: receive, node_type: effect, step_config: {event_pattern: Hello}}\n        - {node_id: decide, node_type: reducer, depends_on: [receive], step_config: {reducer_protocol: greeter_reducer}}\n",
                "      nodes:\n        - {node_id: decide, node_type: reducer, depends_on: [receive], step_config: {reducer_protocol: greeter_reducer}}\n        - {node_id: receive, node_type: effect, step_config: {event_pattern: Hello}}\n"
            ),
            ("effect_node: mail_effect", "effect_node: post_effect"),
            ("reducer_protocol: greeter_reducer", "reducer_protocol: other_reducer"),
            ("{to: \"${input.to}\"}", "{to: \"${input.from}\"}"),
            ("timeout_ms: 30000", "timeout_ms: 60000, rollback_enabled: true"),
            ("failure_recovery_strategy: retry, ", ""),
            ("retry_policy: {max_retries: 3", "retry_policy: {max_retries: 5"),
            ("failure_threshold: 5", "failure_threshold: 9"),
            ("recoverable: true", "recoverable: false"),
            ("workflow_name: greeting", "workflow_name: greetings"),
            ("node_id: tell,", "node_id: tell, contract_ref: elsewhere,"),
        ]
    ));
}

#[test]
fn a_reducers_table() {
    insta::assert_snapshot!(report(
        REDUCER,
        &[
            ("states: [idle, greeted, gone]", "states: [idle, greeted, gone, lost]"),
            ("states: [idle, greeted, gone]", "states: [idle, gone]"),
            ("initial_state: idle", "initial_state: greeted"),
            ("terminal_states: [gone]", "terminal_states: []"),
            ("terminal_states: [gone]", "terminal_states: [gone]\n  error_states: [idle]"),
            ("to_state: greeted, trigger: said", "to_state: gone, trigger: said"),
            ("    - {from_state: idle, to_state: greeted, trigger: said}\n", ""),
            ("  transitions:\n", "  transitions:\n    - {from_state: \"*\", to_state: gone, trigger: stop}\n"),
            ("count > 1", "count > 2"),
            (
                "{from_state: greeted, to_state: idle, trigger: left}",
                "{from_state: greeted, to_state: idle, trigger: left, priority: 9}"
            ),
        ]
    ));
}

#[test]
fn an_effects_operations_and_topics() {
    insta::assert_snapshot!(report(
        EFFECT,
        &[
            ("  - {operation: mail.recall}\n", ""),
            ("  - {operation: mail.recall}\n", "  - {operation: mail.recall}\n  - {operation: mail.read}\n"),
            ("idempotent: true, ", ""),
            ("io_operations:", "descriptor: {idempotent: true}\nio_operations:"),
            ("description: Sends.", "description: Sends a mail."),
            ("[\"onex.cmd.mail.send.v1\"]", "[]"),
            ("[\"onex.evt.mail.sent.v1\"]", "[\"onex.evt.mail.sent.v1\", \"onex.evt.mail.bounced.v1\"]"),
        ]
    ));
}

#[test]
fn a_breaking_change_is_announced_by_the_version() {
    let broken = |base: &str, version: &str, to: &str, before: &str| {
        let edited = base.replacen(version, to, 1).replacen(before, "", 1);
        changes(base, &edited).iter().any(|line| line.contains("breaking without a major version"))
    };
    let (route, state) = ("mail.send: mail_effect", ", gone]\n  terminal");
    for (base, version, to, removed, is_unannounced) in [
        (ORCHESTRATOR, "1.2.0", "1.2.0", route, true),
        (ORCHESTRATOR, "1.2.0", "1.3.0", route, true),
        (ORCHESTRATOR, "1.2.0", "2.0.0", route, false),
        (ORCHESTRATOR, "1.2.0", "0.9.0", route, true),
        (ORCHESTRATOR, "1.2.0", "1.3.0", "author: somebody", false),
        (EFFECT, "1.0.0", "1.0.0", "  - {operation: mail.recall}\n", true),
    ] {
        assert_eq!(broken(base, version, to, removed), is_unannounced, "{version} to {to} without `{removed}`");
    }
    let edited = |version: &str| REDUCER.replacen("0.3.0", version, 1).replacen(state, "]\n  x-terminal", 1);
    for (version, is_unannounced) in [("0.3.1", true), ("0.4.0", false), ("1.0.0", false)] {
        let said = changes(REDUCER, &edited(version)).concat();
        assert_eq!(said.contains("breaking without"), is_unannounced, "{version}: {said}");
    }
}

#[test]
fn a_node_that_becomes_something_else_is_told_once_per_part() {
    let said = changes(ORCHESTRATOR, REDUCER);
    assert!(said.iter().any(|line| line.contains("the workflow is gone")), "{said:#?}");
    assert!(!said.iter().any(|line| line.contains("step `")), "steps of a workflow that is gone: {said:#?}");
}

/// Two versions of one contract, seven months apart.
#[test]
fn two_real_versions() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let text = |path: &str| std::fs::read_to_string(corpus.join(path)).ok();
    let nodes = "src/omnibase_infra/nodes/node_registration_orchestrator";
    let december = text(&format!("omnibase_infra@735d873d4/{nodes}/v1_0_0/contract.yaml"));
    let july = text(&format!("omnibase_infra/{nodes}/contract.yaml"));
    let (Some(december), Some(july)) = (december, july) else { return };
    let read = |text: &str| read(Source { file: "contract.yaml", text }).contract.expect("readable");
    let said: Vec<_> = diff(&read(&december), &read(&july)).iter().map(line).collect();
    insta::assert_snapshot!(said.join("\n"));
}

/// Every contract of the corpus that can be read.
fn corpus(directory: &Path) -> Vec<(String, Contract)> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    let contracts = paths.into_iter().flat_map(|path| {
        if path.is_dir() {
            return corpus(&path);
        }
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let file = path.display().to_string();
        let contract = read(Source { file: &file, text: &text }).contract;
        contract.map(|contract| (file, contract)).into_iter().collect()
    });
    contracts.collect()
}

#[test]
fn real_contracts_equal_themselves_and_say_nothing_that_the_table_does_not_know() {
    let minimal = contract("name: none\nnode_type: COMPUTE\ncontract_version: \"0.0.1\"\n");
    for (file, contract) in corpus(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus")) {
        assert_eq!(diff(&contract, &contract), [], "{file}");
        for change in diff(&minimal, &contract).into_iter().chain(diff(&contract, &minimal)) {
            assert!(!change.what.contains("what that means is not known"), "{file}: {change:?}");
            assert!(!change.what.contains("{}"), "{file}: {change:?}");
        }
    }
}
