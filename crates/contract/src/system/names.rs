//! ONEX0080: two contracts of one name. ONEX0081: a route or step names a node that nobody declares.
//! ONEX0082: it names one of the wrong kind.

use std::cell::LazyCell;
use std::collections::{BTreeMap, HashMap};

use super::neighbours::Neighbours;
use super::{FileFacts, in_file};
use crate::diagnostic::Diagnostic;
use crate::model::Archetype;
use crate::path::KeyPath;
use crate::rules::Rule;

pub(super) const SAME_NAME: Rule =
    Rule::elsewhere("ONEX0080", "two contracts have the same name", "rename one of them");
pub(super) const UNKNOWN_NODE: Rule = Rule::elsewhere(
    "ONEX0081",
    "a route or step names a node that no contract declares",
    "correct the name, or add the node's contract",
);
pub(super) const WRONG_KIND: Rule =
    Rule::elsewhere("ONEX0082", "a route or step names a node of the wrong kind", "name a node of the right kind");

pub(super) fn same_names(contracts: &[FileFacts<'_>]) -> Vec<Diagnostic> {
    let mut first: HashMap<&str, &str> = HashMap::new();
    let mut diagnostics = Vec::new();
    for system in contracts {
        let name = system.facts.name.as_str();
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

/// Names of effects in routes and steps that no effect has.
pub(super) fn unknown_nodes(contracts: &[FileFacts<'_>], kinds: &BTreeMap<&str, Archetype>) -> Vec<Diagnostic> {
    let names = LazyCell::new(|| Neighbours::new(kinds.keys().copied()));
    let nearest = |name: &str| names.nearest(name).map(str::to_owned);
    let named = contracts.iter().flat_map(|system| system.facts.effects.iter().map(move |effect| (system, effect)));
    let problems = named.filter_map(|(system, (name, path))| {
        let diagnostic = problem(path, name, kinds.get(name.as_str()).copied(), &nearest)?;
        Some(in_file(system.file, diagnostic))
    });
    problems.collect()
}

fn problem(
    path: &KeyPath,
    name: &str,
    kind: Option<Archetype>,
    nearest: &dyn Fn(&str) -> Option<String>,
) -> Option<Diagnostic> {
    match kind {
        Some(Archetype::Effect) => None,
        Some(kind) => Some(WRONG_KIND.finding(path.clone(), format!("`{name}` is of kind {kind}, expected an effect"))),
        None => {
            let diagnostic = UNKNOWN_NODE.finding(path.clone(), format!("no contract declares a node `{name}`"));
            Some(match nearest(name) {
                Some(nearest) => diagnostic.with_help(format!("did you mean `{nearest}`?")),
                None => diagnostic,
            })
        }
    }
}
