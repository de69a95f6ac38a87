//! ONEX0070: a key that this runtime understands and does not act on. A declared key is never silent.
//! ONEX0071: a section that this runtime knows and does not act on: a health check, which it does not serve yet, and
//! routing to handlers in code, which is for runtimes that have the code.
//! ONEX0072: checkpoints are asked for, and the state they would keep is said not to be persisted.

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
    "a section is not acted on",
    "nothing is to be done; this runtime leaves the section to others",
    not_acted_on,
)
.note();

fn not_acted_on(contract: &Contract) -> Vec<Finding> {
    let has_health_check = contract.health_check.as_ref().is_some_and(|check| check.enabled);
    let sections = [
        (has_health_check, "health_check", "a health check is declared, and none is served yet"),
        (
            contract.handler_routing.is_some(),
            "handler_routing",
            "handlers are called by other runtimes, not by this one",
        ),
    ];
    let declared = sections.into_iter().filter(|(is_declared, ..)| *is_declared);
    declared.map(|(_, key, message)| Finding::at_key(NOT_SERVED.finding(KeyPath::of(&[key]), message))).collect()
}

pub(super) const NOTHING_TO_CHECKPOINT: Rule = Rule::of_contract(
    "ONEX0072",
    "checkpoints without persistence",
    "remove `state_persistence_enabled: false`, or the checkpoints",
    checkpoint_without_persistence,
)
.warning();

fn checkpoint_without_persistence(contract: &Contract) -> Vec<Finding> {
    let Some(workflow) = &contract.workflow_coordination else { return Vec::new() };
    let rules = &workflow.workflow_definition.coordination_rules;
    let asked = [
        (rules.checkpoint_enabled, place::definition().key("coordination_rules")),
        (workflow.checkpoint_enabled, KeyPath::of(&["workflow_coordination"])),
    ];
    let asked = asked.into_iter().find(|(checkpoint, _)| checkpoint.is_some());
    let is_persisted = rules.state_persistence_enabled.or(workflow.state_persistence_enabled);
    match asked {
        Some((Some(true), path)) if is_persisted == Some(false) => {
            let message = "checkpoints are asked for, and `state_persistence_enabled: false` leaves nothing to keep";
            vec![Finding::at_key(NOTHING_TO_CHECKPOINT.finding(path.key("checkpoint_enabled"), message))]
        }
        _ => Vec::new(),
    }
}

impl Contract {
    /// Whether its runs are meant to outlive the process: it asks for checkpoints or persistence.
    pub fn asks_for_a_durable_journal(&self) -> bool {
        let Some(workflow) = &self.workflow_coordination else { return false };
        let rules = &workflow.workflow_definition.coordination_rules;
        let asked = [
            rules.checkpoint_enabled,
            rules.state_persistence_enabled,
            workflow.checkpoint_enabled,
            workflow.state_persistence_enabled,
        ];
        asked.contains(&Some(true))
    }
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
        declared.push((
            path.key("state_persistence_enabled"),
            persistence == Some(false) && checkpoint != Some(true),
            ALWAYS_ON,
        ));
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
