//! `onex check`: every finding of every contract, alone and together.

use std::path::PathBuf;

use onex_contract::{Diagnostic, Severity, SystemContract, check_system};
use onex_runtime::{Discovered, FoundContract, discover};
use serde_json::{Value, json};

use crate::arguments::{CheckArguments, Format};
use crate::exit::{Exit, Stop};
use crate::{OrUsage, builtin, output, render};

pub(crate) fn check(arguments: &CheckArguments) -> Result<Exit, Stop> {
    let paths = if arguments.paths.is_empty() { vec![PathBuf::from(".")] } else { arguments.paths.clone() };
    let found = discover(&paths).or_usage()?;
    let findings = findings(&found);
    match arguments.format {
        Format::Json => output::line(as_json(&found, &findings))?,
        Format::Human => show(&found, &findings)?,
    }
    let has_errors = findings.iter().any(|finding| finding.severity == Severity::Error);
    Ok(if has_errors { Exit::Problems } else { Exit::Done })
}

/// Findings of single contracts and of the system, by file and place.
fn findings(found: &Discovered) -> Vec<Diagnostic> {
    let contracts: Vec<_> = found
        .contracts
        .iter()
        .filter_map(|found| {
            Some(SystemContract { file: &found.reading.file, contract: found.reading.contract.as_ref()? })
        })
        .collect();
    let built_in = builtin::readings();
    let known: Vec<_> = built_in
        .iter()
        .filter_map(|reading| reading.contract.as_ref())
        .map(|contract| (contract.name.clone(), contract.archetype()))
        .collect();
    let system = check_system(&contracts, &known).into_iter().map(|finding| placed(found, finding));
    let single = found.contracts.iter().flat_map(|found| found.reading.diagnostics.clone());
    let mut findings: Vec<_> = single.chain(system).collect();
    findings.sort_by(|left, right| (&left.file, left.span, left.code).cmp(&(&right.file, right.span, right.code)));
    findings
}

/// A finding of the system with its place in the file's text.
fn placed(found: &Discovered, finding: Diagnostic) -> Diagnostic {
    let text = text_of(found, &finding.file);
    Diagnostic { span: onex_contract::locate(text, &finding.path), ..finding }
}

fn text_of<'f>(found: &'f Discovered, file: &str) -> &'f str {
    found.contracts.iter().find(|found: &&FoundContract| found.reading.file == file).map_or("", |found| &found.text)
}

fn as_json(found: &Discovered, findings: &[Diagnostic]) -> Value {
    let diagnostics: Vec<_> = findings
        .iter()
        .map(|finding| {
            json!({
                "code": finding.code,
                "severity": finding.severity,
                "message": finding.message,
                "file": finding.file,
                "line": finding.span.map(|span| span.line),
                "column": finding.span.map(|span| span.column),
                "path": finding.path.to_string(),
                "help": finding.help,
            })
        })
        .collect();
    json!({"files": found.contracts.len(), "diagnostics": diagnostics})
}

fn show(found: &Discovered, findings: &[Diagnostic]) -> Result<(), Stop> {
    for finding in findings {
        output::line(render::finding(finding, text_of(found, &finding.file)))?;
    }
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let (errors, warnings, notes) = (count(Severity::Error), count(Severity::Warning), count(Severity::Note));
    output::line(format!("{} contracts: {errors} errors, {warnings} warnings, {notes} notes", found.contracts.len()))
}
