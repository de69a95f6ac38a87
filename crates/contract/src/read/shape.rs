//! Decides how an error of the typed model is told: serde speaks of types of Rust, the author knows YAML.

use serde_json::Value;

use crate::near::nearest;
use crate::path::KeyPath;

/// An error in words of YAML, with a way out where one is known.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// What serde says it expected, in words, and how that is written.
const EXPECTED: &[(&[&str], &str, &str)] = &[
    (&["u32", "u64", "usize"], "a whole number, not below 0", "write digits alone, without quotes, unit or point"),
    (&["f64", "f32"], "a number", "write a number without quotes, such as `2` or `0.5`"),
    (&["a boolean"], "`true` or `false`", "write `true` or `false`"),
    (&["a string"], "a text", "put it in quotes"),
    (&["a sequence"], "a list", "write `[a, b]`, or one entry to a line after `- `"),
    (&["a map", "struct"], "a map", "write `key: value` on indented lines"),
];

const DEFINITION: &[&str] = &["workflow_coordination", "workflow_definition"];

/// What must be a map; serde would take a list for one, by the order of its fields.
const MAPS: &[(&[&str], &[&str])] = &[
    (
        &[],
        &[
            "workflow_coordination",
            "error_handling",
            "intent_consumption",
            "descriptor",
            "health_check",
            "state_machine",
            "state_transitions",
            "fsm",
        ],
    ),
    (&["workflow_coordination"], &["workflow_definition"]),
    (DEFINITION, &["workflow_metadata", "execution_graph", "coordination_rules"]),
    (&["error_handling"], &["retry_policy", "circuit_breaker"]),
];

/// Places of lists where a map must be.
pub(super) fn lists_for_maps(value: &Value) -> Vec<KeyPath> {
    let mut lists = Vec::new();
    for (path, keys) in MAPS {
        let Some(container) = path.iter().try_fold(value, |value, key| value.get(key)) else { continue };
        let wrong = keys.iter().filter(|key| container.get(key).is_some_and(Value::is_array));
        lists.extend(wrong.map(|key| KeyPath::of(path).key(key)));
    }
    lists
}

/// `written` is the value that was refused.
pub(super) fn told(said: &str, written: Option<&Value>) -> Told {
    let expected = ["invalid type: ", "invalid value: "].iter().find_map(|start| said.strip_prefix(start));
    let Some((_, expected)) = expected.and_then(|rest| rest.rsplit_once(", expected ")) else {
        return Told { message: said.to_owned(), help: meant(said) };
    };
    let expected_word = expected.split(' ').next().unwrap_or_default();
    let known = EXPECTED.iter().find(|(words, ..)| words.contains(&expected) || words.contains(&expected_word));
    let (words, help) = known.map_or((expected, None), |(_, words, help)| (*words, Some(*help)));
    let message = match written {
        Some(written) => format!("found {}, expected {words}", in_words(written)),
        None => format!("expected {words}"),
    };
    Told { message, help: better_help(expected, written).or_else(|| help.map(str::to_owned)) }
}

/// The very text to write, where that is plain.
fn better_help(expected: &str, written: Option<&Value>) -> Option<String> {
    match (expected, written?) {
        ("u32" | "u64", Value::String(text)) if text.parse::<u64>().is_ok() => {
            Some(format!("write `{text}` without quotes"))
        }
        ("f64", Value::String(text)) if text.parse::<f64>().is_ok_and(f64::is_finite) => {
            Some(format!("write `{text}` without quotes"))
        }
        ("a boolean", Value::String(text)) => match text.to_lowercase().as_str() {
            "yes" | "on" | "true" | "y" => Some("write `true`".to_owned()),
            "no" | "off" | "false" | "n" => Some("write `false`".to_owned()),
            _ => None,
        },
        ("a string", Value::Number(_) | Value::Bool(_)) => Some(format!("put it in quotes: `\"{}\"`", written?)),
        ("a sequence", Value::String(text)) if !text.contains(['[', ',', '\n']) => Some(format!("write `[{text}]`")),
        _ => None,
    }
}

fn in_words(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => format!("`{value}`"),
        Value::Number(number) => format!("the number `{number}`"),
        Value::String(text) if text.chars().count() > 40 => "a long text".to_owned(),
        Value::String(text) => format!("the text `{text}`"),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a map".to_owned(),
    }
}

/// Of ``unknown mode `paralel`, expected sequential, parallel or batch`` the word that may be meant.
fn meant(said: &str) -> Option<String> {
    let (unknown, expected) = said.split_once(", expected ").or_else(|| said.split_once(", use "))?;
    let written = unknown.split('`').nth(1)?;
    let words = expected.split([',', ' ', '`', '"']).filter(|word| !["", "or", "each", "also", "with"].contains(word));
    nearest(written, words).map(|word| format!("did you mean `{word}`?"))
}

#[cfg(test)]
mod tests {
    use super::told;
    use serde_json::json;

    #[test]
    fn errors_are_told_in_words_of_yaml() {
        for (said, written, message, help) in [
            (
                "invalid type: string \"3\", expected u32",
                json!("3"),
                "found the text `3`, expected a whole number, not below 0",
                "write `3` without quotes",
            ),
            ("invalid type: string \"yes\", expected a boolean", json!("yes"), "found the text `yes`", "write `true`"),
            ("invalid type: integer `7`, expected a string", json!(7), "found the number `7`", "`\"7\"`"),
            ("invalid type: string \"a\", expected a sequence", json!("a"), "expected a list", "write `[a]`"),
            (
                "invalid type: sequence, expected struct RetryPolicy",
                json!([1]),
                "found a list, expected a map",
                "key: value",
            ),
            (
                "unknown execution mode `Paralel`, expected sequential, parallel or batch",
                json!(""),
                "unknown",
                "`parallel`",
            ),
        ] {
            let told = told(said, Some(&written));
            assert!(told.message.contains(message), "{told:?}");
            assert!(told.help.as_deref().is_some_and(|told| told.contains(help)), "{told:?}");
        }
    }
}
