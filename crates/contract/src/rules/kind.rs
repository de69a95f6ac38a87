//! ONEX0010: `workflow_coordination` on a node that is no ORCHESTRATOR runs nowhere.
//! ONEX0011: an ORCHESTRATOR whose graph has no steps finishes every run at once.
//! ONEX0012: `descriptor` says another kind than `node_type`.

use super::{Finding, Rule};
use crate::model::{Archetype, Contract};
use crate::path::KeyPath;

pub(super) const WORKFLOW_ELSEWHERE: Rule = Rule::of_contract(
    "ONEX0010",
    "a workflow on a node that is no orchestrator",
    "set `node_type: ORCHESTRATOR`, or remove the workflow",
    workflow_elsewhere,
);

pub(super) const MISSING_PROGRAM: Rule = Rule::of_contract(
    "ONEX0011",
    "an orchestrator without steps",
    "list the steps under `workflow_coordination.workflow_definition.execution_graph.nodes`",
    missing_program,
)
.warning();

fn workflow_elsewhere(contract: &Contract) -> Vec<Finding> {
    let archetype = contract.archetype();
    if contract.workflow_coordination.is_none() || archetype == Archetype::Orchestrator {
        return Vec::new();
    }
    let message = format!("only an ORCHESTRATOR has a workflow, `{}` is {}", contract.name, contract.node_type.raw);
    vec![Finding::at_key(WORKFLOW_ELSEWHERE.finding(KeyPath::of(&["workflow_coordination"]), message))]
}

fn missing_program(contract: &Contract) -> Vec<Finding> {
    let is_empty =
        |workflow: &crate::WorkflowCoordination| workflow.workflow_definition.execution_graph.nodes.is_empty();
    if !contract.workflow_coordination.as_ref().is_some_and(is_empty) {
        return Vec::new();
    }
    let path = super::place::definition().key("execution_graph");
    vec![Finding::at_key(MISSING_PROGRAM.finding(path, "the execution graph has no steps"))]
}

pub(super) const DESCRIPTOR: Rule = Rule::of_contract(
    "ONEX0012",
    "the descriptor says another kind than node_type",
    "write the same kind in both places",
    descriptor_disagrees,
)
.warning();

fn descriptor_disagrees(contract: &Contract) -> Vec<Finding> {
    let said = contract.descriptor.as_ref().and_then(|descriptor| descriptor.node_archetype.as_deref());
    let disagrees = |said: &&str| Archetype::of_word(said).is_some_and(|archetype| archetype != contract.archetype());
    let Some(said) = said.filter(disagrees) else { return Vec::new() };
    let message = format!("the descriptor says `{said}`, `node_type` says {}", contract.node_type.raw);
    vec![Finding::at_value(DESCRIPTOR.finding(KeyPath::of(&["descriptor", "node_archetype"]), message))]
}
