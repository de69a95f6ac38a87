//! The `onex` binary: reads arguments and configuration, puts crates together, reports, and says with its
//! exit code how it went. What it runs is in the other crates.

#![expect(clippy::print_stderr, reason = "a command-line tool talks on its streams")]

mod arguments;
mod assemble;
mod builtin;
mod check;
mod config;
mod diff;
mod exit;
mod explain;
mod feed;
mod graph;
mod logging;
mod nearest;
mod nodes;
mod output;
mod owner;
mod plan;
mod render;
mod run;
mod runs;
mod schema;
mod settings;
mod tally;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use exit::{Exit, Stop};

/// Runs are made of many small values; a third of the time of one went to the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = logging::start(arguments.log.as_deref()).and_then(|()| in_runtime(arguments.command));
    match result {
        Ok(exit) => exit.into(),
        Err(stop) => {
            if stop.exit != Exit::Done {
                eprintln!("error: {}", chain(&stop));
            }
            stop.exit.into()
        }
    }
}

/// Whoever is still blocked when the command has ended, such as a read of an open standard input, is not waited for.
fn in_runtime(command: Command) -> Result<Exit, Stop> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().or_usage()?;
    let result = runtime.block_on(carry_out(command));
    runtime.shutdown_background();
    result
}

async fn carry_out(command: Command) -> Result<Exit, Stop> {
    match command {
        Command::Run(arguments) => run::run(arguments).await,
        Command::Check(arguments) => check::check(&arguments),
        Command::Plan(arguments) => plan::plan(&arguments),
        Command::Graph(arguments) => graph::graph(&arguments),
        Command::Diff(arguments) => diff::diff(&arguments),
        Command::Explain(arguments) => explain::explain(&arguments),
        Command::Schema(arguments) => schema::schema(&arguments),
        Command::Nodes(arguments) => nodes::nodes(arguments).await,
        Command::Runs(arguments) => runs::runs(arguments).await,
    }
}

/// The error with its causes, on one line. A cause that its own error already told is not told again.
fn chain(stop: &Stop) -> String {
    let mut text = String::new();
    for cause in stop.error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

/// OpenSSL is linked because consulrs's HTTP client asks for it, see `deny.toml`; nothing calls it. Naming it
/// here keeps the `vendored-openssl` feature honest for tools that look for unused dependencies.
const _: fn() = openssl::init;

/// For `?` on results whose error ends the program as a usage error.
trait OrUsage<T> {
    fn or_usage(self) -> Result<T, Stop>;
}

impl<T, E: Into<anyhow::Error>> OrUsage<T> for Result<T, E> {
    fn or_usage(self) -> Result<T, Stop> {
        self.map_err(|error| Stop { exit: Exit::Usage, error: error.into() })
    }
}
