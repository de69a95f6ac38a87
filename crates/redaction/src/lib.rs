#![doc = include_str!("../README.md")]
//!
//! Decides what counts as a secret and takes it out of JSON and of text.
//!
//! It stands alone because three layers need the same answer: the ingress (before anything is
//! journaled or dead-lettered), the effects (before an error text leaves a backend), and the binary
//! (before a configuration is shown). A second opinion anywhere would be a leak.
//!
//! Two grammars and nothing else: the *name* of a key, read as words, and the *shape* of a URL or of a
//! `name=value` pair.

mod key;
mod text;

pub use key::names_a_secret;
pub use text::redact_text;

use serde_json::Value;

/// What stands where a secret stood.
pub const REDACTED: &str = "REDACTED";

/// Redacts a JSON value in place: every string below a key that [names a secret](names_a_secret),
/// and in every other string what [`redact_text`] takes out.
pub fn redact_value(value: &mut Value) {
    match value {
        Value::String(text) => *text = redact_text(text),
        Value::Array(items) => items.iter_mut().for_each(redact_value),
        Value::Object(map) => {
            for (key, inner) in map {
                if names_a_secret(key) { blank(inner) } else { redact_value(inner) }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Blanks every string and number below a secret key; structure, booleans and nulls stay.
fn blank(value: &mut Value) {
    match value {
        Value::String(_) | Value::Number(_) => *value = Value::from(REDACTED),
        Value::Array(items) => items.iter_mut().for_each(blank),
        Value::Object(map) => map.values_mut().for_each(blank),
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::redact_value;
    use serde_json::json;

    #[test]
    fn values_are_redacted_by_key_and_by_url() {
        let mut value = json!({
            "password": "a", "api_key": {"primary": "b", "rotated": [1, "c"], "active": true},
            "endpoint": "http://u:p@h:1/x", "note": "the token expired", "correlation_id": "x", "key": null,
        });
        redact_value(&mut value);
        assert_eq!(
            value,
            json!({
                "password": "REDACTED",
                "api_key": {"primary": "REDACTED", "rotated": ["REDACTED", "REDACTED"], "active": true},
                "endpoint": "http://REDACTED@h:1/x", "note": "the token expired", "correlation_id": "x", "key": null,
            })
        );
    }
}
