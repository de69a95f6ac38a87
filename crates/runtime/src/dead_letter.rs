//! Decides what is kept of a message that cannot be run: why, where it came from, and itself without its
//! secrets, one JSON object a line, on disk before the message counts as dealt with.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use onex_node::Timestamp;
use onex_redaction::{redact_text, redact_value};
use serde::Serialize;
use serde_json::Value;

/// How much of a message that is no JSON is kept, in characters.
const KEPT_TEXT: usize = 10_000;

/// A message that cannot be run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeadLetter {
    /// When it was set aside.
    pub at: Timestamp,
    /// Where it came from, such as `line 7` or `topic@offset`.
    pub origin: String,
    /// Stable code of the reason.
    pub code: String,
    /// The reason.
    pub reason: String,
    /// How often it was delivered.
    pub attempts: u32,
    /// The message: JSON when it is JSON, else its text; redacted.
    pub original: Value,
}

impl DeadLetter {
    /// A dead letter of a message's text, redacted here.
    pub fn new(at: Timestamp, origin: String, code: &str, reason: &str, attempts: u32, text: &str) -> Self {
        let original = match serde_json::from_str(text) {
            Ok(mut value) => {
                redact_value(&mut value);
                value
            }
            Err(_) => Value::String(redact_text(&text.chars().take(KEPT_TEXT).collect::<String>())),
        };
        Self { at, origin, code: code.to_owned(), reason: redact_text(reason), attempts, original }
    }
}

/// Why a dead letter could not be kept; the message must come again then.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep a dead letter in {path}")]
pub struct DeadLetterError {
    path: String,
    #[source]
    source: std::io::Error,
}

/// `dead-letters.jsonl` in the data directory.
#[derive(Debug)]
pub struct DeadLetterFile {
    path: PathBuf,
    file: Mutex<File>,
}

impl DeadLetterFile {
    /// Opens the file of a data directory, creating it.
    ///
    /// # Errors
    ///
    /// It cannot be opened for appending.
    pub fn open(data_directory: &Path) -> Result<Self, DeadLetterError> {
        let path = data_directory.join("dead-letters.jsonl");
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let file = file.map_err(|source| DeadLetterError { path: path.display().to_string(), source })?;
        Ok(Self { path, file: Mutex::new(file) })
    }

    /// Keeps letters; they are on disk when it returns.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn keep(&self, letters: &[DeadLetter]) -> Result<(), DeadLetterError> {
        let failed = |source: std::io::Error| DeadLetterError { path: self.path.display().to_string(), source };
        let mut text = Vec::new();
        for letter in letters {
            serde_json::to_writer(&mut text, letter).map_err(|error| failed(error.into()))?;
            text.push(b'\n');
        }
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&text).and_then(|()| file.sync_data()).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::{DeadLetter, DeadLetterFile};
    use onex_node::Timestamp;

    #[test]
    fn letters_are_kept_without_secrets() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = DeadLetterFile::open(directory.path()).expect("writable");
        let letter = |text| DeadLetter::new(Timestamp::UNIX_EPOCH, "line 1".to_owned(), "ONEX1010", "bad", 1, text);
        file.keep(&[letter(r#"{"password": "hunter2"}"#), letter("{password: hunter2, x")]).expect("writable");
        let kept = std::fs::read_to_string(directory.path().join("dead-letters.jsonl")).expect("readable");
        assert_eq!(kept.lines().count(), 2);
        assert!(!kept.contains("hunter2"), "{kept}");
        assert!(kept.starts_with(
            r#"{"at":"1970-01-01T00:00:00Z","origin":"line 1","code":"ONEX1010","reason":"bad","attempts":1,"#
        ));
    }
}
