//! ONEX0029: a workflow or a step without a name (V-18, V-19). Names are how a run tells what it did; an empty one
//! tells nothing, and a second would be the same step.

use super::{Finding, Rule, place};
use crate::model::Contract;

pub(super) const EMPTY_NAME: Rule =
    Rule::of_contract("ONEX0029", "a name is empty", "give the workflow and each of its steps a name", empty_names);

fn empty_names(contract: &Contract) -> Vec<Finding> {
    let Some(workflow) = &contract.workflow_coordination else { return Vec::new() };
    let name = &workflow.workflow_definition.workflow_metadata.workflow_name;
    let of_workflow = (name, place::definition().key("workflow_metadata").key("workflow_name"));
    let steps = contract.steps().iter().enumerate();
    let of_steps = steps.map(|(index, node)| (&node.node_id, place::node(index).key("node_id")));
    let empty = std::iter::once(of_workflow).chain(of_steps).filter(|(name, _)| name.trim().is_empty());
    empty
        .map(|(_, path)| {
            let key = path.last_key().unwrap_or_default().to_owned();
            Finding::at_value(EMPTY_NAME.finding(path, format!("`{key}` is empty")))
        })
        .collect()
}
