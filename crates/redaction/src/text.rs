//! Decides what of a free text is a secret: user-info and secret parameters of URLs, values that follow a
//! secret's name, bearer and basic credentials, JSON Web Tokens, PEM blocks.

mod value;

use std::sync::LazyLock;

use regex::Regex;

use value::redact_named_values;

struct Rule {
    pattern: Regex,
    replacement: &'static str,
}

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    [
        (r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", "REDACTED"),
        (r#"([A-Za-z][A-Za-z0-9+.-]*://)[^/?#\s"'<>]*@"#, "${1}REDACTED@"),
        (r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+", "REDACTED"),
        (r"(?i)\b((?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{6,}", "${1}REDACTED"),
    ]
    .into_iter()
    .filter_map(|(pattern, replacement)| Some(Rule { pattern: Regex::new(pattern).ok()?, replacement }))
    .collect()
});

/// Takes the secrets out of a text and leaves the rest as it was. The text may be JSON that is broken or cut off.
pub fn redact_text(text: &str) -> String {
    let mut redacted = redact_named_values(text);
    for rule in RULES.iter() {
        if rule.pattern.is_match(&redacted) {
            redacted = rule.pattern.replace_all(&redacted, rule.replacement).into_owned();
        }
    }
    redacted
}

#[cfg(test)]
mod tests {
    use super::{RULES, redact_text};

    #[test]
    fn every_rule_compiles() {
        assert_eq!(RULES.len(), 4);
    }

    #[test]
    fn secrets_go_and_prose_stays() {
        for (text, expected) in [
            ("postgres://u:p@h/db", "postgres://REDACTED@h/db"),
            ("postgres://u:p@ss@h/db failed", "postgres://REDACTED@h/db failed"),
            ("http://h/x?a=1&token=abc&b=2", "http://h/x?a=1&token=REDACTED&b=2"),
            ("password=hunter2 refused", "password=REDACTED refused"),
            ("Authorization: Bearer abcdef123456", "Authorization: Bearer REDACTED"),
            ("authorization: Basic dXNlcjpwdw==", "authorization: Basic REDACTED"),
            ("password authentication failed for user \"onex\"", "password authentication failed for user \"onex\""),
            ("author unknown", "author unknown"),
            ("mail me at a@b.example", "mail me at a@b.example"),
            ("key: value", "key: value"),
            ("missing key `token`: expected a string", "missing key `token`: expected a string"),
        ] {
            assert_eq!(redact_text(text), expected);
        }
    }

    #[test]
    fn broken_json_keeps_no_secret() {
        for text in [
            r#"{"client_secret":"hunter2","a":1}"#,
            r#"{"metadata":{"password":"hunter2"#,
            r#"{"clientSecret": "hunter2", "b": tru"#,
            r#"{"tokens":["hunter2", "hunter2"], x"#,
            r#"{"password":["hunter2"#,
            r#"{"password":{"current":"hunter2","old":["hunter2"]}, x"#,
            r#"{"password":"a\"hunter2", x"#,
            r#"{"authorization":"Basic hunter2", x"#,
            r#"{'api_key': 'hunter2', x"#,
            r#"{"key":"hunter2","dsn":"hunter2","cookie":"hunter2","passwords":"hunter2", x"#,
            r#"{password: hunter2, x"#,
            r#"{"a":"{\"password\":\"hunter2\"}", x"#,
        ] {
            let redacted = redact_text(text);
            assert!(!redacted.contains("hunter2"), "{text} became {redacted}");
        }
        assert_eq!(redact_text(r#"{"a":"b","c":[1,2]"#), r#"{"a":"b","c":[1,2]"#);
    }
}
