//! The contracts inside the binary, so that it also works from an empty directory, and the names its own
//! nodes answer to.

use onex_contract::{Reading, Source, read};

/// Name of the registration reducer's contract and node.
pub(crate) const REDUCER: &str = "node_registration_reducer";
/// Name of the registry effect's contract and node.
pub(crate) const EFFECT: &str = "node_registry_effect";

const FILES: [(&str, &str); 3] = [
    ("(built in)/node_registration_orchestrator", include_str!("../contracts/node_registration_orchestrator.yaml")),
    ("(built in)/node_registration_reducer", include_str!("../contracts/node_registration_reducer.yaml")),
    ("(built in)/node_registry_effect", include_str!("../contracts/node_registry_effect.yaml")),
];

/// Every contract inside the binary.
pub(crate) fn readings() -> Vec<Reading> {
    FILES.iter().map(|(file, text)| read(Source { file, text })).collect()
}
