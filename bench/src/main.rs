//! The programs that `cargo xtask bench engine` measures, one figure per process, so that each has its own memory.
//!
//! Each prints one JSON object, a row of the benchmark. What is measured is in the modules; how often, and what
//! becomes of several measurements, is xtask's.
#![expect(clippy::print_stdout, reason = "a program that prints its figure")]
#![expect(clippy::disallowed_methods, reason = "a program that measures reads clocks")]

mod graph;
mod journals;
mod limits;
mod load;
mod process;
mod waiting;
mod workflow;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};
use serde_json::Value;

use journals::Kind;

/// The allocator of `onex`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One figure of the engine or of the machine.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    figure: Figure,
}

#[derive(Subcommand)]
enum Figure {
    /// Runs of six steps, so many at once, for some seconds.
    Engine {
        #[command(flatten)]
        place: Place,
        #[arg(long)]
        in_flight: usize,
        #[arg(long, default_value_t = 5.0)]
        seconds: f64,
    },
    /// Resident memory while so many runs wait for their next attempt.
    Waiting {
        #[command(flatten)]
        place: Place,
        #[arg(long, default_value_t = 10_000)]
        in_flight: usize,
    },
    /// Planning and running a graph of so many steps that do nothing.
    Graph {
        #[arg(long)]
        steps: usize,
    },
    /// How often a second the machine puts a small write on disk.
    Fdatasync {
        #[command(flatten)]
        place: Place,
        #[arg(long, default_value_t = 2.0)]
        seconds: f64,
    },
    /// How many one-row commits a second PostgreSQL does on so many connections.
    PostgresCommit {
        #[command(flatten)]
        place: Place,
        #[arg(long)]
        in_flight: usize,
        #[arg(long, default_value_t = 3.0)]
        seconds: f64,
    },
}

#[derive(clap::Args)]
pub(crate) struct Place {
    /// Which journal.
    #[arg(long, default_value = "memory")]
    pub(crate) journal: Kind,
    /// An empty directory on the disk to be measured.
    #[arg(long, default_value = ".")]
    pub(crate) directory: PathBuf,
    /// The database to be measured.
    #[arg(long, env = "ONEX_BENCH_POSTGRES_URL", hide_env_values = true)]
    pub(crate) postgres_url: Option<String>,
}

#[tokio::main]
async fn main() -> Result<()> {
    println!("{}", row(Arguments::parse().figure).await?);
    Ok(())
}

async fn row(figure: Figure) -> Result<Value> {
    match figure {
        Figure::Engine { place, in_flight, seconds } => {
            load::row(&place, in_flight, Duration::from_secs_f64(seconds)).await
        }
        Figure::Waiting { place, in_flight } => waiting::row(&place, in_flight).await,
        Figure::Graph { steps } => graph::row(steps).await,
        Figure::Fdatasync { place, seconds } => limits::fdatasync(&place, Duration::from_secs_f64(seconds)),
        Figure::PostgresCommit { place, in_flight, seconds } => {
            limits::postgres_commit(&place, in_flight, Duration::from_secs_f64(seconds)).await
        }
    }
}
