//! ONEX0087: a contract wants a version of another that is not there, while the set holds other versions of it.
//!
//! A name that the set does not hold at all is no finding: most of a real system is elsewhere.

use std::collections::HashMap;

use semver::VersionReq;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{FileFacts, in_file};
use crate::diagnostic::Diagnostic;
use crate::model::{Contract, Dependency};
use crate::path::KeyPath;
use crate::rules::{Rule, place};

pub(super) const ABSENT_VERSION: Rule = Rule::elsewhere(
    "ONEX0087",
    "a contract wants a version of another that is not there",
    "ask for a version that is there, or add the contract in the version that is asked for",
)
.warning();

/// A node of which a contract wants certain versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The node's name.
    pub name: String,
    /// As it is written.
    pub version: String,
    /// Where.
    pub path: KeyPath,
}

/// The versions a contract answers to.
pub(super) fn of(contract: &Contract) -> Vec<String> {
    std::iter::once(&contract.contract_version).chain(&contract.node_version).map(ToString::to_string).collect()
}

pub(super) fn pins(contract: &Contract) -> Vec<Pin> {
    let dependencies = contract.dependencies.iter().enumerate();
    let mut pins: Vec<Pin> = dependencies.filter_map(|(index, dependency)| pin(index, dependency)).collect();
    for (index, node) in contract.steps().iter().enumerate() {
        if let Some((name, version)) = node.contract_ref.as_deref().and_then(|text| text.split_once('@')) {
            let path = place::node(index).key("contract_ref");
            pins.push(Pin { name: name.to_owned(), version: version.to_owned(), path });
        }
    }
    pins
}

fn pin(index: usize, dependency: &Dependency) -> Option<Pin> {
    let version = match dependency.version.as_ref()? {
        Value::String(text) => text.clone(),
        Value::Object(map) => {
            let part = |key: &str| map.get(key).and_then(Value::as_u64);
            format!("{}.{}.{}", part("major")?, part("minor")?, part("patch")?)
        }
        _ => return None,
    };
    let path = KeyPath::of(&["dependencies"]).index(index).key("version");
    Some(Pin { name: dependency.name.clone(), version, path })
}

pub(super) fn absent(contracts: &[FileFacts<'_>]) -> Vec<Diagnostic> {
    if contracts.iter().all(|system| system.facts.pins.is_empty()) {
        return Vec::new();
    }
    let mut there: HashMap<&str, Vec<&str>> = HashMap::new();
    for system in contracts {
        there.entry(&system.facts.name).or_default().extend(system.facts.versions.iter().map(String::as_str));
    }
    let pins = contracts.iter().flat_map(|system| system.facts.pins.iter().map(move |pin| (system, pin)));
    let findings = pins.filter_map(|(system, pin)| {
        let versions = there.get(pin.name.as_str())?;
        Some(in_file(system.file, problem(pin, versions)?))
    });
    findings.collect()
}

fn problem(pin: &Pin, versions: &[&str]) -> Option<Diagnostic> {
    let wanted = requirement(&pin.version)?;
    let will_do = |version: &&str| semver::Version::parse(version).is_ok_and(|version| wanted.matches(&version));
    if versions.iter().any(will_do) {
        return None;
    }
    let mut versions = versions.to_vec();
    versions.sort_unstable();
    versions.dedup();
    let message =
        format!("`{}` is wanted in version `{}`, and is there in {}", pin.name, pin.version, versions.join(", "));
    Some(ABSENT_VERSION.finding(pin.path.clone(), message))
}

/// A version alone means that one; a range is read as Cargo and pip both read it, anything else is not judged.
fn requirement(text: &str) -> Option<VersionReq> {
    let text = text.trim().replace("==", "=");
    let is_bare = text.starts_with(|character: char| character.is_ascii_digit());
    VersionReq::parse(&if is_bare { format!("={text}") } else { text }).ok()
}

#[cfg(test)]
mod tests {
    use super::requirement;

    #[test]
    fn a_version_alone_means_that_one() {
        let fits = |wanted: &str, version: &str| {
            let version = semver::Version::parse(version).expect("a version");
            requirement(wanted).map(|wanted| wanted.matches(&version))
        };
        for (wanted, version, expected) in [
            ("1.2.0", "1.2.0", Some(true)),
            ("1.2.0", "1.3.0", Some(false)),
            ("1", "1.9.9", Some(true)),
            ("==1.2.0", "1.2.0", Some(true)),
            (">=1.0.0,<2.0.0", "1.9.0", Some(true)),
            (">=14.0", "13.9.0", Some(false)),
            ("latest", "1.0.0", None),
        ] {
            assert_eq!(fits(wanted, version), expected, "{wanted} {version}");
        }
    }
}
