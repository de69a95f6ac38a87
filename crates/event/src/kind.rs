//! The kinds of node, as they are written on the wire.
//!
//! The wire knows the lower-case text only: `EFFECT` is refused, so that two spellings of one
//! kind never reach a service id or a table. Contracts, which do know other spellings, are read
//! elsewhere.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a node does, in the four-node architecture and the host around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// Talks to the outside world.
    Effect,
    /// Transforms data.
    Compute,
    /// Folds events into state and intents.
    Reducer,
    /// Runs workflows.
    Orchestrator,
    /// Hosts the other kinds.
    RuntimeHost,
}

/// The text is no node kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a node kind is one of `effect`, `compute`, `reducer`, `orchestrator`, `runtime_host`")]
pub struct ParseNodeKindError;

impl NodeKind {
    /// Every kind, in the order data flows through them.
    pub const ALL: [Self; 5] = [Self::Effect, Self::Compute, Self::Reducer, Self::Orchestrator, Self::RuntimeHost];

    /// The text on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Effect => "effect",
            Self::Compute => "compute",
            Self::Reducer => "reducer",
            Self::Orchestrator => "orchestrator",
            Self::RuntimeHost => "runtime_host",
        }
    }

    /// The text in service names and ids, which are DNS labels and know no underscore.
    pub fn as_label(self) -> &'static str {
        match self {
            Self::RuntimeHost => "runtime-host",
            Self::Effect | Self::Compute | Self::Reducer | Self::Orchestrator => self.as_str(),
        }
    }
}

impl fmt::Display for NodeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for NodeKind {
    type Err = ParseNodeKindError;

    fn from_str(text: &str) -> Result<Self, ParseNodeKindError> {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        known.ok_or(ParseNodeKindError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_serde_agree() {
        for kind in NodeKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in ["EFFECT", "Effect", "runtime-host", "", "effect "] {
            assert_eq!(text.parse::<NodeKind>(), Err(ParseNodeKindError), "{text}");
            assert!(serde_json::from_value::<NodeKind>(text.into()).is_err(), "{text}");
        }
    }
}
