//! ONEX0046: a synchronization point that no step has the name of, so that nothing waits at it (G-18).

use super::{Finding, Rule, place};
use crate::model::Contract;

pub(super) const UNKNOWN_POINT: Rule = Rule::of_contract(
    "ONEX0046",
    "a synchronization point is no step",
    "write the `node_id` of the step that the later ones wait for",
    unknown_points,
)
.local()
.warning();

fn unknown_points(contract: &Contract) -> Vec<Finding> {
    let Some(workflow) = &contract.workflow_coordination else { return Vec::new() };
    let definition = &workflow.workflow_definition;
    let is_step = |name: &str| definition.execution_graph.nodes.iter().any(|node| node.node_id == name);
    let points = definition.coordination_rules.synchronization_points.iter().enumerate();
    let unknown = points.filter(|(_, name)| !is_step(name));
    let path = place::definition().key("coordination_rules").key("synchronization_points");
    unknown
        .map(|(index, name)| {
            let message = format!("no step is called `{name}`, so that nothing waits at this point");
            Finding::at_value(UNKNOWN_POINT.finding(path.index(index), message))
        })
        .collect()
}
