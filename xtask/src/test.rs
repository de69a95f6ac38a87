//! Decides what "the tests" are: every test of the workspace, with real services behind them and
//! the real binary built, because the end-to-end tests start it.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;

use crate::services::Hold;
use crate::{command, step};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Leave the services up afterwards.
    #[arg(long)]
    keep: bool,
    /// Passed on to `cargo test`; without `-p NAME` every package is tested.
    #[arg(last = true)]
    arguments: Vec<String>,
}

impl Arguments {
    /// Every test, and nothing left behind.
    pub(crate) fn everything() -> Self {
        Self { keep: false, arguments: Vec::new() }
    }
}

/// The exit code is the one of the tests.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let hold = step::timed("services", || Hold::take(arguments.keep))?;
    let outcome = build_and_test(&hold, &arguments.arguments);
    let released = step::timed("release services", || hold.release());
    let code = outcome?;
    released?;
    Ok(code)
}

fn build_and_test(hold: &Hold, arguments: &[String]) -> Result<ExitCode> {
    step::timed("build", || step::show(&mut step::cargo(&["build", "--package", "onex"])))?;
    let variables = hold.variables()?;
    step::timed("test", || {
        let mut tests = step::cargo(&["test"]);
        tests.args(packages(arguments)).args(arguments).envs(variables);
        let status = tests.status();
        let status = status.with_context(|| format!("starting `{}`", command::shown(&tests)))?;
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
    })
}

/// cargo lets `--workspace` win over `-p`, so it is left out when a package is named.
fn packages(arguments: &[String]) -> Option<&'static str> {
    let names_a_package = |argument: &String| argument.starts_with("-p") || argument.starts_with("--package");
    let named = arguments.iter().take_while(|argument| *argument != "--").any(names_a_package);
    (!named).then_some("--workspace")
}
