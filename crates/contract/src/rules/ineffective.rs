//! ONEX0070: a key that this runtime understands and does not act on. A declared key is never silent.
//! ONEX0071: a health check is declared, and this runtime serves none yet.

use super::{Finding, Rule, place};
use crate::model::Contract;
use crate::path::KeyPath;

pub(super) const NO_EFFECT: Rule = Rule::of_contract(
    "ONEX0070",
    "a declared key has no effect",
    "remove it, or say `true`: the runtime always does it",
    ineffective,
)
.warning();

pub(super) const NOT_SERVED: Rule = Rule::of_contract(
    "ONEX0071",
    "a health check is not served yet",
    "nothing is to be done; watch the process, and its exit code, until it is",
    not_served,
)
.note();

fn not_served(contract: &Contract) -> Vec<Finding> {
    let declared = contract.health_check.as_ref().is_some_and(|check| check.enabled);
    let finding =
        || NOT_SERVED.finding(KeyPath::of(&["health_check"]), "`health_check` is declared and not served yet");
    if declared { vec![Finding::at_key(finding())] } else { Vec::new() }
}

const ALWAYS_ON: &str = "this runtime always does it";
const BY_EVENT: &str = "runs are journaled when something happens, not by the clock";

fn ineffective(contract: &Contract) -> Vec<Finding> {
    let Some(workflow) = &contract.workflow_coordination else { return Vec::new() };
    let rules = &workflow.workflow_definition.coordination_rules;
    let (outer, inner) = (KeyPath::of(&["workflow_coordination"]), place::definition().key("coordination_rules"));
    let mut declared = Vec::new();
    for (path, checkpoint, persistence, recovery, interval) in [
        (
            outer,
            workflow.checkpoint_enabled,
            workflow.state_persistence_enabled,
            workflow.recovery_enabled,
            workflow.checkpoint_interval_ms,
        ),
        (
            inner,
            rules.checkpoint_enabled,
            rules.state_persistence_enabled,
            rules.recovery_enabled,
            rules.checkpoint_interval_ms,
        ),
    ] {
        declared.push((path.key("checkpoint_enabled"), checkpoint == Some(false), ALWAYS_ON));
        declared.push((path.key("state_persistence_enabled"), persistence == Some(false), ALWAYS_ON));
        declared.push((path.key("recovery_enabled"), recovery == Some(false), ALWAYS_ON));
        declared.push((path.key("checkpoint_interval_ms"), interval.is_some(), BY_EVENT));
    }
    let silent = declared.into_iter().filter(|(_, is_declared, _)| *is_declared);
    silent
        .map(|(path, _, why)| {
            Finding::at_key(NO_EFFECT.finding(path.clone(), format!("`{path}` has no effect: {why}")))
        })
        .collect()
}
