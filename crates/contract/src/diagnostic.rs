//! Decides what a finding tells: a stable code, how bad it is, where, and the way out.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::path::KeyPath;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// The contract runs, but something in it has no effect or is legacy.
    Warning,
    /// The contract cannot be run as written.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// A place in a file's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// In bytes from the start of the text.
    pub offset: usize,
    /// In bytes; at least 1 where the text has any.
    pub length: usize,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code, `ONEX####`; `onex check` and `docs/errors.md` explain it.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong: lower-case, no full stop, names in backticks.
    pub message: String,
    /// The file as it was named to the reader.
    pub file: String,
    /// Where inside the contract.
    pub path: KeyPath,
    /// Where in the text; absent when the text could not be read at all.
    pub span: Option<Span>,
    /// The way out.
    pub help: Option<String>,
    /// What to write in place of the text at the span, where that is mechanical and changes no meaning.
    pub fix: Option<String>,
}

impl Diagnostic {
    /// A finding without file and span, which the reader adds.
    pub fn new(code: &'static str, severity: Severity, path: KeyPath, message: impl Into<String>) -> Self {
        Self { code, severity, message: message.into(), file: String::new(), path, span: None, help: None, fix: None }
    }

    /// The same finding with a mechanical fix.
    #[must_use]
    pub fn with_fix(self, replacement: impl Into<String>) -> Self {
        Self { fix: Some(replacement.into()), ..self }
    }

    /// The same finding with a way out.
    #[must_use]
    pub fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.file)?;
        if let Some(span) = self.span {
            write!(formatter, ":{}:{}", span.line, span.column)?;
        }
        write!(formatter, ": {}[{}]: {}", self.severity, self.code, self.message)
    }
}
