#![doc = include_str!("../README.md")]
//!
//! Decides how the promises of [`onex_journal::Journal`] are kept in one SQLite file: what is one transaction
//! (`batch`), and which statements carry it out (`load`, `store`, `choose`). What is refused is every journal's
//! [`planning`](onex_journal::planning). Reading is separate (`read`), so that a list of runs never waits for a flush.

mod batch;
mod choose;
mod error;
#[cfg(test)]
mod failure_tests;
mod file;
mod heads;
mod journal;
mod load;
mod read;
mod readers;
mod store;
mod writer;

pub use journal::SqliteJournal;
pub use onex_journal::planning::Statistics;
