//! Decides what of an error text may leave a backend: redacted first, then cut, so that no cut
//! takes the part of a secret away by which it would have been known.

use onex_redaction::redact_text;

/// The longest error text, in characters.
pub const MAX_MESSAGE_CHARS: usize = 500;

/// The text without secrets and at most [`MAX_MESSAGE_CHARS`] long.
pub fn safe_message(text: &str) -> String {
    let redacted = redact_text(text);
    match redacted.char_indices().nth(MAX_MESSAGE_CHARS) {
        None => redacted,
        Some(_) => redacted.chars().take(MAX_MESSAGE_CHARS - 1).chain(['…']).collect(),
    }
}
