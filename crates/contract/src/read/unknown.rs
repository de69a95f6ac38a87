//! ONEX0007 and ONEX0009: keys that nothing here reads. Kept, never fatal, reported once each.
//!
//! A key of the known language is a note: other tools read it, and this runtime does not act on it. Any other is
//! a warning with the nearest key that would be read. Keys starting with `x-` are the author's own.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::vocabulary;
use crate::diagnostic::{Diagnostic, Severity};
use crate::path::{KeyPath, Segment};
use crate::rules::Finding;
use crate::schema::schema;

/// Every key that the model reads anywhere.
static READ: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let mut read = BTreeSet::new();
    collect(schema().as_value(), &mut read);
    read
});

pub(super) fn findings(paths: impl Iterator<Item = KeyPath>) -> Vec<Finding> {
    paths.filter_map(|path| finding(&path)).collect()
}

fn finding(path: &KeyPath) -> Option<Finding> {
    let Some(Segment::Key(key)) = path.0.last() else { return None };
    if key.starts_with("x-") {
        return None;
    }
    let diagnostic = if vocabulary::is_known(key) || READ.contains(key) {
        let message = format!("`{key}` is for other tools: this runtime does not act on it here");
        Diagnostic::new("ONEX0009", Severity::Note, path.clone(), message)
    } else {
        let message = format!("`{key}` is no key of the contract language and has no effect");
        let help = match nearest(key) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "remove it, or prefix it with `x-` if it is your own".to_owned(),
        };
        Diagnostic::new("ONEX0007", Severity::Warning, path.clone(), message).with_help(help)
    };
    Some(Finding::at_key(diagnostic))
}

fn nearest(key: &str) -> Option<&'static str> {
    let known = READ.iter().map(String::as_str).chain(vocabulary::keys());
    let scored = known.map(|known| (strsim::jaro_winkler(known, key), known)).filter(|(score, _)| *score > 0.88);
    scored.max_by(|left, right| left.0.total_cmp(&right.0)).map(|(_, known)| known)
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
