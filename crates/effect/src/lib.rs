#![doc = include_str!("../README.md")]
//!
//! Decides how one attempt of an effect is run and says nothing about how often: the orchestrator
//! owns retries. Backends are other crates; they know the trait here and nothing of each other.

mod backend;
mod breaker;
pub mod codes;
#[cfg(feature = "conformance")]
pub mod conformance;
mod entry;
mod gate;
mod message;
mod registry_effect;
mod verdict;

pub use backend::{Applied, AppliedOutcome, RegistryBackend};
pub use breaker::{Admission, BreakerSettings, CircuitBreaker, Ticket, counts_as_failure};
pub use entry::{EntryState, RegistryEntry, ServiceFacts};
pub use gate::Gate;
pub use message::{MAX_MESSAGE_CHARS, safe_message};
pub use registry_effect::RegistryEffect;
pub use verdict::{RemovalVerdict, Stored, Verdict, judge, judge_removal, refused_as_stale};
