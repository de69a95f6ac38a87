//! ONEX0020: two steps of one id (V-01). ONEX0021: a step depends on one that does not exist (V-02).
//! ONEX0022: steps wait for each other (V-03, V-04); the message shows the way round.
//! ONEX0024: a step that stands alone among others: nothing leads to it and nothing follows (V-38).

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Rule, place};
use crate::model::{Contract, ExecutionGraph, GraphNode};

pub(super) const DUPLICATE_STEP: Rule =
    Rule::of_contract("ONEX0020", "two steps have the same id", "give each step its own `node_id`", duplicate_steps);

pub(super) const UNDECLARED_DEPENDENCY: Rule = Rule::of_contract(
    "ONEX0021",
    "a step depends on one that is not declared",
    "name a `node_id` of the same graph",
    undeclared_dependencies,
);

pub(super) const CYCLE: Rule = Rule::of_contract(
    "ONEX0022",
    "the execution graph has a cycle",
    "remove one of the dependencies on the way",
    cycles,
);

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
                let near = declared.iter().max_by(|left, right| {
                    strsim::jaro_winkler(left, dependency).total_cmp(&strsim::jaro_winkler(right, dependency))
                });
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
    let graph = &workflow.workflow_definition.execution_graph;
    let left = unordered(graph);
    let Some(first) = graph.nodes.iter().position(|node| left.contains(node.node_id.as_str())) else {
        return Vec::new();
    };
    let way = way_round(graph, &left, &graph.nodes[first].node_id);
    let message = format!("Execution graph contains a cycle (must be a DAG): {}", way.join(" -> "));
    let start = way.first().and_then(|id| graph.nodes.iter().position(|node| node.node_id == *id)).unwrap_or(first);
    vec![Finding::at_key(CYCLE.finding(place::node(start).key("depends_on"), message))]
}

/// Steps that Kahn's algorithm cannot order: those on a cycle or behind one. Unknown dependencies count as met (O-11).
fn unordered(graph: &ExecutionGraph) -> BTreeSet<&str> {
    let ids: BTreeSet<&str> = graph.nodes.iter().map(|node| node.node_id.as_str()).collect();
    let mut waiting: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut dependents: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in &graph.nodes {
        let before: BTreeSet<&str> = graph.before(node).filter(|id| ids.contains(id)).collect();
        before.iter().for_each(|id| dependents.entry(id).or_default().push(&node.node_id));
        waiting.entry(&node.node_id).or_default().extend(before);
    }
    let mut ready: Vec<&str> = waiting.iter().filter(|(_, before)| before.is_empty()).map(|(id, _)| *id).collect();
    while let Some(id) = ready.pop() {
        waiting.remove(id);
        for dependent in dependents.remove(id).unwrap_or_default() {
            if let Some(before) = waiting.get_mut(dependent) {
                before.remove(id);
                if before.is_empty() {
                    ready.push(dependent);
                }
            }
        }
    }
    waiting.into_keys().collect()
}

/// From a step that cannot be ordered, follow dependencies until one comes again; the way between is a cycle.
fn way_round<'a>(graph: &'a ExecutionGraph, left: &BTreeSet<&str>, start: &'a str) -> Vec<&'a str> {
    let mut way = vec![start];
    loop {
        let current = way[way.len() - 1];
        let mut next = graph.nodes.iter().filter(|node| node.node_id == current).flat_map(|node| graph.before(node));
        let Some(next) = next.find(|id| left.contains(id)) else { return way };
        if let Some(seen) = way.iter().position(|id| *id == next) {
            way.drain(..seen);
            way.push(next);
            return way;
        }
        way.push(next);
    }
}

fn isolated_steps(contract: &Contract) -> Vec<Finding> {
    let Some(workflow) = &contract.workflow_coordination else { return Vec::new() };
    let graph = &workflow.workflow_definition.execution_graph;
    if graph.nodes.len() < 2 {
        return Vec::new();
    }
    let followed: BTreeSet<&str> = graph.nodes.iter().flat_map(|node| graph.before(node)).collect();
    let alone = |node: &GraphNode| graph.before(node).next().is_none() && !followed.contains(node.node_id.as_str());
    let isolated = graph.nodes.iter().enumerate().filter(|(_, node)| alone(node));
    isolated
        .map(|(index, node)| {
            let message = format!("step `{}` stands alone: nothing leads to it and nothing follows", node.node_id);
            Finding::at_value(ISOLATED.finding(place::node(index).key("node_id"), message))
        })
        .collect()
}
