//! Blanks what follows the name of a secret and `:` or `=`: a quoted text, a list or map, or a word, to its end or
//! to the end of the text. It reads JSON, YAML and key-value text alike, whole or broken.

use crate::REDACTED;
use crate::key::names_a_secret;

/// Bare words name a secret only when nothing else is meant by them: `key: value` is prose.
const PLAIN_WORDS: [&str; 3] = ["key", "cookie", "bearer"];

/// Blanks every value whose name is a secret's.
pub(super) fn redact_named_values(text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, name, after)) = next_name(rest) {
        redacted.push_str(&rest[..before + name.len()]);
        let (separator, value) = after;
        redacted.push_str(separator);
        let length = value_length(value);
        if is_secret(name) && length > 0 {
            redacted.push_str(REDACTED);
            rest = &value[length..];
        } else {
            rest = value;
        }
    }
    redacted.push_str(rest);
    redacted
}

/// The next word that is followed by `:` or `=`: where it begins, itself with its quotes, and what follows it as
/// separator and rest.
fn next_name(text: &str) -> Option<(usize, &str, (&str, &str))> {
    let mut from = 0;
    while let Some(start) = text[from..].find(|character: char| is_word(character)).map(|index| from + index) {
        let length = text[start..].find(|character: char| !is_word(character)).unwrap_or(text.len() - start);
        let word = &text[start..start + length];
        let after = &text[start + length..];
        let quote_length = after.len() - after.trim_start_matches(['\\', '"', '\'']).len();
        let separator_length = separator_length(&after[quote_length..]);
        let is_quoted = quote_length > 0;
        if separator_length > 0 {
            let name_end = start + length + if is_quoted { quote_length } else { 0 };
            let value = &text[name_end + separator_length..];
            return Some((start, &text[start..name_end], (&text[name_end..name_end + separator_length], value)));
        }
        from = start + word.len();
    }
    None
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-' | '.')
}

/// `:` or `=` with white space around it; 0 when there is none.
fn separator_length(text: &str) -> usize {
    let trimmed = text.trim_start();
    let before = text.len() - trimmed.len();
    match trimmed.strip_prefix([':', '=']) {
        // `https://` is no pair.
        Some(rest) if rest.starts_with("//") => 0,
        Some(rest) => before + 1 + (rest.len() - rest.trim_start_matches([' ', '\t']).len()),
        None => 0,
    }
}

fn is_secret(name: &str) -> bool {
    let word = name.trim_end_matches(['\\', '"', '\'']);
    let is_quoted = word.len() < name.len();
    names_a_secret(word)
        && (is_quoted || !PLAIN_WORDS.contains(&word.to_ascii_lowercase().as_str()))
        && (is_quoted || !word.eq_ignore_ascii_case("authorization"))
}

/// How long the value at the start of a text is.
fn value_length(text: &str) -> usize {
    let escapes = text.len() - text.trim_start_matches('\\').len();
    let value = &text[escapes..];
    escapes
        + match value.chars().next() {
            Some(quote @ ('"' | '\'')) => quoted_length(value, quote),
            Some('[' | '{') => nested_length(value),
            Some('`' | ',' | ';' | ')' | '}' | ']') | None => return 0,
            Some(_) => value.find(|end: char| end.is_whitespace() || ",;&\"'}])`".contains(end)).unwrap_or(value.len()),
        }
}

/// Up to and with the closing quote; an escaped one does not close.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (index, character) in text.char_indices().skip(1) {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if character == quote => return index + 1,
            _ => {}
        }
    }
    text.len()
}

/// Up to and with the bracket that closes the first one.
fn nested_length(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut index = 0;
    while let Some(character) = text[index..].chars().next() {
        match character {
            '"' => {
                index += quoted_length(&text[index..], '"');
                continue;
            }
            '[' | '{' => depth += 1,
            ']' | '}' => depth -= 1,
            _ => {}
        }
        index += character.len_utf8();
        if depth == 0 {
            return index;
        }
    }
    text.len()
}
