//! Decides what a contract says about its runs: the graph's steps, what they are bound to, and the rules.

use serde_json::Value;

use super::facts::{Fact, Facts, leaves, shown};
use super::table::{Subject, Verb};
use super::{Change, KeyPath};
use crate::model::{Contract, ExecutionGraph, GraphNode};
use crate::rules::place;

pub(super) fn tell(contract: &Contract, facts: &mut Facts) {
    let Some(workflow) = &contract.workflow_coordination else { return };
    let root = KeyPath::of(&["workflow_coordination"]);
    facts.tell(&["workflow"], Fact::new(Subject::Workflow, "workflow", root.clone()));
    let graph = &workflow.workflow_definition.execution_graph;
    for (index, node) in graph.nodes.iter().enumerate() {
        tell_step(graph, node, &place::node(index), facts);
    }
    let Ok(mut whole) = serde_json::to_value(workflow) else { return };
    if let Some(definition) = whole["workflow_definition"].as_object_mut() {
        definition.remove("execution_graph");
    }
    tell_rules(&whole, &root, facts);
}

fn tell_step(graph: &ExecutionGraph, node: &GraphNode, path: &KeyPath, facts: &mut Facts) {
    let id = node.node_id.as_str();
    let step = Fact::new(Subject::Step, id, path.clone()).saying(node.node_type.archetype);
    facts.tell(&["workflow", "step", id], step);
    for before in graph.before(node) {
        let fact = Fact::new(Subject::StepOrder, format!("`{id}` comes after `{before}`"), path.key("depends_on"));
        facts.tell(&["workflow", "step", id, "after", before], fact);
    }
    if let Some(description) = &node.description {
        let fact = Fact::new(Subject::ForPeople, format!("description of {id}"), path.key("description"));
        facts.tell(&["workflow", "step", id, "description"], fact.saying(description));
    }
    if let Some(event_type) = &node.step_config.event_type {
        let fact = Fact::new(Subject::PublishedByStep, event_type, path.key("step_config").key("event_type"));
        facts.tell(&["workflow", "publishes", event_type], fact);
    }
    tell_config(node, &path.key("step_config"), facts);
    tell_other_keys(node, path, facts);
}

/// What a step says beside the keys above: its own rules, and how other runtimes name what it runs.
fn tell_other_keys(node: &GraphNode, path: &KeyPath, facts: &mut Facts) {
    const TOLD: [&str; 5] = ["node_id", "node_type", "description", "depends_on", "step_config"];
    let Ok(Value::Object(whole)) = serde_json::to_value(node) else { return };
    for (key, value) in whole.iter().filter(|(key, _)| !TOLD.contains(&key.as_str())) {
        let (subject, name) = match key.as_str() {
            "target_node_type" | "contract_ref" => (Subject::Elsewhere, format!("{}.{key}", node.node_id)),
            "enabled" | "condition" | "for_each" => (Subject::Binding, format!("step `{}`", node.node_id)),
            _ => (Subject::Rule, format!("{}.{key}", node.node_id)),
        };
        let fact = Fact::new(subject, name, path.key(key));
        facts.tell(&["workflow", "step", &node.node_id, key], fact.saying(shown(value)));
    }
}

fn tell_config(node: &GraphNode, path: &KeyPath, facts: &mut Facts) {
    let Ok(Value::Object(config)) = serde_json::to_value(&node.step_config) else { return };
    let id = node.node_id.as_str();
    for (key, value) in &config {
        let subject = match key.as_str() {
            "reducer_protocol" => Subject::ReducerBinding,
            "effect_node" | "compute_node" | "workflow" => Subject::NodeBinding,
            "intent" | "intent_filter" | "aggregation_strategy" | "event_pattern" | "event_type" => Subject::Binding,
            "input" => Subject::StepInput,
            "timeout_ms" | "max_retries" => Subject::Rule,
            "output_type" => Subject::ForPeople,
            _ => Subject::Unknown,
        };
        let name = match subject {
            Subject::Binding | Subject::NodeBinding | Subject::ReducerBinding | Subject::StepInput => {
                format!("step `{id}`")
            }
            _ => format!("{id}.{key}"),
        };
        let fact = Fact::new(subject, name, path.key(key)).saying(shown(value));
        facts.tell(&["workflow", "step", id, key], fact);
    }
}

/// Keys of which the smallest holds, wherever it stands; of all others the first of the levels.
const SMALLEST: [&str; 2] = ["timeout_ms", "max_parallel_branches"];
const FOR_PEOPLE: [&str; 3] = ["description", "workflow_name", "workflow_version"];

/// Everything beside the graph: words for people, and the rules of runs, each as it holds, whichever of the three
/// levels says it.
fn tell_rules(whole: &Value, root: &KeyPath, facts: &mut Facts) {
    let definition = root.key("workflow_definition");
    let levels = [
        (&whole["workflow_definition"]["coordination_rules"], definition.key("coordination_rules")),
        (&whole["workflow_definition"]["workflow_metadata"], definition.key("workflow_metadata")),
        (whole, root.clone()),
    ];
    let mut said: Vec<(KeyPath, String)> = Vec::new();
    for (level, path) in levels {
        let own = level.as_object().into_iter().flatten().filter(|(key, _)| *key != "workflow_definition");
        said.extend(own.flat_map(|(key, value)| leaves(value, &path.key(key))));
    }
    said.sort_by_key(|(path, text)| {
        let of_smallest = path.last_key().is_some_and(|key| SMALLEST.contains(&key));
        if of_smallest { text.parse::<u64>().unwrap_or(u64::MAX) } else { 0 }
    });
    for (path, text) in said {
        let name = path.last_key().unwrap_or_default().to_owned();
        let subject = if FOR_PEOPLE.contains(&name.as_str()) { Subject::ForPeople } else { Subject::Rule };
        facts.tell(&["workflow", "rule", &name], Fact::new(subject, &name, path).saying(text));
    }
}

/// Steps of both graphs that are declared in another order, which breaks ties otherwise.
pub(super) fn reordered(old: &Contract, new: &Contract) -> Option<Change> {
    let (before, after) = (ids(old), ids(new));
    let kept = |ids: &[&str], others: &[&str]| -> Vec<String> {
        ids.iter().filter(|id| others.contains(id)).map(|id| (*id).to_owned()).collect()
    };
    let (before, after) = (kept(&before, &after), kept(&after, &before));
    let meaning = Subject::StepOrder.meaning(Verb::Changed);
    (before != after).then(|| Change {
        class: meaning.class,
        path: place::nodes(),
        what: meaning.what.to_owned(),
        before: Some(before.join(", ")),
        after: Some(after.join(", ")),
    })
}

fn ids(contract: &Contract) -> Vec<&str> {
    contract.steps().iter().map(|step| step.node_id.as_str()).collect()
}
