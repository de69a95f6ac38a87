//! The program as its users meet it: the `onex` binary in a directory of its own, fed with events, and the
//! databases, Consul agents and servers behind it.
//!
//! Nothing here knows how the program works inside; what it left behind is read with other tools: SQL and HTTP.
//!
//! **Absent on purpose:** skipping. Without the services or the binary a test fails and says what to run.

mod agent;
mod data;
mod events;
mod program;
mod server;
mod wait;

pub use agent::{Agent, Catalogue, PrivateAgent};
pub use data::{block_on, postgres, sqlite, sqlite_count};
pub use events::{Malformed, crowd, event, example, fresh_node, lines, malformed, node, renamed};
pub use program::{Ended, Home, Program, Published, Running};
pub use server::{Database, PrivateServer};
pub use wait::{DEADLINE, until};

/// A variable of the environment that `cargo xtask test` sets.
#[expect(clippy::disallowed_methods, reason = "tests find their services in the environment")]
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run `cargo xtask test`, or `eval \"$(cargo xtask services env)\"` after `cargo xtask services up`")
    })
}
