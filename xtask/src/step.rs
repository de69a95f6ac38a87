//! Decides how the commands that do several things show each of them: its name when it begins,
//! its time when it ends.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::{command, workspace};

/// Runs one phase and prints how long it took, also when it failed.
pub(crate) fn timed<T>(name: &str, phase: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("==> {name}");
    let start = Instant::now();
    let result = phase();
    let verdict = if result.is_ok() { "done" } else { "failed" };
    eprintln!("==> {name}: {verdict} after {:.1} s", start.elapsed().as_secs_f64());
    result
}

/// The `cargo` that runs us, in the root of the workspace.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = Command::new(program);
    cargo.current_dir(workspace::root()).args(arguments);
    cargo
}

/// Runs a program whose output is for the reader.
pub(crate) fn show(program: &mut Command) -> Result<()> {
    let status = program.status();
    let status = status.with_context(|| format!("starting `{}`", command::shown(program)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", command::shown(program));
    }
    Ok(())
}
