//! Decides in which order the steps of a graph can go, for the rules that ask. Steps are known by their index: of two
//! with one id the first is meant, and a dependency on an unknown step counts as met (O-11).

use std::collections::HashMap;

use crate::model::{ExecutionGraph, ExecutionMode, WorkflowCoordination};

/// For each step, those that come before it: what it depends on, and what edges lead to it.
pub(super) fn before(graph: &ExecutionGraph) -> Vec<Vec<usize>> {
    let mut index: HashMap<&str, usize> = HashMap::new();
    for (position, node) in graph.nodes.iter().enumerate() {
        index.entry(&node.node_id).or_insert(position);
    }
    let known = |id: &str| index.get(id).copied();
    let mut before: Vec<Vec<usize>> =
        graph.nodes.iter().map(|node| node.depends_on.iter().filter_map(|id| known(id)).collect()).collect();
    for edge in &graph.edges {
        if let (Some(from), Some(to)) = (known(&edge.from_node), known(&edge.to_node)) {
            before[to].push(from);
        }
    }
    before
}

/// The same the other way round: for each step, those that it comes before.
pub(super) fn dependents(before: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); before.len()];
    for (index, before) in before.iter().enumerate() {
        before.iter().for_each(|dependency| dependents[*dependency].push(index));
    }
    dependents
}

/// Whether steps may run at once.
pub(super) fn is_parallel(workflow: &WorkflowCoordination) -> bool {
    let definition = &workflow.workflow_definition;
    let rules = &definition.coordination_rules;
    let mode = rules.execution_mode.or(definition.workflow_metadata.execution_mode).or(workflow.execution_mode);
    mode == Some(ExecutionMode::Parallel) && rules.parallel_execution_allowed != Some(false)
}

/// Kahn's algorithm: every step that is neither on a circle nor behind one, each after those before it.
pub(super) fn order(before: &[Vec<usize>]) -> Vec<usize> {
    let mut waiting: Vec<usize> = before.iter().map(Vec::len).collect();
    let dependents = dependents(before);
    let mut order: Vec<usize> = (0..before.len()).filter(|index| waiting[*index] == 0).collect();
    let mut next = 0;
    while let Some(index) = order.get(next).copied() {
        next += 1;
        for dependent in &dependents[index] {
            waiting[*dependent] -= 1;
            if waiting[*dependent] == 0 {
                order.push(*dependent);
            }
        }
    }
    order
}
