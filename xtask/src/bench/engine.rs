//! Measures the durable engine next to the machine's own limits. Each figure is a program of `onex-bench`, run several
//! times, the figures in turn, so that a slow minute of the machine is slow for all of them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use super::machine;
use super::row::Rows;
use crate::services::Hold;
use crate::{command, step, workspace};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The journals that are measured.
    #[arg(long, value_delimiter = ',', default_values = ["memory", "sqlite", "postgres"])]
    journals: Vec<Journal>,
    /// How many runs go on at once.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64])]
    in_flight: Vec<usize>,
    /// How long each load lasts.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// How often each figure is measured.
    #[arg(long, default_value_t = 3)]
    repeat: usize,
    /// Print one JSON row per figure instead of tables.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Journal {
    Memory,
    Sqlite,
    Postgres,
}

/// Sizes of the graphs that are planned and run.
const GRAPHS: [usize; 4] = [10, 100, 1_000, 10_000];

pub(super) fn run(arguments: &Arguments) -> Result<()> {
    if arguments.repeat == 0 || arguments.in_flight.contains(&0) {
        bail!("nothing to measure");
    }
    step::timed("build", build)?;
    let rows = match arguments.journals.contains(&Journal::Postgres) {
        false => step::timed("measure", || measure(arguments, None))?,
        true => with_postgres(|url| step::timed("measure", || measure(arguments, Some(url))))?,
    };
    if arguments.json {
        rows.print_json();
    } else {
        println!("{}\n", machine::describe()?);
        rows.print_tables();
    }
    Ok(())
}

fn build() -> Result<()> {
    step::show(&mut step::cargo(&["build", "--quiet", "--release", "--package", "onex-bench"]))
}

/// A private server while it is measured.
fn with_postgres<T>(measure: impl FnOnce(&str) -> Result<T>) -> Result<T> {
    let hold = step::timed("services", || Hold::take(false))?;
    let variables = hold.variables()?;
    let url = variables.iter().find(|(name, _)| *name == "ONEX_TEST_POSTGRES_URL");
    let measured = url.context("the services name no PostgreSQL").and_then(|(_, url)| measure(url));
    hold.release()?;
    measured
}

fn measure(arguments: &Arguments, postgres_url: Option<&str>) -> Result<Rows> {
    let mut rows = Rows::default();
    for round in 1..=arguments.repeat {
        for figure in figures(arguments) {
            eprintln!("    {round}/{}: {}", arguments.repeat, figure.join(" "));
            rows.add(&measured(&figure, postgres_url)?)?;
        }
    }
    Ok(rows)
}

/// The arguments of each figure's program.
fn figures(arguments: &Arguments) -> Vec<Vec<String>> {
    let words = |text: String| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let mut figures = vec![words("fdatasync".to_owned())];
    if arguments.journals.contains(&Journal::Postgres) {
        let connections = arguments.in_flight.iter();
        figures.extend(connections.map(|number| words(format!("postgres-commit --in-flight {number}"))));
    }
    for journal in &arguments.journals {
        let name = journal.name();
        for in_flight in &arguments.in_flight {
            let seconds = arguments.seconds;
            figures.push(words(format!("engine --journal {name} --in-flight {in_flight} --seconds {seconds}")));
        }
        figures.push(words(format!("waiting --journal {name}")));
    }
    figures.extend(GRAPHS.map(|steps| words(format!("graph --steps {steps}"))));
    figures
}

/// The row that the program prints, run in a directory of its own.
fn measured(figure: &[String], postgres_url: Option<&str>) -> Result<String> {
    let directory = Directory::new()?;
    let mut program = Command::new(workspace::root().join("target/release/onex-bench"));
    program.current_dir(&directory.0).args(figure);
    // In the environment, not among the arguments: it holds a password.
    program.envs(postgres_url.map(|url| ("ONEX_BENCH_POSTGRES_URL", url)));
    command::capture(&mut program)
}

/// An empty directory on the workspace's disk, until it is dropped.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Result<Self> {
        let path = workspace::root().join("target/bench/engine");
        if path.exists() {
            fs::remove_dir_all(&path).with_context(|| format!("emptying {}", path.display()))?;
        }
        fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Directory {
    /// What is left here is emptied before the next figure.
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Journal {
    fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}
