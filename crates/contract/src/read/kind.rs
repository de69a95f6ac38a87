//! Decides what a file is: a node's contract, or one of its kin that declares no node. Kin are named as what
//! they are and left to their own tools.

use serde_json::Value;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A node's contract.
    Node,
    /// A handler, which a node's contract routes to.
    Handler,
    /// A workflow of nodes that are called by events.
    Workflow,
    /// The configuration of a runtime.
    RuntimeConfiguration,
    /// Queries over a database.
    Repository,
}

impl FileKind {
    pub(super) fn of(value: &Value) -> Self {
        let has = |key: &str| value.get(key).is_some();
        match () {
            () if has("workflow_id") && (has("event_flow") || has("initial_command")) => Self::Workflow,
            () if has("db_repository") => Self::Repository,
            () if has("input_topic") && has("output_topic") => Self::RuntimeConfiguration,
            () if has("config_model") && has("environments") => Self::RuntimeConfiguration,
            () if has("node_type") => Self::Node,
            () if has("handler_id") => Self::Handler,
            () => Self::Node,
        }
    }

    /// What it is, for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Node => "a node contract",
            Self::Handler => "a handler contract",
            Self::Workflow => "a workflow of event-driven nodes",
            Self::RuntimeConfiguration => "a runtime configuration",
            Self::Repository => "a repository contract",
        }
    }
}
