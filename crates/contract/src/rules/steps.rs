//! ONEX0040: a step that is bound to nothing: an EFFECT that neither receives, carries out intents nor publishes, a
//! REDUCER without a reducer. Where the contract routes to handlers in code, or the step names
//! its node in another runtime's words, that runtime knows what to do with it, and it is a warning. A COMPUTE step bound to nothing hands its input on, and is a note.
//! ONEX0041: an unknown `aggregation_strategy`.
//! ONEX0042: a step publishes an event that `published_events` gives no topic for.

use super::{Finding, Rule, place};
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::{Archetype, Contract, GraphNode, StepConfig};

pub(super) const UNBOUND_STEP: Rule = Rule::of_contract(
    "ONEX0040",
    "a step is bound to nothing",
    "bind it in `step_config`: `event_pattern`, `effect_node` or `event_type` for an EFFECT, `reducer_protocol` for a REDUCER",
    unbound_steps,
);

pub(super) const AGGREGATION: Rule = Rule::of_contract(
    "ONEX0041",
    "the aggregation strategy is unknown",
    "use `all_or_partial` or `all_or_none`",
    unknown_aggregations,
)
.local();

pub(super) const UNPUBLISHED_EVENT: Rule = Rule::of_contract(
    "ONEX0042",
    "a step publishes an event without a topic",
    "add the event to `published_events` with its topic",
    unpublished_events,
);

fn is_bound(archetype: Archetype, config: &StepConfig) -> bool {
    match archetype {
        Archetype::Effect => {
            config.effect_node.is_some()
                || config.intent_filter.is_some()
                || config.intent.is_some()
                || config.event_type.is_some()
                || !config.event_pattern.is_empty()
        }
        Archetype::Reducer => config.reducer_protocol.is_some(),
        Archetype::Compute => {
            config.aggregation_strategy.is_some() || config.compute_node.is_some() || config.input.is_some()
        }
        Archetype::Orchestrator => config.workflow.is_some(),
        Archetype::RuntimeHost => false,
    }
}

fn unbound_steps(contract: &Contract) -> Vec<Finding> {
    let unbound =
        contract.steps().iter().enumerate().filter(|(_, node)| !is_bound(node.node_type.archetype, &node.step_config));
    let is_bound_elsewhere = |node: &GraphNode| {
        contract.handler_routing.is_some() || node.target_node_type.is_some() || node.contract_ref.is_some()
    };
    unbound
        .map(|(index, node)| {
            let found = unbound_step(index, node);
            let worst = if is_bound_elsewhere(node) { Severity::Warning } else { Severity::Error };
            Finding::at_value(Diagnostic { severity: found.severity.min(worst), ..found })
        })
        .collect()
}

fn unbound_step(index: usize, node: &GraphNode) -> Diagnostic {
    let path = place::node(index).key("node_id");
    let id = &node.node_id;
    match node.node_type.archetype {
        Archetype::Compute => {
            let message = format!("step `{id}` computes nothing: it hands on what its dependencies gave");
            let help = "name a `compute_node`, an `aggregation_strategy` or an `input` template in `step_config`";
            Diagnostic::new(UNBOUND_STEP.code, Severity::Note, path, message).with_help(help)
        }
        Archetype::Orchestrator => UNBOUND_STEP
            .finding(path, format!("ORCHESTRATOR step `{id}` names no workflow"))
            .with_help("name the contract whose workflow it runs as `step_config.workflow`"),
        Archetype::RuntimeHost => {
            let message = format!("step `{id}` is of type {}, which is no step", node.node_type.raw);
            UNBOUND_STEP.finding(path, message).with_help("use an EFFECT, REDUCER, COMPUTE or ORCHESTRATOR step")
        }
        archetype => UNBOUND_STEP.finding(path, format!("{archetype} step `{id}` is bound to nothing")),
    }
}

fn unknown_aggregations(contract: &Contract) -> Vec<Finding> {
    let named = contract
        .steps()
        .iter()
        .enumerate()
        .filter_map(|(index, node)| Some((index, node.step_config.aggregation_strategy.as_deref()?)));
    named
        .filter(|(_, strategy)| !["all_or_partial", "all_or_none"].contains(strategy))
        .map(|(index, strategy)| {
            let path = place::step_config(index).key("aggregation_strategy");
            Finding::at_value(AGGREGATION.finding(path, format!("unknown aggregation strategy `{strategy}`")))
        })
        .collect()
}

/// A contract that declares no published events at all leaves its topics to `event_bus`; its steps are not run.
fn unpublished_events(contract: &Contract) -> Vec<Finding> {
    if contract.published_events.is_empty() && contract.event_bus.is_some() {
        return Vec::new();
    }
    let has_topic = |event_type: &str| {
        let mut declared = contract.published_events.iter();
        declared.any(|event| event.event_type.as_deref() == Some(event_type) && event.topic.is_some())
    };
    let published = contract
        .steps()
        .iter()
        .enumerate()
        .filter_map(|(index, node)| Some((index, node, node.step_config.event_type.as_deref()?)));
    published
        .filter(|(_, _, event_type)| !has_topic(event_type))
        .map(|(index, node, event_type)| {
            let path = place::step_config(index).key("event_type");
            let message = format!(
                "step `{}` publishes `{event_type}`, which `published_events` gives no topic for",
                node.node_id
            );
            Finding::at_value(UNPUBLISHED_EVENT.finding(path, message))
        })
        .collect()
}
