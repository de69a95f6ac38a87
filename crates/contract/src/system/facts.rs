//! Decides what of a contract concerns other contracts. Small and storable: a tool that has seen a file before
//! keeps these instead of the contract.

use std::collections::BTreeMap;

use onex_topic::Topic;
use serde::{Deserialize, Serialize};

use super::undo::{self, TakenBack};
use super::versions::{self, Pin};
use crate::model::{Archetype, Contract};
use crate::path::KeyPath;
use crate::rules::place;
use crate::topics::Direction;

/// What of one contract concerns others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemFacts {
    /// The node's name.
    pub name: String,
    /// What kind of node it is.
    pub kind: Archetype,
    /// Every topic it names, in the order of [`Contract::topics`].
    pub topics: Vec<SystemTopic>,
    /// Topics whose events start its runs, as they are written, with their places.
    pub starts: Vec<(String, KeyPath)>,
    /// Effects that its routes and steps name, with their places.
    pub effects: Vec<(String, KeyPath)>,
    /// Orchestrators whose workflows its steps run, with their places.
    pub workflows: Vec<(String, KeyPath)>,
    /// The versions it answers to: of the contract, and of the node behind it.
    pub versions: Vec<String>,
    /// Other nodes of which it wants certain versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pins: Vec<Pin>,
    /// What it does to the world, and whether it says how each is undone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub operations: BTreeMap<String, bool>,
    /// Its steps that are taken back when a run fails.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken_back: Vec<TakenBack>,
}

/// A topic that a contract names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemTopic {
    /// The canonical text; the text itself where it is no topic.
    pub topic: String,
    /// The event's type, where one is declared for it.
    pub event_type: Option<String>,
    /// Which way.
    pub direction: Direction,
    /// Where.
    pub path: KeyPath,
}

impl SystemFacts {
    /// What of a contract concerns others.
    pub fn of(contract: &Contract) -> Self {
        Self {
            name: contract.name.clone(),
            kind: contract.archetype(),
            topics: topics(contract),
            starts: starts(contract),
            effects: effects(contract),
            workflows: workflows(contract),
            versions: versions::of(contract),
            pins: versions::pins(contract),
            operations: undo::operations(contract),
            taken_back: undo::taken_back(contract),
        }
    }
}

fn topics(contract: &Contract) -> Vec<SystemTopic> {
    let named = contract.topics().into_iter().map(|named| SystemTopic {
        topic: Topic::canonical(named.text),
        event_type: named.event_type.map(str::to_owned),
        direction: named.direction,
        path: named.path,
    });
    named.collect()
}

fn starts(contract: &Contract) -> Vec<(String, KeyPath)> {
    if contract.workflow_coordination.is_none() {
        return Vec::new();
    }
    let starting = contract.placed_starting_events();
    let placed = starting.filter_map(|(index, event)| {
        Some((event.topic.clone()?, KeyPath::of(&["consumed_events"]).index(index).key("topic")))
    });
    placed.collect()
}

fn effects(contract: &Contract) -> Vec<(String, KeyPath)> {
    let routes = contract.intent_consumption.iter().flat_map(|consumption| &consumption.intent_routing_table);
    let table = KeyPath::of(&["intent_consumption", "intent_routing_table"]);
    let mut named: Vec<_> = routes.map(|(intent, node)| (node.clone(), table.key(intent))).collect();
    for (index, node) in contract.steps().iter().enumerate() {
        let path = || place::step_config(index).key("effect_node");
        named.extend(node.step_config.effect_node.iter().map(|name| (name.clone(), path())));
    }
    named
}

fn workflows(contract: &Contract) -> Vec<(String, KeyPath)> {
    let steps = contract.steps().iter().enumerate();
    let named = steps.filter_map(|(index, node)| {
        Some((node.step_config.workflow.clone()?, place::step_config(index).key("workflow")))
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::SystemFacts;
    use crate::read::{Source, read};

    #[test]
    fn facts_are_the_same_after_they_were_stored() {
        let text = include_str!("../../../../contracts/node_registration_orchestrator/contract.yaml");
        let contract = read(Source { file: "contract.yaml", text }).contract.expect("sound");
        let facts = SystemFacts::of(&contract);
        assert!(!facts.topics.is_empty() && !facts.starts.is_empty() && !facts.effects.is_empty(), "{facts:?}");
        let stored = serde_json::to_string(&facts).expect("storable");
        assert_eq!(serde_json::from_str::<SystemFacts>(&stored).expect("readable"), facts);
    }
}
