//! Decides what of a value is left out after an error, so that the rest can still be read.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{ShapeError, serde_path, shape};
use crate::diagnostic::Diagnostic;
use crate::path::{KeyPath, Segment};
use crate::rules::{Finding, reading};

/// What stands for a missing key of the whole contract while the rest is read; a contract made with one
/// of these always has an error beside it.
const STAND_INS: [(&str, &str); 3] = [("name", "unnamed"), ("node_type", "COMPUTE"), ("contract_version", "0.0.0")];

/// A value of which parts were taken out, and where they were.
pub(super) struct Pruned {
    value: Value,
    /// Indices, of the original list, that were taken out of the list at each path.
    removed: BTreeMap<KeyPath, Vec<usize>>,
    /// What was taken out, by where it stands in the text.
    wrong: BTreeSet<KeyPath>,
}

impl Pruned {
    pub(super) fn new(value: Value) -> Self {
        Self { value, removed: BTreeMap::new(), wrong: BTreeSet::new() }
    }

    pub(super) fn value(&self) -> &Value {
        &self.value
    }

    /// The path in the text for a path in what is left.
    pub(super) fn original(&self, path: &KeyPath) -> KeyPath {
        let mut original = KeyPath::default();
        for segment in &path.0 {
            original = match segment {
                Segment::Key(key) => original.key(key),
                Segment::Index(index) => {
                    let index = self.removed.get(&original).map_or(*index, |removed| shifted(*index, removed));
                    original.index(index)
                }
            };
        }
        original
    }

    /// Takes out lists where a map must be.
    pub(super) fn take_out_lists(&mut self) -> Vec<Finding> {
        let lists = shape::lists_for_maps(&self.value);
        let wrong = lists.into_iter().filter_map(|path| {
            let written = find(&mut self.value, &path).cloned();
            self.remove(&path)?;
            Some(self.wrong_value(path, "invalid type: sequence, expected a map", written.as_ref()))
        });
        wrong.collect()
    }

    fn wrong_value(&mut self, path: KeyPath, said: &str, written: Option<&Value>) -> Finding {
        self.wrong.insert(path.clone());
        let told = shape::told(said, written);
        let diagnostic = reading::WRONG_VALUE.finding(path.clone(), format!("`{path}`: {}", told.message));
        Finding::at_value(told.help.into_iter().fold(diagnostic, Diagnostic::with_help))
    }

    /// Takes out what the error is about; `None` when nothing is left to take out. A key that is missing because its
    /// value was in error is no finding of its own.
    pub(super) fn take_out(&mut self, error: &ShapeError) -> Option<Option<Finding>> {
        let path = serde_path(error.path());
        let message = error.inner().to_string();
        let original = self.original(&path);
        if let Some(key) = missing_key(&message) {
            let was_wrong = self.wrong.contains(&original.key(key));
            self.replace_missing(&path, key)?;
            let diagnostic = reading::MISSING_KEY.finding(original, format!("missing key `{key}`"));
            let finding = Finding::at_key(diagnostic.with_help(format!("add `{key}:` here")));
            return Some((!was_wrong).then_some(finding));
        }
        let written = find(&mut self.value, &path).cloned();
        self.remove(&path)?;
        Some(Some(self.wrong_value(original, &message, written.as_ref())))
    }

    fn replace_missing(&mut self, container: &KeyPath, key: &str) -> Option<()> {
        if !container.0.is_empty() {
            return self.remove(container);
        }
        let (_, stand_in) = STAND_INS.iter().find(|(name, _)| *name == key)?;
        self.value.as_object_mut()?.insert(key.to_owned(), Value::from(*stand_in));
        Some(())
    }

    fn remove(&mut self, path: &KeyPath) -> Option<()> {
        let (last, _) = path.0.split_last()?;
        let parent = path.parent()?;
        let original_parent = self.original(&parent);
        let container = find(&mut self.value, &parent)?;
        match last {
            Segment::Key(key) => {
                container.as_object_mut()?.remove(key)?;
                if let (true, Some((_, stand_in))) =
                    (parent.0.is_empty(), STAND_INS.iter().find(|(name, _)| name == key))
                {
                    container.as_object_mut()?.insert(key.clone(), Value::from(*stand_in));
                }
            }
            Segment::Index(index) => {
                let items = container.as_array_mut()?;
                if *index >= items.len() {
                    return None;
                }
                items.remove(*index);
                let removed = self.removed.entry(original_parent).or_default();
                removed.push(shifted(*index, removed));
                removed.sort_unstable();
            }
        }
        Some(())
    }
}

/// What is said of an error that nothing can be taken out for; nothing is read then.
pub(super) fn hopeless(error: &ShapeError) -> Finding {
    let path = serde_path(error.path());
    Finding::at_value(reading::WRONG_VALUE.finding(path, shape::told(&error.inner().to_string(), None).message))
}

/// The original index of an element that now stands at `index`.
fn shifted(index: usize, removed: &[usize]) -> usize {
    removed.iter().fold(index, |index, gone| if *gone <= index { index + 1 } else { index })
}

fn find<'v>(value: &'v mut Value, path: &KeyPath) -> Option<&'v mut Value> {
    path.0.iter().try_fold(value, |value, segment| match segment {
        Segment::Key(key) => value.get_mut(key),
        Segment::Index(index) => value.get_mut(index),
    })
}

fn missing_key(message: &str) -> Option<&str> {
    message.strip_prefix("missing field `")?.split('`').next()
}
