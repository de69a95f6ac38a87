#![doc = include_str!("../README.md")]
//!
//! Decides how registrations live in Consul's catalogue. Consul keeps no history and compares
//! nothing, so the position and the key travel in each service's meta, and writers of one service
//! take turns within this process.

mod client;
mod config;
mod failure;
mod registry;
mod service;

pub use config::ConsulConfig;
pub use registry::ConsulRegistry;
