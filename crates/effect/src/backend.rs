//! Decides what a registry backend is: the trait that Consul, PostgreSQL and the embedded file
//! implement, and the words they answer with.
//!
//! Backends know nothing of each other, of timeouts or of breakers. What a caller may rely on stands
//! at each method, and [`crate::conformance`] holds every backend to it.

use async_trait::async_trait;
use onex_event::RegistrationIntent;
use onex_node::{Failure, IdempotencyKey};
use serde::{Deserialize, Serialize};

use crate::entry::RegistryEntry;

/// What an intent changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppliedOutcome {
    /// There was nothing, now there is an entry.
    Created,
    /// An older entry, or a deregistered one, gave way.
    Replaced,
    /// What was asked for was in place.
    Unchanged,
    /// The entry is out of service.
    Removed,
}

impl AppliedOutcome {
    /// The word in outputs and in the history of a backend.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Replaced => "replaced",
            Self::Unchanged => "unchanged",
            Self::Removed => "removed",
        }
    }

    /// The outcome of a word, the reverse of [`Self::as_str`].
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Created, Self::Replaced, Self::Unchanged, Self::Removed].into_iter().find(|known| known.as_str() == word)
    }
}

/// How an intent that is in place came to be so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// What the intent changed, this time or the first time.
    pub outcome: AppliedOutcome,
    /// This call changed nothing, because an earlier one had.
    pub already_applied: bool,
}

impl Applied {
    /// This call did it; an [`AppliedOutcome::Unchanged`] is in place from before.
    pub fn now(outcome: AppliedOutcome) -> Self {
        Self { outcome, already_applied: outcome == AppliedOutcome::Unchanged }
    }

    /// An earlier call with the same key did it, with this outcome.
    pub fn before(outcome: AppliedOutcome) -> Self {
        Self { outcome, already_applied: true }
    }
}

/// A place where nodes are registered.
#[async_trait]
pub trait RegistryBackend: Send + Sync {
    /// The name in outputs, errors and logs: `embedded`, `consul`, `postgres`.
    fn name(&self) -> &str;

    /// Whether it carries out intents of this kind.
    fn handles(&self, kind: &str) -> bool;

    /// Whether [`Self::undo`] can take intents of this kind back.
    fn undoes(&self, kind: &str) -> bool {
        self.handles(kind)
    }

    /// Carries out one intent.
    ///
    /// # Contract
    ///
    /// - Two calls with one `key` count as one: the second is answered with the first one's outcome and
    ///   `already_applied`. A backend without a history knows only the key of the entry's last writer.
    /// - An entry gives way to a newer position only (see [`crate::judge`]) and keeps its `registered_at`.
    /// - Concurrent calls for one node leave the newest; the others are refused as stale or were replaced.
    /// - The future may be dropped at any await point; what it wrote by then is whole or absent.
    ///
    /// # Errors
    ///
    /// `Conflict` with ONEX4004 when something newer is stored; otherwise a failure whose class says
    /// whether another attempt may help. No message holds a secret.
    async fn apply(&self, intent: &RegistrationIntent, key: &IdempotencyKey) -> Result<Applied, Failure>;

    /// Takes back what `apply` did under this key, and forgets the key, so that a later run of the
    /// same effect is carried out again.
    ///
    /// # Contract
    ///
    /// - What the intent created goes, what it replaced or removed is restored; a backend without a
    ///   history can only take the entry out.
    /// - A later writer's entry stays; a key that did nothing, or is unknown, is no error.
    ///
    /// # Errors
    ///
    /// As [`Self::apply`]; `Validation` with ONEX4007 for a kind that has no undo here.
    async fn undo(&self, intent: &RegistrationIntent, key: &IdempotencyKey) -> Result<(), Failure>;

    /// Everything it holds, ordered by id; deregistered entries where they are kept.
    ///
    /// # Errors
    ///
    /// As [`Self::apply`].
    async fn entries(&self) -> Result<Vec<RegistryEntry>, Failure>;

    /// Whether it can be reached and used now.
    ///
    /// # Errors
    ///
    /// As [`Self::apply`].
    async fn check(&self) -> Result<(), Failure>;
}
