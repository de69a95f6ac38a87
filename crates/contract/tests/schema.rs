//! The JSON Schema agrees with the reader: what is read without an error of shape is valid, and what the reader
//! calls an error of shape is not.

#![expect(clippy::panic, clippy::expect_used, reason = "a test says what it misses and stops")]

use std::path::{Path, PathBuf};

use jsonschema::Validator;
use onex_contract::{FileKind, Reading, Source, read, schema};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

fn validator() -> Validator {
    jsonschema::validator_for(schema().as_value()).expect("the schema is one")
}

/// Every file of the corpus that stands alone, with its text.
fn corpus() -> Vec<(PathBuf, String)> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let manifest = std::fs::read_to_string(corpus.join("manifest.json")).unwrap_or_else(|error| {
        panic!("the corpus is missing: {}: {error}; it belongs beside the checkout", corpus.display())
    });
    let files: Vec<Value> = serde_json::from_str(&manifest).expect("the manifest is a list");
    let part = |file: &Value, key: &str| file[key].as_str().unwrap_or_default().to_owned();
    let paths = files.iter().map(|file| corpus.join(part(file, "repo")).join(part(file, "path")));
    let texts = paths.map(|path| (path.clone(), std::fs::read_to_string(path).expect("a text")));
    texts.filter(|(_, text)| !text.contains("!include")).collect()
}

fn reading(text: &str) -> Reading {
    read(Source { file: "contract.yaml", text })
}

fn has_error_of_shape(reading: &Reading) -> bool {
    reading.diagnostics.iter().any(|finding| ["ONEX0005", "ONEX0006"].contains(&finding.code))
}

fn refusals(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn what_is_read_without_an_error_of_shape_is_valid() {
    let validator = validator();
    let mut checked = 0;
    for (path, text) in corpus() {
        let reading = reading(&text);
        if reading.kind != FileKind::Node || reading.contract.is_none() || has_error_of_shape(&reading) {
            continue;
        }
        let value: Value = serde_json::from_str(&reading.canonical).expect("canonical JSON");
        // A contract without a name is called as its file, which the schema cannot know.
        let is_named = ["name", "node_name", "contract_name"].iter().any(|key| value.get(key).is_some());
        if is_named {
            assert_eq!(refusals(&validator, &value), Vec::<String>::new(), "{}", path.display());
            checked += 1;
        }
    }
    assert!(checked > 150, "{checked} files");
}

const GOOD: &str = r#"name: greeter
node_type: ORCHESTRATOR
contract_version: "1.0.0"
input_model: {class: Hello, module: a.b}
workflow_coordination:
  workflow_definition:
    workflow_metadata: {workflow_name: greeting, execution_mode: serial}
    execution_graph:
      nodes:
        - {step_id: receive, step_type: effect, step_config: {event_pattern: Hello}}
        - {node_id: decide, node_type: reducer, dependencies: [receive], step_config: {reducer_protocol: greeter}}
      edges: [{from: receive, to: decide}]
    coordination_rules: {failure_recovery_strategy: RETRY, max_retries: 3, timeout_ms: 30000}
consumed_events: [{topic_suffix: onex.evt.hello.hello.v1, event_name: Hello}, onex.evt.hello.other.v1]
event_bus: {subscribe: {name: a.b}, publish: {success_topic: a.c}, publish_topics: [a.d, {topic_name: a.e}]}
dependencies: [{name: a, dependency_type: node}]
fsm: {initial_state: a, states: [a, {name: b}], transitions: [{from: a, to: b, trigger: t}]}
"#;

#[test]
fn every_spelling_is_valid() {
    let reading = reading(GOOD);
    assert!(!has_error_of_shape(&reading), "{:?}", reading.diagnostics);
    let value = serde_json::from_str(&reading.canonical).expect("canonical JSON");
    assert_eq!(refusals(&validator(), &value), Vec::<String>::new());
}

#[test]
fn what_the_reader_calls_an_error_of_shape_is_refused() {
    let validator = validator();
    for (from, to) in [
        ("name: greeter\n", "title: greeter\n"),
        ("\"1.0.0\"", "1.0"),
        ("\"1.0.0\"", "\"1.0\""),
        ("\"1.0.0\"", "{major: 1, minor: 0}"),
        ("node_type: ORCHESTRATOR", "node_type: BANANA"),
        ("node_type: ORCHESTRATOR\n", ""),
        ("{class: Hello, module: a.b}", "{module: a.b}"),
        ("step_id: receive, ", ""),
        ("serial", "conditional"),
        ("serial", "PARALLEL"),
        ("RETRY", "sometimes"),
        ("max_retries: 3", "max_retries: lots"),
        ("max_retries: 3", "max_retries: -1"),
        ("max_retries: 3", "max_retries: 5000000000"),
        ("timeout_ms: 30000", "timeout_ms: 1.5"),
        ("{topic_suffix: onex.evt.hello.hello.v1, event_name: Hello}", "{description: nothing}"),
        ("from: receive, ", ""),
        ("{topic_name: a.e}", "{colour: red}"),
        ("{name: a, dependency_type: node}", "{dependency_type: node}"),
        ("initial_state: a, ", ""),
        ("{name: b}", "{is_terminal: true}"),
        ("trigger: t", "triger: t"),
        ("[receive]", "receive"),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let reading = reading(&GOOD.replacen(from, to, 1));
        assert!(has_error_of_shape(&reading), "`{to}`: {:?}", reading.diagnostics);
        let value = serde_json::from_str(&reading.canonical).expect("canonical JSON");
        assert_ne!(refusals(&validator, &value), Vec::<String>::new(), "`{to}`");
    }
}

/// Pointers to every part of a value but the whole.
fn pointers(value: &Value, pointer: &str, all: &mut Vec<String>) {
    let mut visit = |key: String, value: &Value| {
        let inner = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
        all.push(inner.clone());
        pointers(value, &inner, all);
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| visit(key.clone(), value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, value)| visit(index.to_string(), value)),
        _ => {}
    }
}

fn other_value() -> impl Strategy<Value = Option<Value>> {
    prop::sample::select(vec![
        None,
        Some(Value::Null),
        Some(json!(true)),
        Some(json!(7)),
        Some(json!(-7)),
        Some(json!(0.5)),
        Some(json!("text")),
        Some(json!([])),
        Some(json!(["text"])),
        Some(json!({})),
        Some(json!({"name": "text"})),
    ])
}

fn take_out(value: &mut Value, pointer: &str) {
    let Some((parent, key)) = pointer.rsplit_once('/') else { return };
    match value.pointer_mut(parent) {
        Some(Value::Object(map)) => drop(map.remove(&key.replace("~1", "/").replace("~0", "~"))),
        Some(Value::Array(items)) => drop(key.parse().map(|index: usize| items.remove(index))),
        _ => {}
    }
}

#[test]
fn reader_and_schema_agree_about_contracts_with_one_other_value() {
    let validator = validator();
    let sound = |(_, text): (PathBuf, String)| {
        let reading = reading(&text);
        let is_sound = reading.kind == FileKind::Node && reading.contract.is_some() && !has_error_of_shape(&reading);
        let value: Value = serde_json::from_str(&reading.canonical).unwrap_or_default();
        (is_sound && value.get("name").is_some()).then_some(value)
    };
    let mut values: Vec<Value> = corpus().into_iter().filter_map(sound).collect();
    values.push(serde_json::from_str(&reading(GOOD).canonical).expect("canonical JSON"));
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = (any::<Index>(), any::<Index>(), other_value());
    runner
        .run(&strategy, |(file, part, other)| {
            let mut value = file.get(&values).clone();
            let mut parts = Vec::new();
            pointers(&value, "", &mut parts);
            let part = part.get(&parts);
            match (other, value.pointer_mut(part)) {
                (Some(other), Some(place)) => *place = other,
                _ => take_out(&mut value, part),
            }
            let text = value.to_string();
            let reading = reading(&text);
            let refused = refusals(&validator, &value);
            if reading.kind == FileKind::Node && value.get("name").is_some() {
                let found = format!("{part}: {:?}; schema: {refused:?}", reading.diagnostics);
                prop_assert_eq!(has_error_of_shape(&reading), !refused.is_empty(), "{}", found);
            }
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}
