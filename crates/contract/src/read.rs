//! Decides what a text says: a contract where one can be made of it, and every problem on the way.
//!
//! The typed model is read by serde, which stops at the first error. So an erring value is reported,
//! taken out, and the rest is read again: each problem is found once, at its own place.

mod aliases;
mod despite;
mod include;
mod kind;
mod prune;
mod shape;
mod syntax;
mod unknown;
mod vocabulary;

use serde::Deserialize;
use serde_json::Value;

use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::fingerprint::{Fingerprint, canonical};
use crate::locate::{Locator, span_at};
use crate::model::Contract;
use crate::path::{KeyPath, Segment};
use crate::rules::{self, Finding, Rule, reading};
use crate::yaml::{self, Oddity, Trouble};
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
    Finding::at_value(reading::NO_NODE.finding(KeyPath::default(), message))
}

fn of_node(source: Source<'_>, value: Value) -> (Option<Contract>, Vec<Finding>) {
    let (value, unnamed) = named(source, value);
    let (contract, mut findings, pruned) = typed(value);
    findings.extend(unnamed);
    let Some(contract) = contract else { return (None, findings) };
    if findings.iter().any(Finding::is_error) {
        let found = rules::check_locally(&contract).into_iter().map(|mut finding| {
            finding.diagnostic.path = pruned.original(&finding.diagnostic.path);
            finding
        });
        findings.extend(despite::trusted(found, &findings));
    } else {
        findings.extend(rules::check(&contract));
    }
    (Some(contract), findings)
}

/// A contract without a name is called as its file, or as the directory of a `contract.yaml`. Parts of larger
/// programs are often kept so; a `contract.yaml` has a name in every repository, and one without it is warned of.
fn named(source: Source<'_>, mut value: Value) -> (Value, Option<Finding>) {
    let path = std::path::Path::new(source.file);
    let own = path.file_stem().filter(|stem| *stem != "contract");
    let stem = own.or_else(|| path.parent().and_then(std::path::Path::file_name)).and_then(std::ffi::OsStr::to_str);
    let is_unnamed = ["name", "node_name", "contract_name"].iter().all(|key| value.get(key).is_none());
    let is_node = value.get("node_type").is_some();
    let (true, Some(stem), Some(map)) = (is_unnamed && is_node, stem, value.as_object_mut()) else {
        return (value, None);
    };
    map.insert("name".to_owned(), Value::from(stem));
    let after = if own.is_some() { "file" } else { "directory" };
    let message = format!("the contract has no `name` and is called `{stem}`, after its {after}");
    let finding = reading::UNNAMED.finding(KeyPath::default(), message);
    let severity = if own.is_some() { Severity::Note } else { finding.severity };
    (value, Some(Finding::at_key(Diagnostic { severity, ..finding })))
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
    let refuse = |rule: Rule, message: String| Box::new(rule.finding(KeyPath::default(), message));
    let at_start = |refused: Box<Diagnostic>| Box::new(Diagnostic { span: start(source.text), ..*refused });
    if source.text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes, more than {MAX_BYTES}", source.text.len());
        return Err(refuse(reading::TOO_LARGE, message));
    }
    let text = source.text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(source.text);
    let document = yaml::parse(text, &|path| include::included(includes, &[], path));
    let document = document.map_err(|error| Box::new(unreadable(source.text, &error)))?;
    match &document.value {
        Value::Object(_) => {
            let oddities = oddities(source.text, &document.oddities);
            Ok((document.value, oddities))
        }
        Value::Null => Err(at_start(refuse(reading::EMPTY, "the file is empty".to_owned()))),
        _ => {
            let message = "a contract is a map of keys, not a list or a single value";
            Err(at_start(refuse(reading::NO_MAP, message.to_owned())))
        }
    }
}

const BYTE_ORDER_MARK: char = '\u{feff}';

/// The first place of a text that has any.
fn start(text: &str) -> Option<Span> {
    let offset = text.len() - text.trim_start().len();
    let line = 1 + text[..offset].matches('\n').count();
    (offset < text.len()).then(|| span_at(text, line, 1))
}

fn unreadable(text: &str, error: &yaml::YamlError) -> Diagnostic {
    let (rule, message) = match error.trouble {
        Trouble::Syntax => (reading::UNREADABLE, format!("not readable as YAML: {}", error.message)),
        Trouble::Tab => (reading::TAB, "a tab is used for indentation, which YAML does not allow".to_owned()),
        Trouble::SeveralDocuments => {
            (reading::SEVERAL_DOCUMENTS, "the file holds more than one document; the second starts here".to_owned())
        }
        Trouble::TooDeep => (reading::TOO_DEEP, format!("the file is nested deeper than {}", yaml::MAX_DEPTH)),
        Trouble::TooManyAliases => (reading::TOO_MANY_ALIASES, "aliases expand to more than is read".to_owned()),
        Trouble::Include => (reading::NOT_INCLUDED, error.message.clone()),
        Trouble::UnknownAnchor => (reading::UNKNOWN_ANCHOR, "an alias names an anchor that does not exist".to_owned()),
    };
    let diagnostic = rule.finding(KeyPath::default(), message);
    let help = (error.trouble == Trouble::Syntax).then(|| syntax::way_out(&error.message)).flatten();
    let diagnostic = help.into_iter().fold(diagnostic, Diagnostic::with_help);
    let span = error.at.map(|(line, column)| span_at(text, line, column));
    Diagnostic { span: span.or_else(|| start(text)), ..diagnostic }
}

fn oddities(text: &str, oddities: &[Oddity]) -> Vec<Finding> {
    let mark = text.starts_with(BYTE_ORDER_MARK).then(|| {
        let message = "the file starts with a byte order mark, which is left out";
        Finding::at_value(reading::MARKED.finding(KeyPath::default(), message))
    });
    mark.into_iter().chain(oddities.iter().map(odd)).collect()
}

fn odd(oddity: &Oddity) -> Finding {
    match oddity {
        Oddity::WrittenTwice(path) => {
            let message = format!("`{path}` is written twice; the last one counts");
            Finding::at_key(reading::WRITTEN_TWICE.finding(path.clone(), message))
        }
        Oddity::Tag(path, tag) => {
            let message = format!("the tag `{tag}` means nothing here and is left out");
            Finding::at_value(reading::TAG.finding(path.clone(), message))
        }
    }
}

/// The contract in a value, what is wrong with its shape, and what was taken out of it.
fn typed(mut value: Value) -> (Option<Contract>, Vec<Finding>, Pruned) {
    aliases::settle(&mut value);
    let mut pruned = Pruned::new(value);
    let mut findings = pruned.take_out_lists();
    loop {
        let mut ignored = Vec::new();
        match attempt(pruned.value(), &mut ignored) {
            Ok(contract) => {
                let unknown = ignored.into_iter().map(|path| pruned.original(&path));
                findings.extend(unknown::findings(unknown));
                return (Some(contract), findings, pruned);
            }
            Err(error) if findings.len() < MAX_PROBLEMS => match pruned.take_out(&error) {
                Some(taken_out) => findings.extend(taken_out),
                None => {
                    findings.push(prune::hopeless(&error));
                    return (None, findings, pruned);
                }
            },
            Err(_) => return (None, findings, pruned),
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
        findings.push(Finding::at_value(reading::MORE_FINDINGS.finding(KeyPath::default(), message)));
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
