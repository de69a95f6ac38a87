//! Decides which PostgreSQL server programs are used, and installs them when there are none and
//! we are root.
//!
//! Debian keeps them out of `PATH`, one directory per version; the newest wins. Whatever is found
//! must really be a server: a client-only installation also has a `bin` directory.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::account;
use crate::command;

const VERSIONS: &str = "/usr/lib/postgresql";
const CLUSTER_SETTINGS: &str = "/etc/postgresql-common/createcluster.conf";

/// The directory of `initdb` and `postgres`.
pub(super) fn programs() -> Result<PathBuf> {
    if let Some(found) = find() {
        return Ok(found);
    }
    if !account::is_root()? {
        bail!(
            "no PostgreSQL server found in {VERSIONS} or PATH: run \
             `sudo apt-get install --no-install-recommends postgresql`, then try again"
        );
    }
    install()?;
    find().context("the package `postgresql` brought no `initdb`")
}

fn find() -> Option<PathBuf> {
    packaged().into_iter().chain(on_path()).find(|directory| is_server(directory))
}

/// The directories of the Debian packages, highest version first.
fn packaged() -> Vec<PathBuf> {
    let entries = fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let version = |name: &str| name.parse::<u32>().ok();
    let mut found: Vec<(u32, PathBuf)> =
        entries.filter_map(|entry| Some((version(entry.file_name().to_str()?)?, entry.path()))).collect();
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.into_iter().map(|(_, path)| path.join("bin")).collect()
}

/// The directories of `PATH` in which an `initdb` lies, links followed.
fn on_path() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let resolve = |directory: PathBuf| fs::canonicalize(directory.join("initdb")).ok();
    let programs = env::split_paths(&path).filter_map(resolve);
    programs.filter_map(|program| program.parent().map(Path::to_owned)).collect()
}

fn is_server(directory: &Path) -> bool {
    ["initdb", "postgres"].iter().all(|name| directory.join(name).is_file())
}

/// Installs the distribution's server, and no cluster: ours is made below `target`.
fn install() -> Result<()> {
    eprintln!("postgres: not installed, installing the package `postgresql`");
    if !Path::new(CLUSTER_SETTINGS).exists() {
        fs::create_dir_all("/etc/postgresql-common").context("creating a settings directory")?;
        fs::write(CLUSTER_SETTINGS, "create_main_cluster = false\n")
            .with_context(|| format!("writing {CLUSTER_SETTINGS}"))?;
    }
    apt_get(&["update"])?;
    apt_get(&["install", "-y", "--no-install-recommends", "postgresql"])
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    let mut apt = Command::new("apt-get");
    apt.env("DEBIAN_FRONTEND", "noninteractive").arg("-q").args(arguments);
    command::capture(&mut apt).map(drop)
}
