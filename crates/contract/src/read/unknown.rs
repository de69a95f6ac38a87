//! ONEX0007: a key that nothing reads. Kept, never fatal, reported once with the nearest known key.
//! Keys starting with `x-` are the author's own. Keys that only other tools read are a note.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::diagnostic::{Diagnostic, Severity};
use crate::path::{KeyPath, Segment};
use crate::rules::Finding;
use crate::schema::schema;

/// Top-level keys that real contracts carry for other tools, people included.
const FOR_OTHERS: [&str; 36] = [
    "author",
    "capabilities",
    "config",
    "contract_kind",
    "copyright",
    "created",
    "created_at",
    "db_io",
    "definitions",
    "description",
    "descriptor",
    "documentation",
    "event_bus",
    "fingerprint",
    "handler",
    "handler_routing",
    "idempotency",
    "intent_emission",
    "license",
    "lifecycle",
    "mcp",
    "migrations",
    "node_id",
    "operations",
    "performance",
    "protocols",
    "runtime_profiles",
    "schema_version",
    "security",
    "service",
    "state_model",
    "tags",
    "terminal_event",
    "title",
    "updated",
    "validation_rules",
];

/// Every key that the model reads anywhere.
static KNOWN: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let mut known = BTreeSet::new();
    collect(schema().as_value(), &mut known);
    known
});

pub(super) fn findings(paths: impl Iterator<Item = KeyPath>) -> Vec<Finding> {
    paths.filter_map(|path| finding(&path)).collect()
}

fn finding(path: &KeyPath) -> Option<Finding> {
    let Some(Segment::Key(key)) = path.0.last() else { return None };
    if key.starts_with("x-") {
        return None;
    }
    let for_others = path.0.len() == 1 && FOR_OTHERS.contains(&key.as_str());
    let severity = if for_others { Severity::Note } else { Severity::Warning };
    let diagnostic =
        Diagnostic::new("ONEX0007", severity, path.clone(), format!("`{key}` has no effect in this runtime"));
    let help = match nearest(key).filter(|_| !for_others) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => "remove it, or prefix it with `x-` if it is your own".to_owned(),
    };
    Some(Finding::at_key(diagnostic.with_help(help)))
}

fn nearest(key: &str) -> Option<&'static str> {
    let scored = KNOWN.iter().map(|known| (strsim::jaro_winkler(known, key), known.as_str()));
    scored
        .filter(|(score, known)| *score > 0.88 && *known != key)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, known)| known)
}

fn collect(schema: &serde_json::Value, known: &mut BTreeSet<String>) {
    match schema {
        serde_json::Value::Object(map) => {
            if let Some(properties) = map.get("properties").and_then(serde_json::Value::as_object) {
                known.extend(properties.keys().cloned());
            }
            map.values().for_each(|value| collect(value, known));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, known)),
        _ => {}
    }
}
