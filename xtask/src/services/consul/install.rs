//! Decides which `consul` is used: the one on `PATH`, else the one fetched earlier, else the
//! package of the last Debian release that had one.
//!
//! The package is unpacked below `target`, not installed: the machine stays as it was.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::super::apt;
use super::super::layout::{Layout, remove_directory};
use super::settings::Version;
use crate::command;

/// Debian 11; later releases dropped the package when its licence changed.
const LAST_SUITE: &str = "bullseye";

/// A `consul` that runs on this machine.
pub(super) struct Program {
    pub(super) path: PathBuf,
    pub(super) version: Version,
}

impl Program {
    pub(super) fn obtain(layout: &Layout) -> Result<Self> {
        let fetched = layout.programs().join("consul");
        let known = on_path().into_iter().chain([fetched.clone()]);
        if let Some(program) = known.filter_map(|path| Self::probe(path).ok()).next() {
            return Ok(program);
        }
        fetch(layout, &fetched).context(
            "no `consul` on PATH, and none could be fetched from the Debian archive: \
             put a `consul` binary on PATH, then try again",
        )?;
        Self::probe(fetched)
    }

    fn probe(path: PathBuf) -> Result<Self> {
        let printed = command::capture(Command::new(&path).arg("version"))?;
        Ok(Self { version: Version::parse(&printed)?, path })
    }
}

fn on_path() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|directory| directory.join("consul")).find(|file| file.is_file())
}

fn fetch(layout: &Layout, target: &Path) -> Result<()> {
    eprintln!("consul: not installed, fetching the package of Debian {LAST_SUITE}");
    let unpacked = apt::unpack(&layout.apt(), LAST_SUITE, "consul")?;
    fs::create_dir_all(layout.programs()).context("creating a directory for programs")?;
    let program = unpacked.join("usr/bin/consul");
    fs::copy(&program, target).with_context(|| format!("copying {}", program.display()))?;
    remove_directory(&layout.apt())
}
