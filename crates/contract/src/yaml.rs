//! The one module that knows serde_yaml: text to JSON values, and its errors to a place and a sentence.
//!
//! serde_yaml is no longer maintained; its successor replaces this file and nothing else.

use serde_json::Value;

/// Why a text is no YAML document we read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct YamlError {
    pub(crate) message: String,
    /// Line and column from 1, when known.
    pub(crate) at: Option<(usize, usize)>,
}

/// Reads one YAML document.
pub(crate) fn parse(text: &str) -> Result<Value, YamlError> {
    serde_yaml::from_str(text).map_err(|error| {
        let at = error.location().map(|location| (location.line(), location.column()));
        YamlError { message: without_location(&error.to_string()), at }
    })
}

/// The message without its first ` at line 1 column 2`, which diagnostics show themselves.
fn without_location(message: &str) -> String {
    let Some((before, after)) = message.split_once(" at line ") else { return message.to_owned() };
    let is_place = |character: char| character.is_ascii_digit() || " column".contains(character);
    format!("{before}{}", after.trim_start_matches(is_place))
}

#[cfg(test)]
mod tests {
    use super::parse;
    use serde_json::json;

    #[test]
    fn documents_become_json_and_errors_have_a_place() {
        assert_eq!(parse("a: [1, yes, ~]"), Ok(json!({"a": [1, "yes", null]})));
        let error = parse("a: 1\nb: [1").expect_err("unclosed");
        assert_eq!(error.at, Some((3, 1)));
        assert_eq!(error.message, "did not find expected ',' or ']', while parsing a flow sequence at line 2 column 4");
    }
}
