//! Decides whether contracts fit together: names, routes, topics and versions of all of them at once.

mod names;
mod topics;

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::model::{Archetype, Contract};
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
    vec![
        names::SAME_NAME,
        names::UNKNOWN_NODE,
        names::WRONG_KIND,
        topics::TWO_OWNERS,
        topics::NEAR_MISS,
        topics::TWO_MODELS,
        topics::CYCLE,
    ]
}

/// Checks all contracts together. Diagnostics have no span: the reader that knows the text adds it.
///
/// `known_nodes` are nodes that exist without a contract in the set, by name and kind.
pub fn check_system(contracts: &[SystemContract<'_>], known_nodes: &[(String, Archetype)]) -> Vec<Diagnostic> {
    let mut kinds: BTreeMap<&str, Archetype> = known_nodes.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
    kinds.extend(contracts.iter().map(|system| (system.contract.name.as_str(), system.contract.archetype())));
    let mut diagnostics = names::same_names(contracts);
    diagnostics.extend(contracts.iter().flat_map(|system| names::unknown_nodes(system, &kinds)));
    diagnostics.extend(topics::two_owners(contracts));
    diagnostics.extend(topics::near_misses(contracts));
    diagnostics.extend(topics::two_models(contracts));
    diagnostics.extend(topics::cycles(contracts));
    diagnostics
}

fn in_file(file: &str, diagnostic: Diagnostic) -> Diagnostic {
    Diagnostic { file: file.to_owned(), ..diagnostic }
}
