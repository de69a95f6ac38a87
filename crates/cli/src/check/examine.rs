//! Decides what is wrong with files, each alone and all together: what the cache knows of a text is taken from it,
//! the rest is read.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use onex_contract::{Diagnostic, FileFacts, Locator, Severity, SystemFacts, check_facts, has_allows, silence};
use onex_runtime::{ContractFile, on_all_cores};

use super::cache::{Cache, Key};
use crate::builtin;

/// What is known of one file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Examined {
    /// What concerns other contracts; nothing when it could not be read.
    pub(super) facts: Option<SystemFacts>,
    /// What is wrong with it alone.
    pub(super) findings: Vec<Diagnostic>,
    /// Notes that are left out of the findings.
    pub(super) untold: Untold,
    /// Whether its comments may silence something.
    pub(super) has_allows: bool,
}

/// How many notes of each code are only counted.
pub(super) type Untold = BTreeMap<&'static str, usize>;

/// All that is wrong.
pub(super) struct Findings {
    /// Every finding that no comment silences, by file and place.
    pub(super) told: Vec<Diagnostic>,
    pub(super) untold: Untold,
}

impl Examined {
    /// The same with the notes only counted, unless a comment may silence some of them.
    pub(super) fn without_notes(mut self) -> Self {
        if !self.has_allows {
            let notes = self.findings.extract_if(.., |finding| finding.severity == Severity::Note);
            notes.for_each(|note| *self.untold.entry(note.code).or_default() += 1);
        }
        self
    }
}

/// A file that was examined, and how it is to be remembered.
struct Outcome {
    examined: Examined,
    key: Option<Key>,
    /// What the cache does not have yet.
    fresh: Option<String>,
}

/// What is wrong with the files. There are ten notes to every other finding, so those that nobody wants to see are
/// not carried along.
pub(super) fn findings(files: &[ContractFile], cache: &mut Cache, wants_notes: bool) -> Findings {
    let known: &Cache = cache;
    let outcomes = on_all_cores(files, |file| examine(file, known, wants_notes));
    let mut all = Vec::with_capacity(outcomes.len());
    let mut untold = Untold::new();
    for Outcome { examined, key, fresh } in outcomes {
        if let Some(key) = key {
            cache.remember(key, fresh);
        }
        examined.untold.iter().for_each(|(code, count)| *untold.entry(code).or_default() += count);
        all.push(examined);
    }
    Findings { told: together(files, all), untold }
}

/// Files by the names that findings carry.
pub(super) fn by_name(files: &[ContractFile]) -> HashMap<String, &ContractFile> {
    files.iter().map(|file| (file.name(), file)).collect()
}

fn examine(file: &ContractFile, cache: &Cache, wants_notes: bool) -> Outcome {
    let text = match file.text() {
        Ok(text) => text,
        Err(finding) => {
            let findings = vec![*finding];
            let examined = Examined { facts: None, findings, untold: Untold::new(), has_allows: false };
            return Outcome { examined, key: None, fresh: None };
        }
    };
    let key = cache.key(&file.path, &text);
    if let Some(examined) = key.and_then(|key| cache.get(key, &file.name(), wants_notes)) {
        return Outcome { examined, key, fresh: None };
    }
    let (reading, is_part_of_more) = file.examine(&text);
    let examined = Examined {
        facts: reading.contract.as_ref().map(SystemFacts::of),
        findings: reading.diagnostics,
        untold: Untold::new(),
        has_allows: has_allows(&text),
    };
    let key = key.filter(|_| !is_part_of_more);
    let fresh = key.and_then(|_| Cache::entry(&examined));
    Outcome { examined: if wants_notes { examined } else { examined.without_notes() }, key, fresh }
}

/// Adds what is wrong with the files as a system, and takes out what is silenced.
fn together(files: &[ContractFile], all: Vec<Examined>) -> Vec<Diagnostic> {
    let names: Vec<String> = files.iter().map(ContractFile::name).collect();
    let mut of_system: HashMap<String, Vec<Diagnostic>> = HashMap::new();
    for finding in system_findings(&names, &all) {
        of_system.entry(finding.file.clone()).or_default().push(finding);
    }
    let joint: Vec<_> = files
        .iter()
        .zip(names)
        .zip(all)
        .map(|((file, name), examined)| {
            let of_system = of_system.remove(&name).unwrap_or_default();
            (file, name, examined, of_system)
        })
        .collect();
    let mut finished = on_all_cores(&joint, |(file, name, examined, of_system)| {
        let is_final = of_system.is_empty() && !examined.has_allows;
        (!is_final).then(|| finish(file, name, examined, of_system))
    });
    let mut findings: Vec<Vec<Diagnostic>> = Vec::new();
    for ((_, _, examined, _), finished) in joint.into_iter().zip(finished.drain(..)) {
        findings.push(finished.unwrap_or(examined.findings));
    }
    in_order(findings)
}

fn system_findings(names: &[String], all: &[Examined]) -> Vec<Diagnostic> {
    let contracts: Vec<_> = names
        .iter()
        .zip(all)
        .filter_map(|(file, examined)| Some(FileFacts { file, facts: examined.facts.as_ref()? }))
        .collect();
    let built_in = builtin::readings();
    let known = built_in.iter().filter_map(|reading| reading.contract.as_ref());
    let known: Vec<_> = known.map(|contract| (contract.name.clone(), contract.archetype())).collect();
    check_facts(&contracts, &known)
}

/// The findings of one file with those of the system at their places.
fn finish(file: &ContractFile, name: &str, examined: &Examined, of_system: &[Diagnostic]) -> Vec<Diagnostic> {
    let text = file.text().unwrap_or_default();
    let locator = Locator::new(&text);
    let placed = of_system.iter().map(|finding| Diagnostic { span: locator.locate(&finding.path), ..finding.clone() });
    silence(name, &text, examined.findings.iter().cloned().chain(placed).collect())
}

fn in_order(mut findings: Vec<Vec<Diagnostic>>) -> Vec<Diagnostic> {
    findings.retain(|of_file| !of_file.is_empty());
    findings
        .iter_mut()
        .for_each(|of_file| of_file.sort_by_key(|finding| (finding.span, finding.code, Reverse(finding.severity))));
    findings.sort_by(|left, right| file_of(left).cmp(file_of(right)));
    findings.into_iter().flatten().collect()
}

fn file_of(findings: &[Diagnostic]) -> &str {
    findings.first().map_or("", |finding| &finding.file)
}
