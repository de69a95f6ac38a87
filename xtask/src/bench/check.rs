//! Measures `onex check`: cold (nothing remembered), cached, and the bare parse that both are held against.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::json;

use super::measure::{Measured, measure};
use super::{corpus, machine};
use crate::{step, workspace};

#[derive(Args)]
pub(crate) struct Arguments {
    /// How many files are checked.
    #[arg(long, default_value_t = 10_000)]
    files: usize,
    /// How often each figure is measured.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Where the corpus of real contracts is, with its manifest.json.
    #[arg(long, default_value = "../shared/corpus")]
    corpus: PathBuf,
    /// Print one JSON row instead of a table.
    #[arg(long)]
    json: bool,
}

struct Figures {
    parse: Measured,
    cold: Measured,
    cached: Measured,
}

pub(super) fn run(arguments: &Arguments) -> Result<()> {
    if arguments.runs == 0 || arguments.files == 0 {
        bail!("nothing to measure");
    }
    let directory = workspace::root().join("target/bench/check");
    let files = directory.join("files");
    step::timed("files", || corpus::repeat(&workspace::root().join(&arguments.corpus), &files, arguments.files))?;
    step::timed("build", build)?;
    let figures = step::timed("measure", || figures(&files, &directory.join("cache"), arguments.runs))?;
    if arguments.json {
        println!("{}", row(arguments.files, &figures));
    } else {
        table(arguments.files, &figures)?;
    }
    Ok(())
}

fn build() -> Result<()> {
    let release = |arguments: &[&str]| {
        let mut cargo = step::cargo(&["build", "--quiet", "--release"]);
        step::show(cargo.args(arguments))
    };
    release(&["--package", "onex"])?;
    release(&["--package", "onex-contract", "--example", "parse"])
}

/// The three in turn, so that a slow minute of the machine is slow for all of them.
fn figures(files: &Path, cache: &Path, runs: usize) -> Result<Figures> {
    let program = |name: &str| Command::new(workspace::root().join("target/release").join(name));
    let mut parses = Vec::new();
    let mut colds = Vec::new();
    let mut cacheds = Vec::new();
    for _ in 0..runs {
        parses.push(measure(program("examples/parse").arg(files))?);
        if cache.exists() {
            std::fs::remove_dir_all(cache).context("emptying the cache")?;
        }
        let check = || {
            let mut check = program("onex");
            check.arg("check").arg(files).arg("--cache-dir").arg(cache);
            check
        };
        colds.push(measure(&mut check())?);
        cacheds.push(measure(&mut check())?);
    }
    Ok(Figures { parse: Measured::of(parses), cold: Measured::of(colds), cached: Measured::of(cacheds) })
}

fn row(files: usize, figures: &Figures) -> serde_json::Value {
    json!({
        "bench": "check",
        "files": files,
        "cold_ms": figures.cold.milliseconds(),
        "cached_ms": figures.cached.milliseconds(),
        "parse_ms": figures.parse.milliseconds(),
        "rss_mb": figures.cold.megabytes().max(figures.cached.megabytes()),
    })
}

fn table(files: usize, figures: &Figures) -> Result<()> {
    println!("{}\n", machine::describe()?);
    println!("{files} files       median      (least to most)     memory    files/s");
    for (name, measured) in
        [("bare parse", &figures.parse), ("check, cold", &figures.cold), ("check, cached", &figures.cached)]
    {
        let (least, most) = measured.extremes();
        let median = measured.milliseconds();
        println!(
            "{name:<14} {median:>8} ms  ({least:>6} to {most:>6} ms)  {:>5} MB  {:>8}",
            measured.megabytes(),
            files as u128 * 1000 / u128::from(median.max(1)),
        );
    }
    let times = figures.cold.milliseconds() as f64 / figures.parse.milliseconds().max(1) as f64;
    println!("\ncold is {times:.2} times the bare parse (bar: 2); bars: cached 500 ms, 200 MB");
    Ok(())
}
