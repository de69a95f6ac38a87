#![doc = include_str!("../README.md")]
//!
//! Decides how registrations live in one SQLite file: the table of nodes and a service catalogue,
//! each with a history, so that every intent can be repeated and undone. For one process at a time
//! that writes; others may read.

mod database;
mod failure;
mod history;
mod nodes;
mod registry;
mod services;
mod shelf;

pub use registry::EmbeddedRegistry;
