//! Decides which contract of one side is compared with which of the other: two files with each other, contracts of
//! two directories by name. A contract that only one side has is a difference too.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use onex_contract::{Change, ChangeClass, KeyPath, Reading, diff};

/// Two versions of one contract.
#[derive(Debug)]
pub(super) struct Pair<'r> {
    pub(super) name: String,
    pub(super) old: Option<&'r Reading>,
    pub(super) new: Option<&'r Reading>,
    pub(super) changes: Vec<Change>,
}

impl Pair<'_> {
    /// Whether even the texts say the same, key by key.
    pub(super) fn has_same_fingerprint(&self) -> bool {
        let fingerprint = |reading: Option<&Reading>| reading.and_then(|reading| reading.fingerprint.clone());
        self.old.is_some() && fingerprint(self.old) == fingerprint(self.new)
    }
}

/// Every pair, by name.
pub(super) fn pairs<'r>(old: &[&'r Reading], new: &[&'r Reading], are_files: bool) -> Result<Vec<Pair<'r>>> {
    if let ([old], [new], true) = (old, new, are_files) {
        return Ok(vec![pair(&name_of(new), Some(old), Some(new))]);
    }
    let (old, new) = (by_name(old)?, by_name(new)?);
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    Ok(names.into_iter().map(|name| pair(name, old.get(name).copied(), new.get(name).copied())).collect())
}

fn by_name<'r>(readings: &[&'r Reading]) -> Result<BTreeMap<String, &'r Reading>> {
    let mut named: BTreeMap<String, &Reading> = BTreeMap::new();
    for reading in readings {
        if let Some(other) = named.insert(name_of(reading), reading) {
            bail!("{} and {} have one name, so nothing tells which is meant", other.file, reading.file);
        }
    }
    Ok(named)
}

fn name_of(reading: &Reading) -> String {
    reading.contract.as_ref().map(|contract| contract.name.clone()).unwrap_or_default()
}

fn pair<'r>(name: &str, old: Option<&'r Reading>, new: Option<&'r Reading>) -> Pair<'r> {
    let contract = |reading: Option<&'r Reading>| reading.and_then(|reading| reading.contract.as_ref());
    let changes = match (contract(old), contract(new)) {
        (Some(old), Some(new)) => diff(old, new),
        (Some(_), None) => vec![whole(ChangeClass::Breaking, "the contract is gone, and with it all that others use")],
        (None, _) => vec![whole(ChangeClass::Safe, "the contract is new")],
    };
    Pair { name: name.to_owned(), old, new, changes }
}

fn whole(class: ChangeClass, what: &str) -> Change {
    Change { class, path: KeyPath::default(), what: what.to_owned(), before: None, after: None }
}
