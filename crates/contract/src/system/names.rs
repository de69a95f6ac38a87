//! ONEX0080: two contracts of one name. ONEX0081: a route or step names a node that nobody declares.
//! ONEX0082: it names one of the wrong kind.

use std::collections::BTreeMap;

use super::{SystemContract, in_file};
use crate::diagnostic::Diagnostic;
use crate::model::Archetype;
use crate::path::KeyPath;
use crate::rules::Rule;

pub(super) const SAME_NAME: Rule =
    Rule::of_system("ONEX0080", "two contracts have the same name", "rename one of them");
pub(super) const UNKNOWN_NODE: Rule = Rule::of_system(
    "ONEX0081",
    "a route or step names a node that no contract declares",
    "correct the name, or add the node's contract",
);
pub(super) const WRONG_KIND: Rule =
    Rule::of_system("ONEX0082", "a route or step names a node of the wrong kind", "name a node of the right kind");

pub(super) fn same_names(contracts: &[SystemContract<'_>]) -> Vec<Diagnostic> {
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
pub(super) fn unknown_nodes(system: &SystemContract<'_>, kinds: &BTreeMap<&str, Archetype>) -> Vec<Diagnostic> {
    let routes = system.contract.intent_consumption.iter().flat_map(|consumption| &consumption.intent_routing_table);
    let table = KeyPath::of(&["intent_consumption", "intent_routing_table"]);
    let mut named: Vec<(KeyPath, &str)> = routes.map(|(intent, node)| (table.key(intent), node.as_str())).collect();
    let workflow = system.contract.workflow_coordination.iter();
    let nodes = workflow.flat_map(|workflow| &workflow.workflow_definition.execution_graph.nodes);
    for (index, node) in nodes.enumerate() {
        let path =
            KeyPath::of(&["workflow_coordination", "workflow_definition", "execution_graph", "nodes"]).index(index);
        let effect = node.step_config.effect_node.iter();
        named.extend(effect.map(|name| (path.key("step_config").key("effect_node"), name.as_str())));
    }
    let problems = named.into_iter().filter_map(|(path, name)| problem(path, name, kinds));
    problems.map(|diagnostic| in_file(system.file, diagnostic)).collect()
}

fn problem(path: KeyPath, name: &str, kinds: &BTreeMap<&str, Archetype>) -> Option<Diagnostic> {
    match kinds.get(name) {
        Some(Archetype::Effect) => None,
        Some(kind) => Some(WRONG_KIND.finding(path, format!("`{name}` is a {kind}, expected an effect"))),
        None => {
            let diagnostic = UNKNOWN_NODE.finding(path, format!("no contract declares a node `{name}`"));
            let scored = kinds.keys().map(|known| (strsim::jaro_winkler(known, name), known));
            let nearest = scored.filter(|(score, _)| *score > 0.9).max_by(|left, right| left.0.total_cmp(&right.0));
            Some(match nearest {
                Some((_, nearest)) => diagnostic.with_help(format!("did you mean `{nearest}`?")),
                None => diagnostic,
            })
        }
    }
}
