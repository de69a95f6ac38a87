//! Decides what is measured, and against what: numbers that the README and the changelog may quote.
//!
//! A number without its machine and its commit says nothing, so both stand above every table. Each figure is the
//! median of several runs, with the extremes beside it.

mod check;
mod corpus;
mod machine;
mod measure;

use anyhow::Result;
use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum Bench {
    /// `onex check` over the corpus of real contracts, repeated, against the bare parse of the same files.
    Check(check::Arguments),
}

pub(crate) fn run(bench: &Bench) -> Result<()> {
    match bench {
        Bench::Check(arguments) => check::run(arguments),
    }
}
