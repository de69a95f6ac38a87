//! Decides what is measured, and against what: numbers that the README and the changelog may quote.
//!
//! A number without its machine and its commit says nothing, so both stand above every table. Each figure is the
//! median of several runs, with the extremes beside it.

mod check;
mod corpus;
mod engine;
mod machine;
mod measure;
mod row;

use anyhow::Result;
use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum Bench {
    /// `onex check` over the corpus of real contracts, repeated, against the bare parse of the same files.
    Check(check::Arguments),
    /// Durable runs of six steps on every journal, and large graphs, against the machine's own limits.
    Engine(engine::Arguments),
}

pub(crate) fn run(bench: &Bench) -> Result<()> {
    match bench {
        Bench::Check(arguments) => check::run(arguments),
        Bench::Engine(arguments) => engine::run(arguments),
    }
}
