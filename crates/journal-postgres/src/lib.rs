#![doc = include_str!("../README.md")]
//!
//! Decides how the promises of [`onex_journal::Journal`] are kept in a database that several workers share: which
//! calls share a commit (`committer`), what a commit is (`batch`), what is known when it is decided (`assume`,
//! `load`), and which statements carry it out (`write`, `choose`). What is refused is every journal's
//! [`planning`](onex_journal::planning).

mod assume;
mod batch;
mod choose;
mod committer;
mod config;
mod database;
mod error;
mod journal;
mod load;
mod read;
mod storable;
mod write;

pub use config::PostgresJournalConfig;
pub use journal::PostgresJournal;
pub use onex_journal::planning::Statistics;
