//! What is wrong with a message, in one line that is safe to log.
//!
//! Messages come from other people's nodes: they may be long, hold line breaks, or hold a
//! password where a number belongs. So an error names the field and what was expected, and shows
//! of the value only its type, or a short piece of it where the value is a name from a closed
//! list and the field does not sound secret.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

/// The longest piece of foreign text in an error, in characters.
const MAX_SHOWN: usize = 80;

/// Why a value is not the model it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelError {
    path: String,
    problem: String,
}

impl ModelError {
    /// Where the problem is, such as `event_bus.publish_topics[0].topic`; empty for the whole.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong there.
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// A problem with the value as a whole.
    pub(crate) fn whole(problem: impl fmt::Display) -> Self {
        Self { path: String::new(), problem: shorten(&problem.to_string(), 4 * MAX_SHOWN) }
    }
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.problem),
            path => write!(f, "{path}: {}", self.problem),
        }
    }
}

impl std::error::Error for ModelError {}

/// Reads a model from JSON, with an error that may be logged.
pub fn read<T: DeserializeOwned>(value: &Value) -> Result<T, ModelError> {
    serde_path_to_error::deserialize(value).map_err(|error| explain(&error))
}

fn explain(error: &serde_path_to_error::Error<serde_json::Error>) -> ModelError {
    let message = error.inner().to_string();
    let path = error.path().to_string();
    let path = if path == "." { "" } else { path.as_str() };
    let (path, problem) = if let Some((path, key)) = unknown_key(error.path(), path, &message) {
        (path, format!("unknown key `{}`", shorten(key, MAX_SHOWN)))
    } else if let Some(key) = message.strip_prefix("missing field ") {
        (path, format!("missing key {}", shorten(key, MAX_SHOWN)))
    } else if sounds_secret(path) {
        (path, "not what is expected here (value withheld)".to_owned())
    } else {
        (path, rephrase(&message))
    };
    ModelError { path: shorten(path, MAX_SHOWN), problem }
}

/// The place and the name of an unknown key; serde reports the key as the end of the path.
fn unknown_key<'a>(path: &'a Path, text: &'a str, message: &'a str) -> Option<(&'a str, &'a str)> {
    let rest = message.strip_prefix("unknown field `")?;
    match path.iter().next_back() {
        Some(Segment::Map { key }) if rest.starts_with(key.as_str()) => {
            let above = text.strip_suffix(key.as_str())?;
            Some((above.strip_suffix('.').unwrap_or(above), key))
        }
        _ => Some((text, &rest[..rest.find('`')?])),
    }
}

fn rephrase(message: &str) -> String {
    let expected =
        |rest: &str| rest.rsplit_once(", expected ").map(|(found, expected)| (kind_of(found), expected.to_owned()));
    let found =
        ["invalid type: ", "invalid value: ", "invalid length: "].iter().find_map(|start| message.strip_prefix(start));
    match found.and_then(expected) {
        Some((found, expected)) => {
            let expected = in_words(&expected);
            shorten(&format!("expected {expected}, found {found}"), 4 * MAX_SHOWN)
        }
        None => rephrase_variant(message),
    }
}

/// What serde calls by Rust's names, in words.
fn in_words(expected: &str) -> String {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number that is not negative".to_owned(),
        "i8" | "i16" | "i32" | "i64" => "a whole number".to_owned(),
        "f64" | "f32" => "a number".to_owned(),
        other => other.to_owned(),
    }
}

fn rephrase_variant(message: &str) -> String {
    let variant = message.strip_prefix("unknown variant `");
    match variant.and_then(|rest| rest.rsplit_once("`, expected ")) {
        Some((found, expected)) => {
            let expected = shorten(expected, 4 * MAX_SHOWN);
            format!("expected {expected}, found `{}`", shorten(found, MAX_SHOWN))
        }
        None => shorten(message, 4 * MAX_SHOWN),
    }
}

/// `string` of `string "hunter2"`, `null` of `null`: the type without the value.
fn kind_of(found: &str) -> String {
    let end = found.find(['"', '`', '\'']).unwrap_or(found.len());
    shorten(found[..end].trim_end(), MAX_SHOWN)
}

/// One line of at most `limit` characters.
fn shorten(text: &str, limit: usize) -> String {
    let mut kept: String = text.chars().take(limit).map(printable).collect();
    if text.chars().nth(limit).is_some() {
        kept.push('…');
    }
    kept
}

fn printable(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

/// Whether a word of the path says that the value is a secret: `api_key`, `db.password`.
fn sounds_secret(path: &str) -> bool {
    const SECRET: [&str; 6] = ["password", "passwd", "secret", "token", "key", "credential"];
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_ascii_lowercase);
    words.into_iter().any(|word| SECRET.iter().any(|secret| word.contains(secret)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read for its errors")]
    struct Outer {
        inner: Option<Inner>,
        names: BTreeMap<String, u64>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read for its errors")]
    struct Inner {
        count: u8,
        kind: Option<crate::NodeKind>,
    }

    #[test]
    fn names_the_field_and_hides_the_value() {
        let long = "x".repeat(200);
        let cut = format!("{}…", "x".repeat(80));
        let table = [
            (json!({}), "missing key `names`".to_owned()),
            (json!({ "names": {}, "more": 1 }), "unknown key `more`".to_owned()),
            (json!({ "names": {}, &long: 1 }), format!("unknown key `{cut}`")),
            (json!({ "names": {}, "a`, b\n": 1 }), "unknown key `a`, b `".to_owned()),
            (json!({ "names": {}, "inner": {} }), "inner: missing key `count`".to_owned()),
            (json!({ "names": {}, "inner": { "x": 1 } }), "inner: unknown key `x`".to_owned()),
            (
                json!({ "names": {}, "inner": { "count": "hunter2, expected x" } }),
                "inner.count: expected a whole number that is not negative, found string".to_owned(),
            ),
            (
                json!({ "names": {}, "inner": { "count": 256 } }),
                "inner.count: expected a whole number that is not negative, found integer".to_owned(),
            ),
            (
                json!({ "names": { "api_key": "hunter2" } }),
                "names.api_key: not what is expected here (value withheld)".to_owned(),
            ),
            (
                json!({ "names": { &long: "hunter2" } }),
                format!("names.{}…: expected a whole number that is not negative, found string", "x".repeat(74)),
            ),
            (
                json!({ "names": {}, "inner": { "count": 1, "kind": &long } }),
                format!(
                    "inner.kind: expected one of `effect`, `compute`, `reducer`, `orchestrator`, \
                     `runtime_host`, found `{cut}`"
                ),
            ),
            (json!([]), "missing".to_owned()),
            (json!("hunter2"), "expected struct Outer, found string".to_owned()),
        ];
        for (given, expected) in table {
            let error = read::<Outer>(&given).unwrap_err().to_string();
            match expected == "missing" {
                true => assert!(!error.is_empty()),
                false => assert_eq!(error, expected),
            }
        }
    }
}
