//! `onex check`: every finding of every contract, alone and together.
//!
//! Files are read on all cores, and one that was checked before is not read as a contract again. Texts are not kept:
//! the few that are shown are fetched once more.

mod cache;
mod examine;
mod fix;
mod formats;
mod place;

use std::path::PathBuf;

use anyhow::Context;
use onex_contract::{Diagnostic, Severity};
use onex_runtime::{ContractFile, find, on_all_cores};

use crate::arguments::{CheckArguments, Format};
use crate::exit::{Exit, Stop};
use crate::{OrUsage, output, render};
use cache::Cache;
use examine::Findings;

pub(crate) fn check(arguments: &CheckArguments) -> Result<Exit, Stop> {
    let paths = if arguments.paths.is_empty() { vec![PathBuf::from(".")] } else { arguments.paths.clone() };
    let mut cache = place::of(arguments).map_or_else(Cache::none, Cache::open);
    let mut files = find(&paths).or_usage()?;
    let mut findings = findings(&files, &mut cache, arguments);
    if arguments.fix {
        let fixed = fix::apply(&files, &findings.told).or_usage()?;
        eprintln!("{fixed} findings mended");
        files = find(&paths).or_usage()?;
        findings = self::findings(&files, &mut cache, arguments);
    }
    std::thread::scope(|scope| {
        scope.spawn(|| cache.save());
        show(&files, &findings, arguments)
    })?;
    let worst = findings.told.iter().map(|finding| finding.severity).max();
    let bound = if arguments.strict { Severity::Warning } else { Severity::Error };
    Ok(if worst >= Some(bound) { Exit::Problems } else { Exit::Done })
}

/// What is wanted of the findings.
fn findings(files: &[ContractFile], cache: &mut Cache, arguments: &CheckArguments) -> Findings {
    let are_notes_hidden = arguments.format == Format::Human && !arguments.notes;
    let wants_notes = !are_notes_hidden || arguments.statistics || arguments.fix;
    let mut findings = examine::findings(files, cache, wants_notes);
    findings.told.retain(|finding| is_wanted(finding.code, arguments));
    findings.untold.retain(|code, _| is_wanted(code, arguments));
    findings
}

fn is_wanted(code: &str, arguments: &CheckArguments) -> bool {
    let named = |codes: &[String]| codes.iter().any(|prefix| code.starts_with(prefix.to_ascii_uppercase().as_str()));
    (arguments.select.is_empty() || named(&arguments.select)) && !named(&arguments.ignore)
}

fn show(files: &[ContractFile], findings: &Findings, arguments: &CheckArguments) -> Result<(), Stop> {
    let told = &findings.told;
    if arguments.statistics {
        return output::line(formats::statistics(told));
    }
    match arguments.format {
        Format::Json => output::line(formats::json(files.len(), told).context("cannot write JSON").or_usage()?),
        Format::Sarif => output::line(formats::sarif(told)),
        Format::Github => told.iter().try_for_each(|finding| output::line(formats::github(finding))),
        Format::Human => human(files, findings, arguments.notes),
    }
}

/// Notes are counted and shown only when asked for: most contracts carry keys for other tools.
fn human(files: &[ContractFile], findings: &Findings, with_notes: bool) -> Result<(), Stop> {
    let of_files: Vec<&[Diagnostic]> = findings.told.chunk_by(|left, right| left.file == right.file).collect();
    let by_name = examine::by_name(files);
    let is_shown = |finding: &&Diagnostic| with_notes || finding.severity > Severity::Note;
    let rendered = on_all_cores(&of_files, |findings| {
        let shown: Vec<&Diagnostic> = findings.iter().filter(is_shown).collect();
        let file = shown.first().and_then(|first| by_name.get(&first.file));
        let text = file.and_then(|file| file.text().ok()).unwrap_or_default();
        shown.into_iter().map(|finding| render::finding(finding, &text) + "\n").collect::<String>()
    });
    rendered.iter().filter(|text| !text.is_empty()).try_for_each(output::text)?;
    output::line(formats::summary(files.len(), findings, with_notes))
}
