//! Decides which JSON Schemas are published in `contracts/schema`, and that they are the ones the
//! models produce today.
//!
//! One function writes and checks, so the check cannot disagree with the command that repairs. The
//! files are committed: a review then shows what changes for those who read them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::workspace;

const DIRECTORY: &str = "contracts/schema";
const SUFFIX: &str = ".schema.json";
const REPAIR: &str = "run `cargo xtask schemas` and commit the result";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Write,
    Check,
}

pub(crate) fn run(mode: Mode) -> Result<()> {
    let files = generated()?;
    let problems = reconcile(&workspace::root().join(DIRECTORY), &files, mode)?;
    for problem in &problems {
        eprintln!("{DIRECTORY}/{problem}");
    }
    match (mode, problems.len()) {
        (Mode::Check, 1..) => bail!("{} schema files are not current: {REPAIR}", problems.len()),
        (_, changes) => eprintln!("{} schemas, {changes} changed", files.len()),
    }
    Ok(())
}

/// File names and texts, as the models have them.
fn generated() -> Result<BTreeMap<String, String>> {
    let mut schemas = onex_event::schemas();
    schemas.push(("contract", onex_contract::schema()));
    schemas.into_iter().map(|(name, schema)| Ok((format!("{name}{SUFFIX}"), text(&schema)?))).collect()
}

fn text(schema: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string_pretty(schema).context("encoding a schema")?;
    Ok(text + "\n")
}

/// What differs from `files` in `directory`; in [`Mode::Write`] it no longer does afterwards.
fn reconcile(directory: &Path, files: &BTreeMap<String, String>, mode: Mode) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for (name, fresh) in files {
        let path = directory.join(name);
        let problem = match fs::read_to_string(&path) {
            Ok(stored) if stored == *fresh => continue,
            Ok(_) => "is stale",
            Err(_) => "is missing",
        };
        problems.push(format!("{name} {problem}"));
        if mode == Mode::Write {
            fs::create_dir_all(directory).context("creating the directory of the schemas")?;
            fs::write(&path, fresh).with_context(|| format!("writing {}", path.display()))?;
        }
    }
    for (name, path) in stored(directory) {
        if files.contains_key(&name) {
            continue;
        }
        problems.push(format!("{name} comes from no model"));
        if mode == Mode::Write {
            fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        }
    }
    Ok(problems)
}

fn stored(directory: &Path) -> BTreeMap<String, PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let named = entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()));
    named.filter(|(name, _)| name.ends_with(SUFFIX)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_checked_is_what_is_written() {
        let directory = std::env::temp_dir().join(format!("onex-schemas-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("old.schema.json"), "{}").unwrap();
        fs::write(directory.join("changed.schema.json"), "{}").unwrap();
        fs::write(directory.join("README.md"), "not a schema").unwrap();
        let file = |name: &str| (name.to_owned(), "{\"type\": \"object\"}\n".to_owned());
        let files = BTreeMap::from([file("changed.schema.json"), file("new.schema.json")]);
        let drift =
            ["changed.schema.json is stale", "new.schema.json is missing", "old.schema.json comes from no model"];

        assert_eq!(reconcile(&directory, &files, Mode::Check).unwrap(), drift);
        assert_eq!(reconcile(&directory, &files, Mode::Write).unwrap(), drift);
        assert!(reconcile(&directory, &files, Mode::Check).unwrap().is_empty());
        assert!(directory.join("README.md").exists());
        fs::remove_dir_all(&directory).unwrap();
    }
}
