//! ONEX0020: two steps of one id (V-01). ONEX0021: a step depends on one that does not exist (V-02).
//! ONEX0022: steps wait for each other (V-03, V-04); the message shows the way round.
//! ONEX0024: a step that stands alone among others: nothing leads to it and nothing follows (V-38).

use std::collections::{BTreeSet, HashMap};

use super::{Finding, Rule, place};
use crate::model::Contract;
use crate::order::{before, topological};

pub(super) const DUPLICATE_STEP: Rule =
    Rule::of_contract("ONEX0020", "two steps have the same id", "give each step its own `node_id`", duplicate_steps)
        .local();

pub(super) const UNDECLARED_DEPENDENCY: Rule = Rule::of_contract(
    "ONEX0021",
    "a step depends on one that is not declared",
    "name a `node_id` of the same graph",
    undeclared_dependencies,
)
.local();

pub(super) const CYCLE: Rule = Rule::of_contract(
    "ONEX0022",
    "the execution graph has a cycle",
    "remove one of the dependencies on the way",
    cycles,
)
.local();

pub(super) const ISOLATED: Rule = Rule::of_contract(
    "ONEX0024",
    "a step stands alone",
    "let a step depend on it, let it depend on one, or remove it",
    isolated_steps,
)
.note();

fn duplicate_steps(contract: &Contract) -> Vec<Finding> {
    let mut seen = BTreeSet::new();
    let again = contract.steps().iter().enumerate().filter(|(_, node)| !seen.insert(&node.node_id));
    again
        .map(|(index, node)| {
            let message = format!("Execution graph has duplicate node_id values: ['{}']", node.node_id);
            Finding::at_value(DUPLICATE_STEP.finding(place::node(index).key("node_id"), message))
        })
        .collect()
}

fn undeclared_dependencies(contract: &Contract) -> Vec<Finding> {
    let declared: BTreeSet<_> = contract.steps().iter().map(|node| node.node_id.as_str()).collect();
    let mut findings = Vec::new();
    for (index, node) in contract.steps().iter().enumerate() {
        for (position, dependency) in node.depends_on.iter().enumerate() {
            if !declared.contains(dependency.as_str()) {
                let path = place::node(index).key("depends_on").index(position);
                let message = format!(
                    "Execution graph node '{}' depends on undeclared node_id(s): ['{dependency}']",
                    node.node_id
                );
                let near = crate::near::nearest(dependency, declared.iter().copied());
                let diagnostic = UNDECLARED_DEPENDENCY.finding(path, message);
                findings.push(Finding::at_value(match near {
                    Some(near) => diagnostic.with_help(format!("did you mean `{near}`?")),
                    None => diagnostic,
                }));
            }
        }
    }
    findings
}

fn cycles(contract: &Contract) -> Vec<Finding> {
    let Some(workflow) = &contract.workflow_coordination else { return Vec::new() };
    let nodes = &workflow.workflow_definition.execution_graph.nodes;
    let before = before(&workflow.workflow_definition.execution_graph);
    let mut is_left = vec![true; nodes.len()];
    topological(&before).into_iter().for_each(|index| is_left[index] = false);
    let Some(first) = is_left.iter().position(|is_left| *is_left) else { return Vec::new() };
    let way = way_round(&before, &is_left, first);
    let ids: Vec<&str> = way.iter().map(|index| nodes[*index].node_id.as_str()).collect();
    let message = format!("Execution graph contains a cycle (must be a DAG): {}", ids.join(" -> "));
    vec![Finding::at_key(CYCLE.finding(place::node(way[0]).key("depends_on"), message))]
}

/// From a step that cannot be ordered, follow dependencies until one comes again; the way between is a cycle.
fn way_round(before: &[Vec<usize>], is_left: &[bool], start: usize) -> Vec<usize> {
    let mut way = vec![start];
    let mut position = HashMap::from([(start, 0)]);
    loop {
        let Some(next) = before[way[way.len() - 1]].iter().copied().find(|index| is_left[*index]) else { return way };
        if let Some(seen) = position.insert(next, way.len()) {
            way.drain(..seen);
            way.push(next);
            return way;
        }
        way.push(next);
    }
}

fn isolated_steps(contract: &Contract) -> Vec<Finding> {
    let Some(workflow) = &contract.workflow_coordination else { return Vec::new() };
    let nodes = &workflow.workflow_definition.execution_graph.nodes;
    if nodes.len() < 2 {
        return Vec::new();
    }
    let before = before(&workflow.workflow_definition.execution_graph);
    let followed: BTreeSet<usize> = before.iter().flatten().copied().collect();
    let is_alone =
        |index: usize| before[index].is_empty() && nodes[index].depends_on.is_empty() && !followed.contains(&index);
    let isolated = nodes.iter().enumerate().filter(|(index, _)| is_alone(*index));
    isolated
        .map(|(index, node)| {
            let message = format!("step `{}` stands alone: nothing leads to it and nothing follows", node.node_id);
            Finding::at_value(ISOLATED.finding(place::node(index).key("node_id"), message))
        })
        .collect()
}
