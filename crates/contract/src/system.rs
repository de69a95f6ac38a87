//! Decides whether contracts fit together: names, routes, topics and versions of all of them at once.
//!
//! The rules look at [`SystemFacts`], the little of a contract that concerns others, so that a contract that was
//! read before need not be read again to be checked with its neighbours.

mod circles;
mod facts;
mod names;
mod neighbours;
mod topics;
mod undo;
mod versions;

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::model::{Archetype, Contract};
use crate::rules::Rule;
pub use facts::{SystemFacts, SystemTopic};
pub use undo::TakenBack;
pub use versions::Pin;

/// A contract of a system, with the file it came from.
#[derive(Clone, Copy, Debug)]
pub struct SystemContract<'a> {
    /// The file's name.
    pub file: &'a str,
    /// The contract.
    pub contract: &'a Contract,
}

/// What concerns others of a contract, with the file it came from.
#[derive(Clone, Copy, Debug)]
pub struct FileFacts<'a> {
    /// The file's name.
    pub file: &'a str,
    /// What concerns others.
    pub facts: &'a SystemFacts,
}

/// The rules over many contracts.
pub(crate) fn rules() -> Vec<Rule> {
    vec![
        names::SAME_NAME,
        names::UNKNOWN_NODE,
        names::WRONG_KIND,
        topics::TWO_OWNERS,
        topics::NEAR_MISS,
        topics::TWO_MODELS,
        circles::CYCLE,
        versions::ABSENT_VERSION,
        undo::NO_UNDO,
    ]
}

/// Checks all contracts together. Diagnostics have no span: the reader that knows the text adds it.
///
/// `known_nodes` are nodes that exist without a contract in the set, by name and kind.
pub fn check_system(contracts: &[SystemContract<'_>], known_nodes: &[(String, Archetype)]) -> Vec<Diagnostic> {
    let facts: Vec<SystemFacts> = contracts.iter().map(|system| SystemFacts::of(system.contract)).collect();
    let of_files: Vec<_> =
        contracts.iter().zip(&facts).map(|(system, facts)| FileFacts { file: system.file, facts }).collect();
    check_facts(&of_files, known_nodes)
}

/// As [`check_system`], for contracts of which only the facts are at hand.
pub fn check_facts(contracts: &[FileFacts<'_>], known_nodes: &[(String, Archetype)]) -> Vec<Diagnostic> {
    let mut kinds: BTreeMap<&str, Archetype> = known_nodes.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
    kinds.extend(contracts.iter().map(|system| (system.facts.name.as_str(), system.facts.kind)));
    let mut diagnostics = names::same_names(contracts);
    diagnostics.extend(names::unknown_nodes(contracts, &kinds));
    diagnostics.extend(topics::two_owners(contracts));
    // The one rule that takes its time goes beside the others.
    diagnostics.extend(std::thread::scope(|scope| {
        let near_misses = scope.spawn(|| topics::near_misses(contracts));
        let mut others = topics::two_models(contracts);
        others.extend(circles::cycles(contracts));
        others.extend(versions::absent(contracts));
        others.extend(undo::without_undo(contracts));
        let near_misses = near_misses.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        near_misses.into_iter().chain(others).collect::<Vec<_>>()
    }));
    diagnostics
}

fn in_file(file: &str, diagnostic: Diagnostic) -> Diagnostic {
    Diagnostic { file: file.to_owned(), ..diagnostic }
}
