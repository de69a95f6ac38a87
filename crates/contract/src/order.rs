//! Decides in which order the steps of a graph can go: Kahn's algorithm with the declaration index as tie-break (section
//! 4). Steps are known by their index: of two with one id the first is meant, and a dependency on an unknown step counts
//! as met (O-11).

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::model::ExecutionGraph;

/// For each step, those that come before it: what it depends on, and what edges lead to it, as often as it is said.
pub fn before(graph: &ExecutionGraph) -> Vec<Vec<usize>> {
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
pub fn dependents(before: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); before.len()];
    for (index, before) in before.iter().enumerate() {
        before.iter().for_each(|dependency| dependents[*dependency].push(index));
    }
    dependents
}

/// Every step that is neither on a circle nor behind one, each after those before it, else as declared.
pub fn topological(before: &[Vec<usize>]) -> Vec<usize> {
    let mut waiting: Vec<usize> = before.iter().map(Vec::len).collect();
    let dependents = dependents(before);
    let mut ready: BinaryHeap<_> = (0..before.len()).filter(|index| waiting[*index] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(before.len());
    while let Some(Reverse(index)) = ready.pop() {
        order.push(index);
        for dependent in &dependents[index] {
            waiting[*dependent] -= 1;
            if waiting[*dependent] == 0 {
                ready.push(Reverse(*dependent));
            }
        }
    }
    order
}
