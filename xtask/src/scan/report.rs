//! Decides how a scan is told: as a table for people, and whole as JSON for tools.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use onex_contract::{Diagnostic, Reading, Severity, Span, rules};
use serde::Serialize;

/// All that a scan found.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    files: Vec<File<'a>>,
    codes: BTreeMap<&'a str, Code<'a>>,
}

#[derive(Serialize)]
struct File<'a> {
    file: &'a str,
    /// Absent when no contract could be made of the text.
    name: Option<&'a str>,
    verdict: Verdict,
    findings: Vec<Finding<'a>>,
}

#[derive(Serialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Clean,
    Warned,
    Refused,
}

#[derive(Serialize)]
struct Finding<'a> {
    code: &'a str,
    severity: Severity,
    path: String,
    span: Option<Span>,
    message: &'a str,
}

/// How often a code was found, and one place to look at.
#[derive(Serialize)]
struct Code<'a> {
    title: &'a str,
    severity: Severity,
    findings: usize,
    files: BTreeSet<&'a str>,
    example: String,
}

impl<'a> Report<'a> {
    pub(super) fn of(readings: &'a [Reading]) -> Self {
        let titles = rules().into_iter().map(|rule| (rule.code, rule.title)).collect();
        let mut codes = BTreeMap::new();
        for diagnostic in readings.iter().flat_map(|reading| &reading.diagnostics) {
            count(&mut codes, &titles, diagnostic);
        }
        Self { files: readings.iter().map(file).collect(), codes }
    }

    fn with(&self, verdict: Verdict) -> usize {
        self.files.iter().filter(|file| file.verdict == verdict).count()
    }
}

fn count<'a>(
    codes: &mut BTreeMap<&'a str, Code<'a>>,
    titles: &BTreeMap<&'static str, &'static str>,
    diagnostic: &'a Diagnostic,
) {
    let code = codes.entry(diagnostic.code).or_insert_with(|| Code {
        title: titles.get(diagnostic.code).copied().unwrap_or_default(),
        severity: diagnostic.severity,
        findings: 0,
        files: BTreeSet::new(),
        example: diagnostic.to_string(),
    });
    code.severity = code.severity.max(diagnostic.severity);
    code.findings += 1;
    code.files.insert(&diagnostic.file);
}

fn file(reading: &Reading) -> File<'_> {
    let verdict = |diagnostic: &Diagnostic| {
        if diagnostic.severity == Severity::Error { Verdict::Refused } else { Verdict::Warned }
    };
    File {
        file: &reading.file,
        name: reading.contract.as_ref().map(|contract| contract.name.as_str()),
        verdict: reading.diagnostics.iter().map(verdict).max().unwrap_or(Verdict::Clean),
        findings: reading.diagnostics.iter().map(Finding::of).collect(),
    }
}

impl<'a> Finding<'a> {
    fn of(diagnostic: &'a Diagnostic) -> Self {
        Self {
            code: diagnostic.code,
            severity: diagnostic.severity,
            path: diagnostic.path.to_string(),
            span: diagnostic.span,
            message: &diagnostic.message,
        }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (clean, warned) = (self.with(Verdict::Clean), self.with(Verdict::Warned));
        let (all, refused) = (self.files.len(), self.with(Verdict::Refused));
        writeln!(formatter, "{all} contracts: {clean} clean, {warned} with warnings, {refused} with errors")?;
        for (name, code) in &self.codes {
            let Code { title, severity, findings, files, example } = code;
            writeln!(formatter, "\n{name} {severity}: {title}: {findings} in {} files", files.len())?;
            writeln!(formatter, "    {example}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use onex_contract::{Source, read};

    use super::*;

    #[test]
    fn a_report_counts_files_by_verdict_and_findings_by_code() {
        let readings = [read(Source { file: "a.yaml", text: "" }), read(Source { file: "b.yaml", text: "[" })];
        let report = Report::of(&readings);
        assert_eq!(report.with(Verdict::Refused), 2);
        assert_eq!(report.codes.values().map(|code| code.findings).sum::<usize>(), 2);
        assert!(report.to_string().starts_with("2 contracts: 0 clean, 0 with warnings, 2 with errors\n"));
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["files"][0]["verdict"], "refused");
    }
}
