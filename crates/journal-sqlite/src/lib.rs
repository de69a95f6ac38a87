#![doc = include_str!("../README.md")]
//!
//! Decides how the promises of [`onex_journal::Journal`] are kept in one SQLite file: what is one transaction
//! (`batch`), what is refused (`plan`), and which statements carry it out (`load`, `store`). Reading is separate
//! (`read`), so that a list of runs never waits for a flush.
//!
//! **Absent on purpose:** retention. Ended runs and their records stay until something is built to remove them.

mod batch;
mod error;
#[cfg(test)]
mod failure_tests;
mod file;
mod journal;
mod load;
mod plan;
mod read;
mod readers;
mod request;
mod row;
mod statistics;
mod store;
mod writer;

pub use journal::SqliteJournal;
pub use statistics::Statistics;
