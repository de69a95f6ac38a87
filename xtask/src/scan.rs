//! Decides nothing about contracts: it tells what the reader says about many of them at once.
//!
//! Before a rule changes, a scan over real contracts shows how many it hits and where. It is a
//! census, not a gate (that is `onex check`), so findings do not make it fail.

mod report;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use onex_contract::{Reading, Source, read};
use walkdir::WalkDir;

use crate::workspace;
use report::Report;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Directories to search for contracts, or single files; the workspace's own when none is named.
    directories: Vec<PathBuf>,
    /// Print every file and every finding as JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let own = [workspace::root().join("contracts"), workspace::root().join("examples")];
    let roots = if arguments.directories.is_empty() { &own[..] } else { &arguments.directories };
    let mut readings = Vec::new();
    for path in contracts(roots)? {
        readings.push(reading(&path)?);
    }
    if readings.is_empty() {
        bail!("no contract found below {}", shown(roots));
    }
    let report = Report::of(&readings);
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report).context("encoding the report")?);
    } else {
        print!("{report}");
    }
    Ok(())
}

fn shown(roots: &[PathBuf]) -> String {
    roots.iter().map(|root| root.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// Each contract once, in the order of the names, so that two scans can be compared.
fn contracts(roots: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for root in roots {
        for entry in WalkDir::new(root).sort_by_file_name() {
            let entry = entry.with_context(|| format!("searching {}", root.display()))?;
            let named = entry.depth() == 0 || is_contract(entry.path());
            if entry.file_type().is_file() && named {
                found.push(entry.into_path());
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// `contract.yaml`, and names that end so: `handler_contract.yaml`, `runtime.contract.yaml`.
fn is_contract(path: &Path) -> bool {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let extension = path.extension().and_then(|extension| extension.to_str());
    let named = ["_contract", ".contract"].iter().any(|end| stem.ends_with(end));
    matches!(extension, Some("yaml" | "yml")) && (stem == "contract" || named)
}

fn reading(path: &Path) -> Result<Reading> {
    let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(read(Source { file: &path.display().to_string(), text: &text }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contracts_are_known_by_their_names() {
        for name in ["contract.yaml", "a/contract.yml", "handler_contract.yaml", "a__contract.yaml"] {
            assert!(is_contract(Path::new(name)), "{name}");
        }
        for name in ["contract.json", "contracts.yaml", "subcontract.yaml", "yaml", "contract"] {
            assert!(!is_contract(Path::new(name)), "{name}");
        }
    }
}
