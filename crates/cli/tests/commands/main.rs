//! The commands that tell about contracts, run as programs: what they say and how they end.

#![expect(clippy::expect_used, reason = "a test reports by panicking")]

mod diff;
mod explain;
mod graph;
mod plan;
mod program;
mod schema;
