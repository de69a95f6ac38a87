//! ONEX0050: a subscribed intent has no route, so nothing would carry it out.
//! ONEX0051: a step's `intent_filter` fits no route, so the step would never have anything to do. A filter that is no
//! glob is ONEX0055.

use super::{Finding, Rule, place};
use crate::model::Contract;
use crate::path::KeyPath;
use crate::receive::matcher;

pub(super) const UNROUTED_INTENT: Rule = Rule::of_contract(
    "ONEX0050",
    "an intent has no route",
    "add it to `intent_consumption.intent_routing_table`",
    unrouted_intents,
);

pub(super) const UNANSWERED_FILTER: Rule = Rule::of_contract(
    "ONEX0051",
    "an intent filter fits no route",
    "correct the filter, or route an intent of that kind",
    unanswered_filters,
);

fn unrouted_intents(contract: &Contract) -> Vec<Finding> {
    let Some(consumption) = &contract.intent_consumption else { return Vec::new() };
    let path = KeyPath::of(&["intent_consumption", "subscribed_intents"]);
    let subscribed = consumption.subscribed_intents.iter().enumerate();
    subscribed
        .filter(|(_, intent)| !consumption.intent_routing_table.contains_key(*intent))
        .map(|(index, intent)| {
            let message = format!("intent `{intent}` is subscribed and has no route");
            Finding::at_value(UNROUTED_INTENT.finding(path.index(index), message))
        })
        .collect()
}

fn unanswered_filters(contract: &Contract) -> Vec<Finding> {
    let Some(consumption) = &contract.intent_consumption else { return Vec::new() };
    let fits_a_route = |filter: &str| {
        let mut intents = consumption.intent_routing_table.keys();
        matcher(filter).is_none_or(|matcher| intents.any(|intent| matcher.is_match(intent)))
    };
    let steps = contract.steps().iter().enumerate();
    steps
        .filter_map(|(index, node)| Some((index, node.step_config.intent_filter.as_deref()?)))
        .filter(|(_, filter)| !fits_a_route(filter))
        .map(|(index, filter)| {
            let message = format!("no routed intent fits the filter `{filter}`");
            Finding::at_value(UNANSWERED_FILTER.finding(place::step_config(index).key("intent_filter"), message))
        })
        .collect()
}
