//! Decides what is remembered between two commands: what runs, and who still wants it.
//!
//! The state is written as soon as a service starts, not when it answers, so that `down` finds
//! what a killed `up` left behind. It is never proof: every pid in it is checked before use.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::consul::Consul;
use super::layout::Layout;
use super::postgres::Postgres;
use super::process::Process;

/// What `state.json` holds.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    /// An operator said `up`: only `down` ends that.
    #[serde(default)]
    pub(super) keep: bool,
    /// The test runs that use the services. A dead one no longer counts.
    #[serde(default)]
    pub(super) runs: Vec<Process>,
    pub(super) postgres: Option<Postgres>,
    pub(super) consul: Option<Consul>,
}

impl State {
    /// Reads the state; an unreadable one counts as none, because a killed run may have left it.
    pub(super) fn load(layout: &Layout) -> Self {
        let path = layout.state();
        let Ok(text) = fs::read_to_string(&path) else {
            return Self::default();
        };
        serde_json::from_str(&text).unwrap_or_else(|error| {
            eprintln!("ignoring {}, which cannot be read: {error}", path.display());
            Self::default()
        })
    }

    /// Replaces the file in one step. It holds a password and a token: only its owner reads it.
    pub(super) fn save(&self, layout: &Layout) -> Result<()> {
        let path = layout.state();
        let fresh = path.with_extension("json.new");
        let text = serde_json::to_string_pretty(self).context("encoding the state")?;
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)
            .with_context(|| format!("opening {}", fresh.display()))?;
        file.write_all(text.as_bytes()).context("writing the state")?;
        fs::rename(&fresh, &path).with_context(|| format!("writing {}", path.display()))
    }

    /// Ends the hold of test run `pid`; false when it held nothing.
    pub(super) fn forget(&mut self, pid: u32) -> bool {
        let before = self.runs.len();
        self.runs.retain(|run| run.pid != pid);
        self.runs.len() < before
    }

    /// Whether somebody still needs the services.
    pub(super) fn wanted(&self) -> bool {
        self.keep || self.runs.iter().any(|run| run.current().is_some())
    }
}
