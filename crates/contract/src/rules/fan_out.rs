//! ONEX0047: `for_each` stands where nothing is done for each item: beside a step that receives, reduces or
//! publishes, an EFFECT that makes no intent of its own, or with a text that gives no list.

use serde_json::Value;

use super::{Finding, Rule, place};
use crate::model::{Archetype, Contract, GraphNode};

pub(super) const FOR_EACH: Rule = Rule::of_contract(
    "ONEX0047",
    "a step cannot be carried out for each item of a list",
    "use it with an EFFECT that has `intent` and `input`, a COMPUTE or an ORCHESTRATOR step, and `${...}` for the list",
    misplaced,
)
.local();

fn misplaced(contract: &Contract) -> Vec<Finding> {
    let steps = contract.steps().iter().enumerate();
    let found = steps.filter_map(|(index, node)| Some((index, problem(node, node.for_each.as_ref()?)?)));
    found.map(|(index, problem)| at(index, &problem)).collect()
}

fn at(index: usize, problem: &str) -> Finding {
    Finding::at_value(FOR_EACH.finding(place::node(index).key("for_each"), problem))
}

fn problem(node: &GraphNode, list: &Value) -> Option<String> {
    let id = &node.node_id;
    if list.as_str().is_some_and(|text| !(text.starts_with("${") && text.ends_with('}'))) {
        return Some(format!("the list of step `{id}` is a text, expected a list or one template"));
    }
    match node.node_type.archetype {
        Archetype::Compute | Archetype::Orchestrator => None,
        Archetype::Effect if node.step_config.intent.is_some() => None,
        Archetype::Effect => Some(format!("step `{id}` makes no intent of each item: it has no `intent`")),
        archetype => Some(format!("step `{id}` is a {archetype}, which takes one event")),
    }
}
