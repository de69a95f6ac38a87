//! Decides what has to be known of the machine and of the program to read a number.

use std::fs;
use std::process::Command;

use anyhow::Result;

use crate::{command, workspace};

/// Processor, cores, memory and commit, on one line.
pub(super) fn describe() -> Result<String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let memory = field("/proc/meminfo", "MemTotal").unwrap_or_else(|| "unknown memory".to_owned());
    let mut git = Command::new("git");
    git.current_dir(workspace::root()).args(["describe", "--always", "--dirty"]);
    let commit = command::capture(&mut git)?;
    Ok(format!("{processor}, {cores} cores, {memory}; commit {}", commit.trim()))
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
