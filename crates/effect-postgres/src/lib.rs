#![doc = include_str!("../README.md")]
//!
//! Decides how registrations live in a PostgreSQL table. The position guard and the history are part
//! of the one statement that writes a row, so any number of writers may run against one database.

mod config;
mod database;
mod failure;
mod registry;
mod row;
mod undo;
mod write;

pub use config::PostgresConfig;
pub use registry::PostgresRegistry;
