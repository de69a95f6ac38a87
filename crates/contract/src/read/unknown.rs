//! ONEX0007 and ONEX0009: keys that nothing here reads. Kept, never fatal, reported once each.
//!
//! A key of the known language is a note: other tools read it, and this runtime does not act on it. Any other is
//! a warning with the nearest key that would be read. Keys starting with `x-` are the author's own.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::vocabulary;
use crate::path::KeyPath;
use crate::rules::{Finding, reading};
use crate::schema;

/// Every key that the model reads anywhere.
static READ: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let mut read = BTreeSet::new();
    collect(schema::plain().as_value(), &mut read);
    read
});

pub(super) fn findings(paths: impl Iterator<Item = KeyPath>) -> Vec<Finding> {
    paths.filter_map(|path| finding(&path)).collect()
}

fn finding(path: &KeyPath) -> Option<Finding> {
    let key = path.last_key()?;
    if key.starts_with("x-") {
        return None;
    }
    let diagnostic = if is_one_level_too_deep(path, key) {
        let message = format!("`{key}` has no effect here: it is a key of the step, not of its `step_config`");
        reading::UNKNOWN_KEY.finding(path.clone(), message).with_help("move it beside `node_id`")
    } else if vocabulary::is_known(key) || READ.contains(key) {
        let message = format!("`{key}` is for other tools: this runtime does not act on it here");
        reading::OTHERS_KEY.finding(path.clone(), message)
    } else {
        let message = format!("`{key}` is no key of the contract language and has no effect");
        let finding = reading::UNKNOWN_KEY.finding(path.clone(), message);
        match nearest(key) {
            Some(nearest) => finding.with_help(format!("did you mean `{nearest}`?")),
            None => finding,
        }
    };
    Some(Finding::at_key(diagnostic))
}

/// Keys of a step that are easily written into its `step_config`, where they would change nothing.
const OF_STEP: [&str; 8] = [
    "condition",
    "depends_on",
    "enabled",
    "error_action",
    "for_each",
    "max_failures",
    "max_parallel_instances",
    "skip_on_failure",
];

fn is_one_level_too_deep(path: &KeyPath, key: &str) -> bool {
    OF_STEP.contains(&key) && path.parent_key() == Some("step_config")
}

/// A key that would be read is near when its likeness to the written one, from 0 to 1, is above this.
const NEAR: f64 = 0.88;

/// How often each letter stands in a key.
type Letters = [u8; 32];

/// Every key of the language.
static KNOWN: LazyLock<Vec<(&str, Letters)>> = LazyLock::new(|| {
    let keys = READ.iter().map(String::as_str).chain(vocabulary::keys());
    keys.map(|key| (key, letters(key))).collect()
});

fn nearest(key: &str) -> Option<&'static str> {
    let letters = letters(key);
    let worth_comparing = KNOWN.iter().filter(|(known, of_known)| may_be_near(key, &letters, known, of_known));
    let scored = worth_comparing.map(|(known, _)| (strsim::jaro_winkler(known, key), *known));
    let near = scored.filter(|(score, _)| *score > NEAR);
    near.max_by(|left, right| left.0.total_cmp(&right.0)).map(|(_, known)| known)
}

fn letters(key: &str) -> Letters {
    let mut letters = [0_u8; 32];
    for byte in key.bytes() {
        let letter = &mut letters[usize::from(byte % 32)];
        *letter = letter.saturating_add(1);
    }
    letters
}

/// Whether the letters that two keys share, in whatever order, allow a likeness above [`NEAR`]: told in a fraction of
/// the time that the likeness itself takes.
fn may_be_near(left: &str, left_letters: &Letters, right: &str, right_letters: &Letters) -> bool {
    let shared: u32 = left_letters.iter().zip(right_letters).map(|(left, right)| u32::from(*left.min(right))).sum();
    let (shared, lengths) = (f64::from(shared), [left.len() as f64, right.len() as f64]);
    let most = (shared / lengths[0] + shared / lengths[1] + 1.0) / 3.0;
    let prefix = left.bytes().zip(right.bytes()).take(4).take_while(|(left, right)| left == right).count();
    most + 0.1 * prefix as f64 * (1.0 - most) > NEAR
}

fn collect(schema: &serde_json::Value, read: &mut BTreeSet<String>) {
    match schema {
        serde_json::Value::Object(map) => {
            if let Some(properties) = map.get("properties").and_then(serde_json::Value::as_object) {
                read.extend(properties.keys().cloned());
            }
            map.values().for_each(|value| collect(value, read));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, read)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{KNOWN, NEAR, letters, may_be_near};

    #[test]
    fn no_near_key_is_passed_over() {
        let changed =
            |key: &str| [key.replace('e', "a"), key.chars().rev().collect(), format!("{key}s"), key[1..].into()];
        for (known, of_known) in KNOWN.iter().step_by(7) {
            for key in KNOWN.iter().step_by(11).flat_map(|(key, _)| changed(key)) {
                let is_near = strsim::jaro_winkler(known, &key) > NEAR;
                assert!(!is_near || may_be_near(&key, &letters(&key), known, of_known), "{key}, {known}");
            }
        }
    }
}
