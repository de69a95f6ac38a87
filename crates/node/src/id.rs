//! Decides how runs, steps and effect calls are named, so that no function takes a bare string or
//! UUID that must be of one kind.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Names one run of one orchestrator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub Uuid);

impl RunId {
    /// The run that `orchestrator` makes of one bus delivery. A redelivery of the same message names
    /// the same run, so a crash between a run's end and the commit of its input starts nothing twice.
    pub fn derive(orchestrator: &str, delivery: Uuid) -> Self {
        Self(Uuid::new_v5(&delivery, orchestrator.as_bytes()))
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Names one step within a contract's graph: its `node_id`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepId(Arc<str>);

impl StepId {
    /// The id as the contract writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for StepId {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Names one effect of one run: the same over every retry and every recovery (G-39).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// `run_id/step_id` for a step's first call, `run_id/step_id/n` for its further ones (`call` ≥ 1).
    pub fn new(run: RunId, step: &StepId, call: u32) -> Self {
        match call {
            0 => Self(format!("{run}/{step}")),
            call => Self(format!("{run}/{step}/{call}")),
        }
    }

    /// The key as text, at most a few hundred characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for IdempotencyKey {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::{IdempotencyKey, RunId, StepId};
    use uuid::Uuid;

    #[test]
    fn a_redelivery_names_the_same_run_and_other_orchestrators_another() {
        let delivery = Uuid::from_u128(7);
        assert_eq!(RunId::derive("a", delivery), RunId::derive("a", delivery));
        assert_ne!(RunId::derive("a", delivery), RunId::derive("b", delivery));
        assert_ne!(RunId::derive("a", delivery), RunId::derive("a", Uuid::from_u128(8)));
    }

    #[test]
    fn keys_name_run_step_and_further_calls() {
        let run = RunId(Uuid::nil());
        let step = StepId::from("store");
        assert_eq!(IdempotencyKey::new(run, &step, 0).as_str(), "00000000-0000-0000-0000-000000000000/store");
        assert_eq!(IdempotencyKey::new(run, &step, 2).as_str(), "00000000-0000-0000-0000-000000000000/store/2");
    }
}
