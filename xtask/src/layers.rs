//! Decides which workspace package may depend on which.
//!
//! A drawing of the layers is forgotten; this check is not. A package depends only on packages of
//! a lower layer, a package without a layer fails, and the layers that users take alone stay free
//! of runtimes and clients. The reading half asks cargo; the deciding half ([`rules`]) is pure.

mod rules;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{command, step};
use rules::{Package, Violation};

/// What the lowest package must not hold, at any depth.
const HEAVY: &[&str] = &["tokio", "sqlx", "reqwest", "hyper"];
const LIGHTEST: &str = "onex-contract";

/// Prints each violation with the manifest that has to change.
pub(crate) fn check() -> Result<()> {
    let packages = workspace_packages()?;
    let mut violations = rules::violations(&packages);
    violations.extend(heavy_dependencies(&packages)?);
    for Violation { manifest, problem } in &violations {
        eprintln!("{manifest}: {problem}");
    }
    if !violations.is_empty() {
        bail!("{} dependencies break the layers", violations.len());
    }
    eprintln!("{} packages, each in its layer", packages.len());
    Ok(())
}

/// The part of `cargo metadata` that is read here.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

fn workspace_packages() -> Result<Vec<Package>> {
    let arguments = ["metadata", "--format-version", "1", "--no-deps"];
    let text = command::capture(&mut step::cargo(&arguments))?;
    let metadata: Metadata = serde_json::from_str(&text).context("reading `cargo metadata`")?;
    Ok(metadata.packages)
}

fn heavy_dependencies(packages: &[Package]) -> Result<Vec<Violation>> {
    let arguments = ["tree", "-p", LIGHTEST, "-e", "normal", "--prefix", "none"];
    let tree = command::capture(&mut step::cargo(&arguments))?;
    let lightest = packages.iter().find(|package| package.name == LIGHTEST);
    let manifest = lightest.map_or(LIGHTEST, |package| &package.manifest_path);
    let violation = |name: &&str| Violation {
        manifest: manifest.to_owned(),
        problem: format!("`{LIGHTEST}` holds `{name}`: see `cargo tree -p {LIGHTEST} -i {name}`"),
    };
    let held = |heavy: &&&str| tree.lines().any(|line| line.split(' ').next() == Some(**heavy));
    Ok(HEAVY.iter().filter(held).map(violation).collect())
}
