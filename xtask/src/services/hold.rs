//! Decides how long a test run keeps the services: while it lives, however it ends.
//!
//! A run that ends by itself gives up its hold by itself. One that is killed, by Ctrl-C for one,
//! cannot; so each run has a guard, a second process that waits for the end of a pipe which only
//! the run holds open. The last run out takes the services down, unless an operator said `up`.

use std::io::{sink, stdin};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use super::layout::Layout;
use super::process::Process;
use super::state::State;
use super::{take_down, up, variables};

/// The services are up for this run until [`Hold::release`].
pub(crate) struct Hold {
    layout: Layout,
    guard: Child,
}

impl Hold {
    /// Starts the services unless they answer; with `keep` they stay after the run.
    pub(crate) fn take(keep: bool) -> Result<Self> {
        let hold = Self { layout: Layout::of_workspace(), guard: start_guard()? };
        let started = up(&hold.layout, |state| {
            state.runs.push(Process::myself());
            state.keep |= keep;
        });
        match started {
            Ok(()) => Ok(hold),
            Err(error) => hold.release().and(Err(error)),
        }
    }

    /// What the tests find in their environment.
    pub(crate) fn variables(&self) -> Result<Vec<(&'static str, String)>> {
        variables(&self.layout)
    }

    pub(crate) fn release(mut self) -> Result<()> {
        release(&self.layout, std::process::id())?;
        drop(self.guard.stdin.take());
        self.guard.wait().map(drop).context("waiting for the guard of the services")
    }
}

/// A session of its own, so that the Ctrl-C that ends the run does not end its guard.
fn start_guard() -> Result<Child> {
    let program = std::env::current_exe().context("looking for our own program")?;
    let mut session = Command::new("setsid");
    session.arg(program).args(["services", "guard", &std::process::id().to_string()]);
    session.stdin(Stdio::piped()).stdout(Stdio::null());
    session.spawn().context("starting the guard of the services")
}

/// What the guard does: nothing until its run is gone, then what the run could not do.
pub(super) fn guard(layout: &Layout, pid: u32) -> Result<()> {
    std::io::copy(&mut stdin(), &mut sink()).context("waiting for the end of a run")?;
    release(layout, pid)
}

fn release(layout: &Layout, pid: u32) -> Result<()> {
    let _lock = layout.lock()?;
    let mut state = State::load(layout);
    if !state.forget(pid) {
        return Ok(());
    }
    if state.wanted() {
        eprintln!("services stay up: `cargo xtask services down` ends them");
        return state.save(layout);
    }
    take_down(layout, state)
}
