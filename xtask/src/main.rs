//! `cargo xtask`: what a maintainer does to this workspace, in one place and in one language.
//!
//! Each command is a module that can be read alone. What CI runs is what a person runs: there is
//! no shell script beside this program that knows something this program does not.
//!
//! **Absent on purpose:** a runtime, an HTTP client, a signal handler. The commands start other
//! programs and wait for them; the standard library does that well.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool talks on its streams")]
#![expect(
    clippy::disallowed_methods,
    reason = "this tool is the outside world: it reads clocks and sleeps while programs start"
)]

mod bench;
mod ci;
mod layers;
mod scan;
mod schemas;
mod services;
mod test;

mod command;
mod step;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use schemas::Mode;

/// Maintainer commands of the ONEX workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run a private PostgreSQL and a private Consul agent for the tests.
    #[command(subcommand)]
    Services(services::Action),
    /// Run every test of the workspace, with the services up while it runs.
    Test(test::Arguments),
    /// Check that each package depends only on packages of a lower layer.
    Layers,
    /// Write the JSON Schemas of our models to `contracts/schema`.
    Schemas {
        /// Write nothing; fail when a file is not what the models produce.
        #[arg(long)]
        check: bool,
    },
    /// Tell what the reader says about many contracts at once.
    Scan(scan::Arguments),
    /// Measure, and print the numbers with the machine they are of.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Run everything that has to hold before a change is merged.
    Ci,
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<ExitCode> {
    match task {
        Task::Services(action) => return services::run(&action),
        Task::Test(arguments) => return test::run(&arguments),
        Task::Layers => layers::check()?,
        Task::Schemas { check: true } => schemas::run(Mode::Check)?,
        Task::Schemas { check: false } => schemas::run(Mode::Write)?,
        Task::Scan(arguments) => scan::run(&arguments)?,
        Task::Bench(bench) => bench::run(&bench)?,
        Task::Ci => ci::run()?,
    }
    Ok(ExitCode::SUCCESS)
}
