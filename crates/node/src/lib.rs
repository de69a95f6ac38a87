#![doc = include_str!("../README.md")]
//!
//! Decides what a node is at run time and nothing about how one is run: three traits, the ids a call
//! carries, the ways a call can fail, and the registry that resolves a name to a node. Backends and
//! the orchestrator meet here and know nothing else of each other.

mod failure;
mod id;
mod intent;
mod kinds;
mod registry;

pub use failure::{ErrorClass, Failure, Retry};
pub use id::{IdempotencyKey, RunId, StepId};
pub use intent::{Intent, IntentOutcome};
pub use kinds::{Compute, ComputeInput, Effect, EffectCall, ReduceContext, Reducer, Reduction, StepResult};
pub use registry::{NodeRegistry, ResolveError};

/// A point in time, always UTC; it arrives as an argument, never from a clock.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
