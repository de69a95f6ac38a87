//! Decides as which account the server runs, and where its data can lie so that it may reach them.
//!
//! Only root has a choice to make: the packaged account `postgres` gets the data directory. That
//! account must be able to walk to it, which it is not below a closed home directory; then the
//! data go below `/tmp`, under a name that is this workspace's own.

use std::fs::{self, DirBuilder};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow};
use serde::{Deserialize, Serialize};

use super::super::layout::Layout;
use crate::command::capture;

/// Another account of this machine.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Account {
    pub(super) name: String,
    user: u32,
    group: u32,
}

impl Account {
    /// The account that root runs the server as; none when we are not root.
    pub(super) fn for_servers() -> Result<Option<Self>> {
        if !is_root()? {
            return Ok(None);
        }
        let name = "postgres";
        let (user, group) = (ask("-u", name)?, ask("-g", name)?);
        Ok(Some(Self { name: name.to_owned(), user, group }))
    }

    fn reaches(&self, directory: &Path) -> bool {
        let mut shell = command(Some(self), Path::new("sh"));
        capture(shell.args(["-c", "cd \"$1\"", "sh"]).arg(directory)).is_ok()
    }
}

pub(super) fn is_root() -> Result<bool> {
    let owner = fs::metadata("/proc/self").context("reading our own user id")?;
    Ok(owner.uid() == 0)
}

fn ask(option: &str, name: &str) -> Result<u32> {
    let answer = capture(Command::new("id").args([option, name]))?;
    answer.trim().parse().map_err(|_| anyhow!("`id {option} {name}` says `{}`", answer.trim()))
}

/// A command that runs as `account`, from a directory that every account can enter.
pub(super) fn command(account: Option<&Account>, program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/");
    if let Some(account) = account {
        command.uid(account.user).gid(account.group);
    }
    command
}

/// Hands a file or directory to `account`.
pub(super) fn give(path: &Path, account: Option<&Account>) -> Result<()> {
    let Some(account) = account else { return Ok(()) };
    chown(path, Some(account.user), Some(account.group))
        .with_context(|| format!("giving {} to `{}`", path.display(), account.name))
}

/// Where the data of this workspace may lie.
pub(super) fn possible_homes(layout: &Layout) -> [PathBuf; 2] {
    [layout.postgres_home(), outside(layout)]
}

/// A new and empty directory that only the server's account can enter.
pub(super) fn home(layout: &Layout, account: Option<&Account>) -> Result<PathBuf> {
    let reachable = account.is_none_or(|account| account.reaches(&layout.directory));
    let home = if reachable { layout.postgres_home() } else { outside(layout) };
    let made = DirBuilder::new().mode(0o700).create(&home);
    made.with_context(|| format!("creating {}", home.display()))?;
    give(&home, account)?;
    Ok(home)
}

fn outside(layout: &Layout) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    layout.directory.hash(&mut hasher);
    Path::new("/tmp").join(format!("onex-postgres-{:016x}", hasher.finish()))
}
