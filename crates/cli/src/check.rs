//! `onex check`: every finding of every contract, alone and together.

mod fix;
mod formats;

use std::path::PathBuf;

use onex_contract::{Diagnostic, Severity, SystemContract, check_system, silence};
use onex_runtime::{Discovered, FoundContract, discover};

use crate::arguments::{CheckArguments, Format};
use crate::exit::{Exit, Stop};
use crate::{OrUsage, builtin, output, render};

pub(crate) fn check(arguments: &CheckArguments) -> Result<Exit, Stop> {
    let paths = if arguments.paths.is_empty() { vec![PathBuf::from(".")] } else { arguments.paths.clone() };
    let mut found = discover(&paths).or_usage()?;
    let mut findings = findings(&found, arguments);
    if arguments.fix {
        let fixed = fix::apply(&found, &findings).or_usage()?;
        eprintln!("{fixed} findings mended");
        found = discover(&paths).or_usage()?;
        findings = self::findings(&found, arguments);
    }
    show(&found, &findings, arguments)?;
    let worst = findings.iter().map(|finding| finding.severity).max();
    let bound = if arguments.strict { Severity::Warning } else { Severity::Error };
    Ok(if worst >= Some(bound) { Exit::Problems } else { Exit::Done })
}

fn show(found: &Discovered, findings: &[Diagnostic], arguments: &CheckArguments) -> Result<(), Stop> {
    if arguments.statistics {
        return output::line(formats::statistics(findings));
    }
    match arguments.format {
        Format::Json => output::line(formats::json(found.contracts.len(), findings)),
        Format::Sarif => output::line(formats::sarif(findings)),
        Format::Github => findings.iter().try_for_each(|finding| output::line(formats::github(finding))),
        Format::Human => human(found, findings, arguments),
    }
}

/// Findings of single contracts and of the system, by file and place: those that are wanted and not silenced.
fn findings(found: &Discovered, arguments: &CheckArguments) -> Vec<Diagnostic> {
    let mut all: Vec<_> = found.contracts.iter().flat_map(|found| found.reading.diagnostics.clone()).collect();
    all.extend(system_findings(found));
    let mut findings = Vec::new();
    for contract in &found.contracts {
        let file = &contract.reading.file;
        let (own, others) = all.into_iter().partition(|finding: &Diagnostic| finding.file == *file);
        findings.extend(silence(file, &contract.text, own));
        all = others;
    }
    findings.retain(|finding| is_wanted(finding.code, arguments));
    findings.sort_by(|left, right| (&left.file, left.span, left.code).cmp(&(&right.file, right.span, right.code)));
    findings
}

fn system_findings(found: &Discovered) -> Vec<Diagnostic> {
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
    check_system(&contracts, &known).into_iter().map(|finding| placed(found, finding)).collect()
}

fn is_wanted(code: &str, arguments: &CheckArguments) -> bool {
    let named = |codes: &[String]| codes.iter().any(|prefix| code.starts_with(prefix.to_ascii_uppercase().as_str()));
    (arguments.select.is_empty() || named(&arguments.select)) && !named(&arguments.ignore)
}

/// A finding of the system with its place in the file's text.
fn placed(found: &Discovered, finding: Diagnostic) -> Diagnostic {
    let text = text_of(found, &finding.file);
    Diagnostic { span: onex_contract::locate(text, &finding.path), ..finding }
}

fn text_of<'f>(found: &'f Discovered, file: &str) -> &'f str {
    found.contracts.iter().find(|found: &&FoundContract| found.reading.file == file).map_or("", |found| &found.text)
}

/// Notes are counted and shown only when asked for: most contracts carry keys for other tools.
fn human(found: &Discovered, findings: &[Diagnostic], arguments: &CheckArguments) -> Result<(), Stop> {
    let is_shown = |finding: &&Diagnostic| arguments.notes || finding.severity > Severity::Note;
    for finding in findings.iter().filter(is_shown) {
        output::line(render::finding(finding, text_of(found, &finding.file)))?;
    }
    output::line(formats::summary(found.contracts.len(), findings, arguments.notes))
}
