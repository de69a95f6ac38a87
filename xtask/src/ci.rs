//! Decides what has to hold before a change is merged, cheapest first.
//!
//! Each step knows how its failure is repaired, because the person who reads the failure is
//! seldom the one who wrote the step.

use std::process::{Command, ExitCode};

use anyhow::{Result, anyhow, bail};

use crate::schemas::Mode;
use crate::{layers, schemas, step, test};

struct Step {
    name: &'static str,
    run: fn() -> Result<()>,
    repair: &'static str,
}

const STEPS: &[Step] = &[
    Step { name: "format", run: format, repair: "run `cargo fmt --all`" },
    Step { name: "layers", run: layers::check, repair: "change the manifests named above" },
    Step { name: "lints", run: lints, repair: "run `cargo clippy --workspace --all-targets`" },
    Step { name: "schemas", run: fresh_schemas, repair: "run `cargo xtask schemas`, then commit" },
    Step { name: "documentation", run: documentation, repair: "run `cargo doc --workspace --no-deps`" },
    Step { name: "tests", run: tests, repair: "run `cargo xtask test`, or one test with `-- -p NAME`" },
];

/// Stops at the first step that fails.
pub(crate) fn run() -> Result<()> {
    for Step { name, run, repair } in STEPS {
        step::timed(name, run).map_err(|error| anyhow!("{error:#}\nto repair `{name}`: {repair}"))?;
    }
    eprintln!("all {} steps passed", STEPS.len());
    Ok(())
}

fn format() -> Result<()> {
    step::show(&mut step::cargo(&["fmt", "--all", "--check"]))
}

fn lints() -> Result<()> {
    let arguments = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    step::show(&mut step::cargo(&arguments))
}

fn fresh_schemas() -> Result<()> {
    schemas::run(Mode::Check)
}

fn documentation() -> Result<()> {
    let mut cargo: Command = step::cargo(&["doc", "--workspace", "--no-deps"]);
    step::show(cargo.env("RUSTDOCFLAGS", "-D warnings"))
}

fn tests() -> Result<()> {
    if test::run(&test::Arguments::everything())? != ExitCode::SUCCESS {
        bail!("a test failed");
    }
    Ok(())
}
