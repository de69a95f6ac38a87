//! How one file is written into the cache: JSON, findings as lists, without the file's name, which may change. The
//! notes stand by themselves after a tab, which JSON has not, so that they can be passed over.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use onex_contract::{Diagnostic, KeyPath, Severity, Span, SystemFacts, rules};
use serde::{Deserialize, Serialize};

use crate::check::examine::{Examined, Untold};

#[derive(Serialize, Deserialize)]
struct Entry {
    facts: Option<SystemFacts>,
    findings: Vec<Finding>,
    /// How many notes there are of each code.
    notes: BTreeMap<String, usize>,
    has_allows: bool,
}

/// Code, severity, message, path, place as line, column, offset and length, help, fix.
type Finding = (String, Severity, String, KeyPath, Option<[usize; 4]>, Option<String>, Option<String>);

/// Codes as the reader has them.
static CODES: LazyLock<BTreeMap<&str, &str>> =
    LazyLock::new(|| rules().into_iter().map(|rule| (rule.code, rule.code)).collect());

pub(super) fn encode(examined: &Examined) -> Option<String> {
    let (notes, others): (Vec<_>, Vec<_>) =
        examined.findings.iter().partition(|finding| finding.severity == Severity::Note);
    let mut counts = BTreeMap::new();
    notes.iter().for_each(|note| *counts.entry(note.code.to_owned()).or_default() += 1);
    let entry = Entry {
        facts: examined.facts.clone(),
        findings: others.into_iter().map(written).collect(),
        notes: counts,
        has_allows: examined.has_allows,
    };
    let notes: Vec<Finding> = notes.into_iter().map(written).collect();
    Some(format!("{}\t{}", serde_json::to_string(&entry).ok()?, serde_json::to_string(&notes).ok()?))
}

/// Nothing when it is not what [`encode`] wrote. The notes are only counted where they are not wanted.
pub(super) fn decode(entry: &[u8], file: &str, wants_notes: bool) -> Option<Examined> {
    let tab = entry.iter().position(|byte| *byte == b'\t')?;
    let Entry { facts, mut findings, notes, has_allows } = serde_json::from_slice(&entry[..tab]).ok()?;
    let mut untold = Untold::new();
    if wants_notes || has_allows {
        findings.append(&mut serde_json::from_slice(&entry[tab + 1..]).ok()?);
    } else {
        untold = notes.iter().map(|(code, count)| Some((*CODES.get(code.as_str())?, *count))).collect::<Option<_>>()?;
    }
    let findings = findings.into_iter().map(|finding| read(finding, file)).collect::<Option<_>>()?;
    Some(Examined { facts, findings, untold, has_allows })
}

fn written(finding: &Diagnostic) -> Finding {
    let Diagnostic { code, severity, message, path, span, help, fix, .. } = finding.clone();
    let span = span.map(|Span { line, column, offset, length }| [line, column, offset, length]);
    (code.to_owned(), severity, message, path, span, help, fix)
}

fn read((code, severity, message, path, span, help, fix): Finding, file: &str) -> Option<Diagnostic> {
    let code = CODES.get(code.as_str())?;
    let span = span.map(|[line, column, offset, length]| Span { line, column, offset, length });
    Some(Diagnostic { code, severity, message, file: file.to_owned(), path, span, help, fix })
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};
    use crate::check::examine::{Examined, Untold};
    use onex_contract::{Source, SystemFacts, read};

    #[test]
    fn what_is_read_is_what_was_written() {
        let text = "name: a\nnode_type: COMPUTE\ncontract_version: 1.0.0\ncolour: [x]\ntags: [a]\ntitle: b\n";
        let reading = read(Source { file: "now.yaml", text });
        assert!(!reading.diagnostics.is_empty());
        let facts = reading.contract.as_ref().map(SystemFacts::of);
        let examined = Examined { facts, findings: reading.diagnostics, untold: Untold::new(), has_allows: false };
        let entry = encode(&examined).expect("written");
        let decoded = |entry: &str, wants_notes| decode(entry.as_bytes(), "now.yaml", wants_notes);
        let without = examined.clone().without_notes();
        assert_eq!((without.findings.len(), &without.untold), (1, &Untold::from([("ONEX0009", 2)])));
        assert_eq!(decoded(&entry, true), Some(examined));
        assert_eq!(decoded(&entry, false), Some(without));
        assert_eq!(decoded(&entry.replace("ONEX00", "ONEX99"), true), None);
        assert_eq!(decoded(&entry.replace("ONEX00", "ONEX99"), false), None);
    }
}
