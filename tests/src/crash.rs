//! A process that dies at a chosen point and is started again: the cases it runs, the nodes, bus and journal it runs
//! them with, and how a trial is judged afterwards.
//!
//! `src/bin/crashing.rs` is the process, `tests/crash_schedule.rs` enumerates its points. The judge believes neither
//! the engine nor the journal's code: it reads the journal by plain SQL ([`crate::invariants`]) and the ledger that
//! the effects keep.

mod bus;
mod case;
mod graph;
mod judge;
mod ledger;
mod nodes;
mod points;
mod process;
mod store;
mod trial;

pub use bus::PointedBus;
pub use case::{Case, Script, Scripts, Way};
pub use judge::judge;
pub use ledger::{Attempt, Entry, Ledger};
pub use nodes::nodes;
pub use points::Points;
pub use process::{Life, run_process};
pub use store::Store;
pub use trial::{Ended, Trial};
