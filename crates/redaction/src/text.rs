//! Decides what of a free text is a secret: user-info and secret parameters of URLs, `name=value`
//! pairs with a secret's name, bearer tokens, JSON Web Tokens, PEM blocks.

use std::sync::LazyLock;

use regex::Regex;

const NAMES: &str = r"(?:[A-Za-z0-9_-]*[_-])?(?:password|passwd|pwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)";

struct Rule {
    pattern: Regex,
    replacement: &'static str,
}

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    [
        (r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)".to_owned(), "REDACTED"),
        (r#"([A-Za-z][A-Za-z0-9+.-]*://)[^/?#\s"'<>]*@"#.to_owned(), "${1}REDACTED@"),
        (r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+".to_owned(), "REDACTED"),
        (r"(?i)\b(bearer\s+)[A-Za-z0-9._~+/=-]{6,}".to_owned(), "${1}REDACTED"),
        (format!(r#"(?i)(\\?["']?\b{NAMES}\\?["']?\s*[=:]\s*)(?:\\?"[^"]*"|'[^']*'|[^\s&,;"'}}\]]+)"#), "${1}REDACTED"),
    ]
    .into_iter()
    .filter_map(|(pattern, replacement)| Some(Rule { pattern: Regex::new(&pattern).ok()?, replacement }))
    .collect()
});

/// Takes the secrets out of a text and leaves the rest as it was.
pub fn redact_text(text: &str) -> String {
    let mut redacted = text.to_owned();
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
        assert_eq!(RULES.len(), 5);
    }

    #[test]
    fn secrets_go_and_prose_stays() {
        for (text, expected) in [
            ("postgres://u:p@h/db", "postgres://REDACTED@h/db"),
            ("postgres://u:p@ss@h/db failed", "postgres://REDACTED@h/db failed"),
            ("http://h/x?a=1&token=abc&b=2", "http://h/x?a=1&token=REDACTED&b=2"),
            ("password=hunter2 refused", "password=REDACTED refused"),
            (r#"{"client_secret":"abc","a":1}"#, r#"{"client_secret":REDACTED,"a":1}"#),
            ("Authorization: Bearer abcdef123456", "Authorization: Bearer REDACTED"),
            ("password authentication failed for user \"onex\"", "password authentication failed for user \"onex\""),
            ("author unknown", "author unknown"),
            ("mail me at a@b.example", "mail me at a@b.example"),
            ("key: value", "key: value"),
        ] {
            assert_eq!(redact_text(text), expected);
        }
    }
}
