#![doc = include_str!("../README.md")]
//!
//! Two halves. *Decide*: [`RunState`] takes events and gives commands; no clock, no async, no I/O.
//! *Do*: [`NodeOrchestrator`] carries commands out, journals what happened and feeds it back; it holds no
//! policy. A recovery, a replay and the property tests use the same code as a first run.
//!
//! There is one orchestrator type for all contracts: the contract is the program.

pub mod codes;
mod driver;
mod event;
mod nodes;
mod plan;
mod state;

pub use driver::{Clock, DriveError, NodeOrchestrator, Order, Orders, RunEnd, RunRequest, Wish, Worker, Workflows};
pub use event::{CallId, CarriedCall, Command, EntityAtStart, Event, Parent, RunLimits, Start, StepSummary, Timer};
pub use plan::{
    Binding, ComputeBinding, FailureAction, MAX_STEPS, MayRetry, Plan, PlanError, PlannedStep, RetrySettings, Setting,
};
pub use state::{Outcome, Publication, Reduced, Refusal, RunState};
