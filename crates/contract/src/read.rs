//! Decides what a text says: a contract where one can be made of it, and every problem on the way.
//!
//! The typed model is read by serde, which stops at the first error. So an erring value is reported,
//! taken out, and the rest is read again: each problem is found once, at its own place.

mod aliases;
mod include;
mod kind;
mod prune;
mod unknown;
mod vocabulary;

use serde::Deserialize;
use serde_json::Value;

use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::fingerprint::{Fingerprint, canonical};
use crate::locate::{Locator, span_at};
use crate::model::Contract;
use crate::path::{KeyPath, Segment};
use crate::rules::{self, Finding};
use crate::yaml::{self, Trouble};
pub(crate) use aliases::{SPELLINGS, spellings};
use include::NoIncludes;
pub use include::{Include, Included};
pub use kind::FileKind;
use prune::Pruned;

/// Largest contract that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// How many problems of shape are reported for one file.
const MAX_PROBLEMS: usize = 100;

/// How many findings are told of one file; no file that somebody wrote has so many.
const MAX_FINDINGS: usize = 1000;

/// A text to read.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The file's name, as it is shown.
    pub file: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// What reading a text gave.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The file's name, as it was given.
    pub file: String,
    /// What it is.
    pub kind: FileKind,
    /// The contract, without the parts that were in error; `None` for what is no node's.
    pub contract: Option<Contract>,
    /// Fingerprint of all that was read, unknown keys included; [`examine`] makes none.
    pub fingerprint: Option<Fingerprint>,
    /// Canonical JSON of all that was read, for the journal; [`examine`] makes none.
    pub canonical: String,
    /// Every problem, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

impl Reading {
    /// Whether the contract cannot be run as written.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// What is known of a file that could not be read.
    pub fn unread(file: &str, diagnostic: Diagnostic) -> Self {
        let file = file.to_owned();
        let diagnostic = Diagnostic { file: file.clone(), ..diagnostic };
        Self {
            file,
            kind: FileKind::Node,
            contract: None,
            fingerprint: None,
            canonical: String::new(),
            diagnostics: vec![diagnostic],
        }
    }
}

/// Reads one contract that includes nothing.
pub fn read(source: Source<'_>) -> Reading {
    read_with(source, &NoIncludes)
}

/// Reads one contract with the files it includes.
pub fn read_with(source: Source<'_>, includes: &dyn Include) -> Reading {
    let mut text = String::new();
    let reading = read_keeping(source, includes, |value| text = canonical(value));
    let fingerprint = (!text.is_empty()).then(|| Fingerprint::of(&text));
    Reading { fingerprint, canonical: text, ..reading }
}

/// As [`read_with`], without canonical JSON and fingerprint: for those who only want to know what is wrong.
pub fn examine(source: Source<'_>, includes: &dyn Include) -> Reading {
    read_keeping(source, includes, |_| ())
}

fn read_keeping(source: Source<'_>, includes: &dyn Include, keep: impl FnOnce(&Value)) -> Reading {
    let (value, oddities) = match document(source, includes) {
        Ok(document) => document,
        Err(diagnostic) => return Reading::unread(source.file, *diagnostic),
    };
    keep(&value);
    let kind = FileKind::of(&value);
    let (contract, findings) =
        if kind == FileKind::Node { of_node(source, value) } else { (None, vec![not_a_node(kind)]) };
    Reading {
        file: source.file.to_owned(),
        kind,
        contract,
        fingerprint: None,
        canonical: String::new(),
        diagnostics: placed(source, findings.into_iter().chain(oddities).collect()),
    }
}

fn not_a_node(kind: FileKind) -> Finding {
    let message =
        format!("the file is {}: it declares no node, and nothing of it is run or checked here", kind.as_str());
    Finding::at_value(Diagnostic::new("ONEX0092", Severity::Note, KeyPath::default(), message))
}

fn of_node(source: Source<'_>, value: Value) -> (Option<Contract>, Vec<Finding>) {
    let (contract, mut findings) = typed(named(source, value));
    if let Some(contract) = contract.as_ref().filter(|_| !findings.iter().any(Finding::is_error)) {
        findings.extend(rules::check(contract));
    }
    (contract, findings)
}

/// A contract without a name is called as its file, or as the directory of a `contract.yaml`.
fn named(source: Source<'_>, mut value: Value) -> Value {
    let path = std::path::Path::new(source.file);
    let stem = path.file_stem().filter(|stem| *stem != "contract");
    let stem = stem.or_else(|| path.parent().and_then(std::path::Path::file_name)).and_then(std::ffi::OsStr::to_str);
    let is_unnamed = ["name", "node_name", "contract_name"].iter().all(|key| value.get(key).is_none());
    if let (true, Some(stem), Some(map)) = (is_unnamed && value.get("node_type").is_some(), stem, value.as_object_mut())
    {
        map.insert("name".to_owned(), Value::from(stem));
    }
    value
}

/// Reads the canonical JSON that [`Reading::canonical`] gave, as a journal keeps it.
///
/// # Errors
///
/// The text was not written by [`read`], or by a version that knew other keys.
pub fn read_canonical(json: &str) -> Result<Contract, serde_json::Error> {
    let mut value = serde_json::from_str(json)?;
    aliases::settle(&mut value);
    Contract::deserialize(value)
}

/// The document in a text, and what is odd about it.
fn document(source: Source<'_>, includes: &dyn Include) -> Result<(Value, Vec<Finding>), Box<Diagnostic>> {
    let refuse = |code, message: String| Box::new(Diagnostic::new(code, Severity::Error, KeyPath::default(), message));
    if source.text.len() > MAX_BYTES {
        return Err(refuse("ONEX0001", format!("the file has {} bytes, more than {MAX_BYTES}", source.text.len())));
    }
    let text = source.text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(source.text);
    let document = yaml::parse(text, &|path| include::included(includes, &[], path));
    let document = document.map_err(|error| {
        let span = error.at.map(|(line, column)| span_at(source.text, line, column));
        let (code, message) = unreadable(&error);
        Box::new(Diagnostic { span, ..*refuse(code, message) })
    })?;
    match &document.value {
        Value::Object(_) => Ok((document.value, oddities(source.text, &document.duplicates))),
        Value::Null => Err(refuse("ONEX0003", "the file is empty".to_owned())),
        _ => Err(refuse("ONEX0004", "a contract is a map of keys, not a list or a single value".to_owned())),
    }
}

const BYTE_ORDER_MARK: char = '\u{feff}';

fn unreadable(error: &yaml::YamlError) -> (&'static str, String) {
    match error.trouble {
        Trouble::Syntax => ("ONEX0002", format!("not readable as YAML: {}", error.message)),
        Trouble::Tab => ("ONEX0013", "a tab is used for indentation, which YAML does not allow".to_owned()),
        Trouble::SeveralDocuments => ("ONEX0016", "the file holds more than one document".to_owned()),
        Trouble::TooDeep => ("ONEX0017", format!("the file is nested deeper than {}", yaml::MAX_DEPTH)),
        Trouble::TooManyAliases => ("ONEX0018", "aliases expand to more than is read".to_owned()),
        Trouble::Include => ("ONEX0091", error.message.clone()),
        Trouble::UnknownAnchor => ("ONEX0019", "an alias names an anchor that does not exist".to_owned()),
    }
}

fn oddities(text: &str, duplicates: &[KeyPath]) -> Vec<Finding> {
    let mark = text.starts_with(BYTE_ORDER_MARK).then(|| {
        let message = "the file starts with a byte order mark, which is left out";
        Finding::at_value(Diagnostic::new("ONEX0014", Severity::Note, KeyPath::default(), message))
    });
    let twice = duplicates.iter().map(|path| {
        let message = format!("`{path}` is written twice; the last one counts");
        let diagnostic = Diagnostic::new("ONEX0015", Severity::Warning, path.clone(), message);
        Finding::at_key(diagnostic.with_help("remove one of the two"))
    });
    mark.into_iter().chain(twice).collect()
}

/// The contract in a value, and what is wrong with its shape.
fn typed(mut value: Value) -> (Option<Contract>, Vec<Finding>) {
    aliases::settle(&mut value);
    let mut pruned = Pruned::new(value);
    let mut findings = Vec::new();
    loop {
        let mut ignored = Vec::new();
        match attempt(pruned.value(), &mut ignored) {
            Ok(contract) => {
                let unknown = ignored.into_iter().map(|path| pruned.original(&path));
                findings.extend(unknown::findings(unknown));
                return (Some(contract), findings);
            }
            Err(error) if findings.len() < MAX_PROBLEMS => match pruned.take_out(&error) {
                Some(finding) => findings.extend(finding),
                None => {
                    findings.push(prune::hopeless(&error));
                    return (None, findings);
                }
            },
            Err(_) => return (None, findings),
        }
    }
}

type ShapeError = serde_path_to_error::Error<serde_json::Error>;

/// Reads a value, first without a record of where it is: that costs as much as the reading, and few contracts err.
fn attempt(value: &Value, ignored: &mut Vec<KeyPath>) -> Result<Contract, ShapeError> {
    let mut note = |path: serde_ignored::Path<'_>| ignored.push(ignored_path(&path));
    Contract::deserialize(serde_ignored::Deserializer::new(value, &mut note)).or_else(|_| {
        ignored.clear();
        tracked(value, ignored)
    })
}

fn tracked(value: &Value, ignored: &mut Vec<KeyPath>) -> Result<Contract, ShapeError> {
    let mut track = serde_path_to_error::Track::new();
    let deserializer = serde_path_to_error::Deserializer::new(value, &mut track);
    let mut note = |path: serde_ignored::Path<'_>| ignored.push(ignored_path(&path));
    let result = Contract::deserialize(serde_ignored::Deserializer::new(deserializer, &mut note));
    result.map_err(|error| ShapeError::new(track.path(), error))
}

fn ignored_path(path: &serde_ignored::Path<'_>) -> KeyPath {
    use serde_ignored::Path;
    match path {
        Path::Root => KeyPath::default(),
        Path::Seq { parent, index } => ignored_path(parent).index(*index),
        Path::Map { parent, key } => ignored_path(parent).key(key),
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => {
            ignored_path(parent)
        }
    }
}

/// The worst of very many findings, and how many there are.
fn limited(mut findings: Vec<Finding>) -> Vec<Finding> {
    let count = findings.len();
    if count > MAX_FINDINGS {
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.diagnostic.severity));
        findings.truncate(MAX_FINDINGS);
        let message = format!("the file has {count} findings; the {MAX_FINDINGS} worst are told");
        let diagnostic = Diagnostic::new("ONEX0093", Severity::Note, KeyPath::default(), message);
        findings.push(Finding::at_value(diagnostic));
    }
    findings
}

/// The findings with file and place, in the order of the text.
fn placed(source: Source<'_>, findings: Vec<Finding>) -> Vec<Diagnostic> {
    if findings.is_empty() {
        return Vec::new();
    }
    let findings = limited(findings);
    let locator = Locator::new(source.text);
    let place = |finding: &Finding| -> Option<Span> {
        if finding.at_key {
            locator.locate_key(&finding.diagnostic.path)
        } else {
            locator.locate(&finding.diagnostic.path)
        }
    };
    let mut diagnostics: Vec<_> = findings
        .into_iter()
        .map(|finding| Diagnostic { span: place(&finding), file: source.file.to_owned(), ..finding.diagnostic })
        .collect();
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span, diagnostic.code));
    diagnostics
}

/// A path as serde names it; parts it cannot name end it.
fn serde_path(path: &serde_path_to_error::Path) -> KeyPath {
    use serde_path_to_error::Segment as Serde;
    let segments = path.iter().map_while(|segment| match segment {
        Serde::Seq { index } => Some(Segment::Index(*index)),
        Serde::Map { key } => Some(Segment::Key(key.clone())),
        Serde::Enum { .. } | Serde::Unknown => None,
    });
    KeyPath(segments.collect())
}
