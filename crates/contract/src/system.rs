//! Decides whether contracts fit together: names, routes and topics of all of them at once.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::model::{Archetype, Contract};
use crate::path::KeyPath;
use crate::rules::Rule;

/// A contract of a system, with the file it came from.
#[derive(Clone, Copy, Debug)]
pub struct SystemContract<'a> {
    /// The file's name.
    pub file: &'a str,
    /// The contract.
    pub contract: &'a Contract,
}

/// The rules over many contracts.
pub(crate) fn rules() -> Vec<Rule> {
    vec![SAME_NAME, UNKNOWN_NODE, WRONG_KIND, TWO_OWNERS]
}

const SAME_NAME: Rule = Rule::of_system("ONEX0080", "two contracts have the same name", "rename one of them");
const UNKNOWN_NODE: Rule = Rule::of_system(
    "ONEX0081",
    "a route or step names a node that no contract declares",
    "correct the name, or add the node's contract",
);
const WRONG_KIND: Rule =
    Rule::of_system("ONEX0082", "a route or step names a node of the wrong kind", "name a node of the right kind");
const TWO_OWNERS: Rule = Rule::of_system(
    "ONEX0083",
    "a topic has two owners",
    "let one orchestrator consume the topic, and publish from it what others need",
);

/// Checks all contracts together. Diagnostics have no span: the reader that knows the text adds it.
///
/// `known_nodes` are nodes that exist without a contract in the set, by name and kind.
pub fn check_system(contracts: &[SystemContract<'_>], known_nodes: &[(String, Archetype)]) -> Vec<Diagnostic> {
    let mut kinds: BTreeMap<&str, Archetype> = known_nodes.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
    kinds.extend(contracts.iter().map(|system| (system.contract.name.as_str(), system.contract.archetype())));
    let mut diagnostics = same_names(contracts);
    diagnostics.extend(contracts.iter().flat_map(|system| unknown_nodes(system, &kinds)));
    diagnostics.extend(two_owners(contracts));
    diagnostics
}

fn same_names(contracts: &[SystemContract<'_>]) -> Vec<Diagnostic> {
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    let mut diagnostics = Vec::new();
    for system in contracts {
        let name = system.contract.name.as_str();
        match first.get(name) {
            Some(other) => {
                let message = format!("`{name}` is also the name of the contract in {other}");
                diagnostics.push(in_file(system.file, SAME_NAME.finding(KeyPath::of(&["name"]), message)));
            }
            None => {
                first.insert(name, system.file);
            }
        }
    }
    diagnostics
}

/// Names of effects in routes and steps.
fn unknown_nodes(system: &SystemContract<'_>, kinds: &BTreeMap<&str, Archetype>) -> Vec<Diagnostic> {
    let routes = system.contract.intent_consumption.iter().flat_map(|consumption| &consumption.intent_routing_table);
    let table = KeyPath::of(&["intent_consumption", "intent_routing_table"]);
    let mut named: Vec<(KeyPath, &str)> = routes.map(|(intent, node)| (table.key(intent), node.as_str())).collect();
    let nodes = system
        .contract
        .workflow_coordination
        .iter()
        .flat_map(|workflow| &workflow.workflow_definition.execution_graph.nodes);
    for (index, node) in nodes.enumerate() {
        let path =
            KeyPath::of(&["workflow_coordination", "workflow_definition", "execution_graph", "nodes"]).index(index);
        named.extend(
            node.step_config.effect_node.iter().map(|name| (path.key("step_config").key("effect_node"), name.as_str())),
        );
    }
    let problems = named.into_iter().filter_map(|(path, name)| match kinds.get(name) {
        Some(Archetype::Effect) => None,
        Some(kind) => Some(WRONG_KIND.finding(path, format!("`{name}` is a {kind}, expected an effect"))),
        None => Some(UNKNOWN_NODE.finding(path, format!("no contract declares a node `{name}`"))),
    });
    problems.map(|diagnostic| in_file(system.file, diagnostic)).collect()
}

/// Topics that two orchestrators run on.
fn two_owners(contracts: &[SystemContract<'_>]) -> Vec<Diagnostic> {
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    let mut diagnostics = Vec::new();
    for system in contracts.iter().filter(|system| system.contract.workflow_coordination.is_some()) {
        for event in system.contract.starting_events() {
            let Some(topic) = event.topic.as_deref() else { continue };
            match owners.get(topic) {
                Some(owner) if *owner != system.contract.name => {
                    let index =
                        system.contract.consumed_events.iter().position(|consumed| consumed == event).unwrap_or(0);
                    let path = KeyPath::of(&["consumed_events"]).index(index).key("topic");
                    let message = format!("topic `{topic}` already belongs to `{owner}`");
                    diagnostics.push(in_file(system.file, TWO_OWNERS.finding(path, message)));
                }
                _ => {
                    owners.insert(topic, &system.contract.name);
                }
            }
        }
    }
    diagnostics
}

fn in_file(file: &str, diagnostic: Diagnostic) -> Diagnostic {
    Diagnostic { file: file.to_owned(), ..diagnostic }
}
