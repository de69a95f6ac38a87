//! Decides what the tests find behind `ONEX_TEST_*`: a real PostgreSQL and a real Consul agent
//! that belong to this workspace alone, on free ports, below `target/services`.
//!
//! Starting and stopping happen under one lock file, so two commands never start the same thing
//! twice. Who needs the services is part of the state: an operator who said `up` keeps them until
//! `down`; a test run holds them only while it lives (see [`state::State`]).
//!
//! **Absent on purpose:** repair. A service that does not answer is replaced by a fresh one;
//! nothing in it is worth keeping.

mod apt;
mod consul;
mod hold;
mod http;
mod layout;
mod postgres;
mod process;
mod random;
mod state;

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Subcommand;

use layout::Layout;
use state::State;

pub(crate) use hold::Hold;

#[derive(Subcommand)]
pub(crate) enum Action {
    /// Start both services unless they already answer, and wait until they do.
    Up,
    /// Stop both services and delete their data.
    Down,
    /// Print one line per service; exit code 1 when one of them does not answer.
    Status,
    /// Print the variables that the tests read, as `export` lines for a shell.
    #[command(after_help = "Use it as: eval \"$(cargo xtask services env)\"")]
    Env,
    /// Wait until standard input closes, then give up the hold of process PID.
    #[command(hide = true)]
    Guard { pid: u32 },
}

pub(crate) fn run(action: &Action) -> Result<ExitCode> {
    let layout = Layout::of_workspace();
    match action {
        Action::Up => {
            up(&layout, |state| state.keep = true)?;
            eprintln!("services are up: eval \"$(cargo xtask services env)\"");
        }
        Action::Down => down(&layout)?,
        Action::Status => return status(&layout),
        Action::Env => print!("{}", export_lines(&variables(&layout)?)),
        Action::Guard { pid } => hold::guard(&layout, *pid)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn up(layout: &Layout, hold: impl FnOnce(&mut State)) -> Result<()> {
    let _lock = layout.lock()?;
    let mut state = State::load(layout);
    hold(&mut state);
    state.save(layout)?;
    postgres::ensure(layout, &mut state)?;
    consul::ensure(layout, &mut state)
}

fn down(layout: &Layout) -> Result<()> {
    let _lock = layout.lock()?;
    take_down(layout, State::load(layout))
}

/// Stops what is recorded, and what is not but lies where ours would. The caller holds the lock.
fn take_down(layout: &Layout, mut state: State) -> Result<()> {
    if let Some(consul) = state.consul.take() {
        consul.remove()?;
        state.save(layout)?;
    }
    if let Some(postgres) = state.postgres.take() {
        postgres.remove()?;
    }
    consul::sweep(layout)?;
    postgres::sweep(layout)?;
    layout.forget()?;
    eprintln!("services are down");
    Ok(())
}

fn status(layout: &Layout) -> Result<ExitCode> {
    let state = State::load(layout);
    let postgres = state.postgres.as_ref().map(|postgres| (postgres.running(), postgres.port));
    let consul = state.consul.as_ref().map(|consul| (consul.running(), consul.http_port));
    let mut all_answer = true;
    for (name, found) in [("postgres", postgres), ("consul", consul)] {
        match found {
            Some((Some(pid), port)) => println!("{name}: running, pid {pid}, 127.0.0.1:{port}"),
            Some((None, _)) => println!("{name}: recorded but does not answer"),
            None => println!("{name}: not running"),
        }
        all_answer &= matches!(found, Some((Some(_), _)));
    }
    Ok(if all_answer { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The environment of a test process, in the order it is printed.
fn variables(layout: &Layout) -> Result<Vec<(&'static str, String)>> {
    let state = State::load(layout);
    let (Some(postgres), Some(consul)) = (state.postgres, state.consul) else {
        bail!("the services are not running: run `cargo xtask services up`");
    };
    let mut variables = postgres.variables();
    variables.extend(consul.variables());
    variables.push(("ONEX_TEST_SERVICES_DIR", layout.directory.display().to_string()));
    Ok(variables)
}

fn export_lines(variables: &[(&str, String)]) -> String {
    let line = |(name, value): &(&str, String)| format!("export {name}={}\n", quoted(value));
    variables.iter().map(line).collect()
}

/// One shell word, whatever `value` holds.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_one_shell_word() {
        let lines = export_lines(&[("A", "plain".to_owned()), ("B", "it's $HOME".to_owned())]);
        assert_eq!(lines, "export A='plain'\nexport B='it'\\''s $HOME'\n");
    }
}
