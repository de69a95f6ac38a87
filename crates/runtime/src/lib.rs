#![doc = include_str!("../README.md")]
//!
//! Decides how contracts become a running system, and what becomes of every message: its run ends, or it is
//! safely dead-lettered, or it comes again. Nothing is dropped and nothing is silent.

mod clock;
pub mod codes;
mod cores;
mod dead_letter;
mod discovery;
mod ingress;
mod intake;
mod lanes;
mod leases;
mod orders;
mod recovery;
mod retention;
mod runtime;
mod wiring;

pub use clock::SystemClock;
pub use cores::on_all_cores;
pub use dead_letter::{DeadLetter, DeadLetterError, DeadLetterFile};
pub use discovery::{ContractFile, Discovered, DiscoveryError, FoundContract, discover, find, read_file};
pub use ingress::{Inbound, Ingress, Rejection, decode};
pub use lanes::Lanes;
pub use runtime::{Observer, RunReport, Runtime, RuntimeError, RuntimeParts, Stopped};
pub use wiring::{Outcome, WiredOrchestrator, WiringEntry, WiringReport};
