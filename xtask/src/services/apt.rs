//! Decides how a package of another Debian release is fetched without touching the machine's own
//! package lists.
//!
//! The mirror is the one the machine already uses, and so are its proxy and its trust: only the
//! source list and the state directories are ours. No mirror is named in this file, because a
//! build machine may reach no other than its own.

mod sources;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::layout::remove_directory;
use crate::command;

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Downloads `package` of `suite` and returns the directory it was unpacked to.
pub(super) fn unpack(directory: &Path, suite: &str, package: &str) -> Result<PathBuf> {
    let mirrors = sources::debian_mirrors()?;
    let mut problem = None;
    for mirror in &mirrors {
        match fetch(directory, mirror, suite, package) {
            Ok(archive) => return extract(directory, &archive),
            Err(error) => problem = Some(error.context(format!("asking `{mirror}`"))),
        }
    }
    Err(problem.context("this machine's package sources name no Debian archive")?)
}

fn fetch(directory: &Path, mirror: &str, suite: &str, package: &str) -> Result<PathBuf> {
    remove_directory(directory)?;
    for part in ["lists/partial", "cache/archives/partial", "download"] {
        let part = directory.join(part);
        fs::create_dir_all(&part).with_context(|| format!("creating {}", part.display()))?;
    }
    let signed = if Path::new(KEYRING).exists() { format!("[signed-by={KEYRING}] ") } else { String::new() };
    let source = format!("deb {signed}{mirror} {suite} main\n");
    fs::write(directory.join("sources.list"), source).context("writing a source list")?;
    command::capture(apt_get(directory).arg("update"))?;
    command::capture(apt_get(directory).args(["download", package]))?;
    downloaded(&directory.join("download"))
}

/// `apt-get` with our source list and our state; everything else as the machine has it.
fn apt_get(directory: &Path) -> Command {
    let mut apt = Command::new("apt-get");
    apt.current_dir(directory.join("download"));
    for (key, value) in [("Etc::sourcelist", "sources.list"), ("State::lists", "lists"), ("Cache", "cache")] {
        apt.arg("-o").arg(format!("Dir::{key}={}", directory.join(value).display()));
    }
    apt.args(["-o", "Dir::Etc::sourceparts=-", "-o", "APT::Sandbox::User=root"]);
    // A suite that cannot be reached must fail here, not be skipped with a warning.
    apt.args(["-o", "APT::Update::Error-Mode=any", "-q"]);
    apt
}

fn downloaded(directory: &Path) -> Result<PathBuf> {
    let entries = fs::read_dir(directory).context("reading the download directory")?;
    let mut paths = entries.flatten().map(|entry| entry.path());
    let archive = paths.find(|path| path.extension().is_some_and(|extension| extension == "deb"));
    archive.context("`apt-get download` left no package")
}

fn extract(directory: &Path, archive: &Path) -> Result<PathBuf> {
    let unpacked = directory.join("unpacked");
    command::capture(Command::new("dpkg-deb").arg("-x").args([archive, &unpacked]))?;
    if !unpacked.is_dir() {
        bail!("`dpkg-deb` unpacked nothing from {}", archive.display());
    }
    Ok(unpacked)
}
