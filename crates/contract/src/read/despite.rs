//! Decides which rules are asked of a contract whose shape is in error: those that look at one section, where that
//! section is as it was written. Others would tell of what was taken out.

use std::collections::BTreeSet;

use crate::path::{KeyPath, Segment};
use crate::rules::Finding;

/// What local rules found that the errors of shape have nothing to do with.
pub(super) fn trusted(found: impl Iterator<Item = Finding>, errors: &[Finding]) -> Vec<Finding> {
    let broken: BTreeSet<Section> = errors.iter().map(|error| section(&error.diagnostic.path)).collect();
    let is_whole = |section: Section| !broken.contains(&section.around()) && !broken.contains(&section);
    found.filter(|finding| is_whole(section(&finding.diagnostic.path))).collect()
}

/// Keys of a step that say which steps there are; one without its id or type is taken out whole.
const OF_GRAPH: [&str; 6] = ["node_id", "step_id", "node_type", "step_type", "depends_on", "dependencies"];

/// A part of a contract that rules look at as a whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Section {
    /// Below a key of the contract.
    Key(String),
    /// Below a key of the workflow.
    Workflow(String),
    /// Which steps there are, and how they follow each other.
    Graph,
    /// What one step says beside that.
    Step(usize),
}

impl Section {
    /// The section that it has no meaning without.
    fn around(&self) -> Self {
        match self {
            Self::Step(_) => Self::Graph,
            other => other.clone(),
        }
    }
}

fn section(path: &KeyPath) -> Section {
    let keys: Vec<&str> =
        path.0.iter().map(|segment| if let Segment::Key(key) = segment { key } else { "*" }).collect();
    match keys[..] {
        ["workflow_coordination", "workflow_definition", "execution_graph", "nodes", "*", key, ..]
            if !OF_GRAPH.contains(&key) =>
        {
            match path.0.get(4) {
                Some(Segment::Index(index)) => Section::Step(*index),
                _ => Section::Graph,
            }
        }
        ["workflow_coordination"] | ["workflow_coordination", "workflow_definition"] => Section::Graph,
        ["workflow_coordination", "workflow_definition", "execution_graph", ..] => Section::Graph,
        ["workflow_coordination", "workflow_definition", key, ..] => Section::Workflow(key.to_owned()),
        [key, ..] => Section::Key(key.to_owned()),
        [] => Section::Graph,
    }
}
