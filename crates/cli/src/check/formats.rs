//! Findings in the forms that other tools read.

use std::collections::BTreeMap;

use onex_contract::{Diagnostic, Severity, rules};
use serde::Serialize;
use serde_json::{Value, json};

use super::examine::Findings;

#[derive(Serialize)]
struct All<'f> {
    diagnostics: Vec<Told<'f>>,
    files: usize,
}

#[derive(Serialize)]
struct Told<'f> {
    code: &'f str,
    column: Option<usize>,
    file: &'f str,
    help: Option<&'f str>,
    line: Option<usize>,
    message: &'f str,
    path: String,
    severity: Severity,
}

/// `{"diagnostics": […], "files": n}`, written at once, for it may be long.
pub(super) fn json(files: usize, findings: &[Diagnostic]) -> serde_json::Result<String> {
    let told = findings.iter().map(|finding| Told {
        code: finding.code,
        column: finding.span.map(|span| span.column),
        file: &finding.file,
        help: finding.help.as_deref(),
        line: finding.span.map(|span| span.line),
        message: &finding.message,
        path: finding.path.to_string(),
        severity: finding.severity,
    });
    serde_json::to_string(&All { diagnostics: told.collect(), files })
}

/// SARIF 2.1.0 with the rules that have findings.
pub(super) fn sarif(findings: &[Diagnostic]) -> Value {
    let used: Vec<_> =
        rules().into_iter().filter(|rule| findings.iter().any(|finding| finding.code == rule.code)).collect();
    let descriptions: Vec<_> = used
        .iter()
        .map(|rule| json!({"id": rule.code, "shortDescription": {"text": rule.title}, "help": {"text": rule.help}}))
        .collect();
    let results: Vec<_> = findings.iter().map(sarif_result).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "onex", "version": env!("CARGO_PKG_VERSION"), "rules": descriptions}},
            "results": results,
        }],
    })
}

fn sarif_result(finding: &Diagnostic) -> Value {
    let region = finding.span.map(|span| json!({"startLine": span.line, "startColumn": span.column}));
    let mut physical = json!({"artifactLocation": {"uri": finding.file}});
    if let (Some(map), Some(region)) = (physical.as_object_mut(), region) {
        map.insert("region".to_owned(), region);
    }
    json!({
        "ruleId": finding.code,
        "level": finding.severity.to_string(),
        "message": {"text": told(finding)},
        "locations": [{"physicalLocation": physical}],
    })
}

/// `::error file=…,line=…,col=…,title=…::message`.
pub(super) fn github(finding: &Diagnostic) -> String {
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let place = finding.span.map(|span| format!(",line={},col={}", span.line, span.column)).unwrap_or_default();
    let file = escaped(&finding.file).replace(',', "%2C").replace(':', "%3A");
    format!("::{level} file={file}{place},title={}::{}", finding.code, escaped(&told(finding)))
}

fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn told(finding: &Diagnostic) -> String {
    match &finding.help {
        Some(help) => format!("{}; {help}", finding.message),
        None => finding.message.clone(),
    }
}

/// How often each code was found, the most frequent first.
pub(super) fn statistics(findings: &[Diagnostic]) -> String {
    let mut rows = counts(findings.iter());
    rows.sort_by(|left, right| right.1.cmp(&left.1).then(left.0.cmp(&right.0)));
    table(&rows)
}

type Row<'f> = ((&'f str, Severity), usize);

fn counts<'f>(findings: impl Iterator<Item = &'f Diagnostic>) -> Vec<Row<'f>> {
    let mut counts: BTreeMap<(&str, Severity), usize> = BTreeMap::new();
    findings.for_each(|finding| *counts.entry((finding.code, finding.severity)).or_default() += 1);
    counts.into_iter().collect()
}

fn table(rows: &[Row<'_>]) -> String {
    let titles: BTreeMap<_, _> = rules().into_iter().map(|rule| (rule.code, rule.title)).collect();
    let lines = rows.iter().map(|((code, severity), count)| {
        let severity = severity.to_string();
        format!("{count:>6}  {code}  {severity:<7}  {}", titles.get(code).copied().unwrap_or_default())
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// From how many shown findings on the codes are ranked, and how many codes are.
const MANY: usize = 10;
const RANKED: usize = 6;

/// The codes of very many findings, errors before warnings, frequent ones first; nothing for few.
fn ranking<'f>(shown: impl Iterator<Item = &'f Diagnostic>) -> String {
    let mut rows = counts(shown);
    if rows.iter().map(|(_, count)| count).sum::<usize>() < MANY {
        return String::new();
    }
    rows.sort_by(|((left_code, left), left_count), ((right_code, right), right_count)| {
        right.cmp(left).then(right_count.cmp(left_count)).then(left_code.cmp(right_code))
    });
    let more = rows.len().saturating_sub(RANKED);
    rows.truncate(RANKED);
    let rest =
        if more > 0 { format!("        and {more} other codes (`--statistics` lists them)\n") } else { String::new() };
    format!("{}\n{rest}\n", table(&rows))
}

/// For people, at the end: the most frequent codes where there are many findings, then all in one line.
pub(super) fn summary(files: usize, findings: &Findings, notes_are_shown: bool) -> String {
    let count = |severity| findings.told.iter().filter(|finding| finding.severity == severity).count();
    let counted = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let all_notes = count(Severity::Note) + findings.untold.values().sum::<usize>();
    let notes = counted(all_notes, "note");
    let hint = if !notes_are_shown && all_notes > 0 { " (`--notes` shows them)" } else { "" };
    let (errors, warnings) = (counted(count(Severity::Error), "error"), counted(count(Severity::Warning), "warning"));
    let is_shown = |finding: &&Diagnostic| notes_are_shown || finding.severity > Severity::Note;
    let worst = findings.told.iter().filter(is_shown).max_by_key(|finding| finding.severity);
    let more = worst.map(|finding| format!("\n`onex explain {}` says more about a code", finding.code));
    format!(
        "{}{}: {errors}, {warnings}, {notes}{hint}{}",
        ranking(findings.told.iter().filter(is_shown)),
        counted(files, "contract"),
        more.unwrap_or_default()
    )
}
