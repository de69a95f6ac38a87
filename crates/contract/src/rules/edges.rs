//! ONEX0023: `edges` and `depends_on` disagree. Both say which step comes before which; where both are
//! written they must say the same, since only one of them can be run.

use std::collections::BTreeSet;

use super::{Finding, Rule, place};
use crate::model::Contract;

pub(super) const EDGES: Rule = Rule::of_contract(
    "ONEX0023",
    "edges and depends_on disagree",
    "make `edges` mirror `depends_on`, or write only one of them",
    disagreeing_edges,
)
.local();

fn disagreeing_edges(contract: &Contract) -> Vec<Finding> {
    let Some(workflow) = &contract.workflow_coordination else { return Vec::new() };
    let graph = &workflow.workflow_definition.execution_graph;
    if graph.edges.is_empty() {
        return Vec::new();
    }
    let ids: BTreeSet<&str> = graph.nodes.iter().map(|node| node.node_id.as_str()).collect();
    let depends: BTreeSet<(&str, &str)> = graph
        .nodes
        .iter()
        .flat_map(|node| node.depends_on.iter().map(|before| (before.as_str(), node.node_id.as_str())))
        .collect();
    let path = place::definition().key("execution_graph").key("edges");
    let mut findings = Vec::new();
    for (index, edge) in graph.edges.iter().enumerate() {
        let ends = [("from_node", &edge.from_node), ("to_node", &edge.to_node)];
        if let Some((key, unknown)) = ends.iter().find(|(_, id)| !ids.contains(id.as_str())) {
            let message = format!("edge names step `{unknown}`, which does not exist");
            findings.push(Finding::at_value(EDGES.finding(path.index(index).key(key), message)));
        } else if !depends.is_empty() && !depends.contains(&(edge.from_node.as_str(), edge.to_node.as_str())) {
            let message = format!("`{}` does not depend on `{}`, as this edge says", edge.to_node, edge.from_node);
            findings.push(Finding::at_value(EDGES.finding(path.index(index).key("to_node"), message)));
        }
    }
    findings
}
