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

/// Names of effects and orchestrators in routes and steps that no such node has.
pub(super) fn unknown_nodes(contracts: &[FileFacts<'_>], kinds: &BTreeMap<&str, Archetype>) -> Vec<Diagnostic> {
    let names = LazyCell::new(|| Neighbours::new(kinds.keys().copied()));
    let nearest = |name: &str| names.nearest(name).map(str::to_owned);
    let named = contracts.iter().flat_map(|system| references(system).map(move |reference| (system, reference)));
    let problems = named.filter_map(|(system, reference)| {
        let diagnostic = problem(reference, kinds.get(reference.name).copied(), &nearest)?;
        Some(in_file(system.file, diagnostic))
    });
    problems.collect()
}

/// A node's name where another contract uses it.
#[derive(Clone, Copy)]
struct Reference<'f> {
    name: &'f str,
    path: &'f KeyPath,
    expected: Archetype,
}

fn references<'f>(system: &'f FileFacts<'_>) -> impl Iterator<Item = Reference<'f>> {
    let of = |expected| move |(name, path): &'f (String, KeyPath)| Reference { name, path, expected };
    let effects = system.facts.effects.iter().map(of(Archetype::Effect));
    effects.chain(system.facts.workflows.iter().map(of(Archetype::Orchestrator)))
}

fn problem(
    Reference { name, path, expected }: Reference<'_>,
    kind: Option<Archetype>,
    nearest: &dyn Fn(&str) -> Option<String>,
) -> Option<Diagnostic> {
    match kind {
        Some(kind) if kind == expected => None,
        Some(kind) => {
            Some(WRONG_KIND.finding(path.clone(), format!("`{name}` is of kind {kind}, expected {expected}")))
        }
        None => {
            let diagnostic = UNKNOWN_NODE.finding(path.clone(), format!("no contract declares a node `{name}`"));
            Some(match nearest(name) {
                Some(nearest) => diagnostic.with_help(format!("did you mean `{nearest}`?")),
                None => diagnostic,
            })
        }
    }
}
