//! Decides what a contract says, as facts that can be told one by one and looked up in another contract.
//!
//! A fact's key is what it is about, from the whole to the part: `[workflow, step, act, after, decide]`. Its value,
//! where it has one, is what two contracts may say differently.

use std::collections::BTreeMap;

use serde_json::Value;

use super::table::Subject;
use super::{events, head, machine, workflow};
use crate::model::Contract;
use crate::path::KeyPath;

/// What a fact is about, from the whole to the part.
pub(super) type Key = Vec<String>;

/// One thing that a contract says.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    pub(super) subject: Subject,
    /// As sentences name it.
    pub(super) name: String,
    pub(super) path: KeyPath,
    pub(super) value: Option<String>,
    /// What it has in common with the same thing under another key.
    pub(super) tie: Option<String>,
}

impl Fact {
    /// A fact that is there or not.
    pub(super) fn new(subject: Subject, name: impl Into<String>, path: KeyPath) -> Self {
        Self { subject, name: name.into(), path, value: None, tie: None }
    }

    /// A fact that says something.
    pub(super) fn saying(self, value: impl ToString) -> Self {
        Self { value: Some(value.to_string()), ..self }
    }

    pub(super) fn tied(self, tie: Option<&str>) -> Self {
        Self { tie: tie.map(str::to_owned), ..self }
    }
}

/// Everything a contract says.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts(BTreeMap<Key, Fact>);

impl Facts {
    pub(super) fn of(contract: &Contract) -> Self {
        let mut facts = Self::default();
        head::tell(contract, &mut facts);
        events::tell(contract, &mut facts);
        workflow::tell(contract, &mut facts);
        machine::tell(contract, &mut facts);
        facts
    }

    /// Adds a fact; of two about the same thing the first holds.
    pub(super) fn tell(&mut self, key: &[&str], fact: Fact) {
        self.0.entry(key.iter().map(|part| (*part).to_owned()).collect()).or_insert(fact);
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.0.keys()
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Fact> {
        self.0.get(key)
    }

    pub(super) fn has(&self, key: &[String]) -> bool {
        self.0.contains_key(key)
    }
}

/// Every value in `value` that holds no map, with its place below `path`.
pub(super) fn leaves(value: &Value, path: &KeyPath) -> Vec<(KeyPath, String)> {
    match value {
        Value::Object(map) => map.iter().flat_map(|(key, value)| leaves(value, &path.key(key))).collect(),
        Value::Null => Vec::new(),
        other => vec![(path.clone(), shown(other))],
    }
}

/// A value as people read it: text bare, all else as JSON with sorted keys.
pub(super) fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| crate::fingerprint::canonical(value), str::to_owned)
}
