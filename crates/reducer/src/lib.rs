#![doc = include_str!("../README.md")]
//!
//! Decides what an event does to an entity. Pure: no clock, no ids of its own, no I/O; the same state
//! and event give the same state and intents, today and in a recovery.

pub mod codes;
mod machine;
mod registration;

pub use machine::{Machine, Step, StepError};
pub use registration::{RegistrationReducer, RegistrationState};
