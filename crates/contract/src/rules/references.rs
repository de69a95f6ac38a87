//! ONEX0047: a step's input, list or condition looks at a step that does not come before it: whether its output is
//! there would be a matter of luck.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Finding, Rule, place};
use crate::condition::Expression;
use crate::model::{Contract, ExecutionGraph, GraphNode};
use crate::path::KeyPath;

pub(super) const NOT_BEFORE: Rule = Rule::of_contract(
    "ONEX0047",
    "a step looks at one that does not come before it",
    "let it depend on the step that it looks at, or correct the name",
    not_before,
);

fn not_before(contract: &Contract) -> Vec<Finding> {
    let Some(workflow) = &contract.workflow_coordination else { return Vec::new() };
    let graph = &workflow.workflow_definition.execution_graph;
    let mut findings = Vec::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        let references = references(node, &place::node(index));
        if references.is_empty() {
            continue;
        }
        let before = all_before(graph, node);
        let wrong = references.into_iter().filter(|(_, id)| !before.contains(id.as_str()));
        findings.extend(wrong.map(|(path, id)| {
            let message = match graph.nodes.iter().any(|node| node.node_id == id) {
                true => format!("step `{}` looks at `{id}`, which does not come before it", node.node_id),
                false => format!("step `{}` looks at `{id}`, which is no step", node.node_id),
            };
            Finding::at_value(NOT_BEFORE.finding(path, message))
        }));
    }
    findings
}

/// The steps that a step looks at, with the places where it does.
fn references(node: &GraphNode, path: &KeyPath) -> Vec<(KeyPath, String)> {
    let mut found = Vec::new();
    if let Some(input) = &node.step_config.input {
        in_templates(input, &path.key("step_config").key("input"), &mut found);
    }
    if let Some(list) = &node.for_each {
        in_templates(list, &path.key("for_each"), &mut found);
    }
    let fields = node.condition.iter().filter_map(|text| Some(Expression::parse(text).ok()?.field));
    found.extend(fields.filter_map(|field| Some((path.key("condition"), step_of(field)?.to_owned()))));
    found
}

fn in_templates(template: &Value, path: &KeyPath, found: &mut Vec<(KeyPath, String)>) {
    match template {
        Value::String(text) => {
            let templates = text.split("${").skip(1).filter_map(|rest| rest.split_once('}'));
            found.extend(templates.filter_map(|(field, _)| Some((path.clone(), step_of(field)?.to_owned()))));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| in_templates(item, &path.index(index), found));
        }
        Value::Object(map) => map.iter().for_each(|(key, value)| in_templates(value, &path.key(key), found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn step_of(field: &str) -> Option<&str> {
    field.strip_prefix("steps.")?.split('.').next()
}

/// Every step that has ended when this one starts.
fn all_before<'g>(graph: &'g ExecutionGraph, node: &'g GraphNode) -> BTreeSet<&'g str> {
    let by_id: BTreeMap<&str, &GraphNode> = graph.nodes.iter().map(|node| (node.node_id.as_str(), node)).collect();
    let mut before = BTreeSet::new();
    let mut left: Vec<&str> = graph.before(node).collect();
    while let Some(id) = left.pop() {
        if before.insert(id) {
            left.extend(by_id.get(id).into_iter().flat_map(|node| graph.before(node)));
        }
    }
    before
}
