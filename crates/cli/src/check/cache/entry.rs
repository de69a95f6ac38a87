//! How one file is written into the cache: JSON, findings as lists, without the file's name, which may change.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use onex_contract::{Diagnostic, KeyPath, Severity, Span, SystemFacts, rules};
use serde::{Deserialize, Serialize};

use crate::check::examine::Examined;

#[derive(Serialize, Deserialize)]
struct Entry {
    facts: Option<SystemFacts>,
    findings: Vec<Finding>,
    has_allows: bool,
}

/// Code, severity, message, path, place as line, column, offset and length, help, fix.
type Finding = (String, Severity, String, KeyPath, Option<[usize; 4]>, Option<String>, Option<String>);

/// Codes as the reader has them.
static CODES: LazyLock<BTreeMap<&str, &str>> =
    LazyLock::new(|| rules().into_iter().map(|rule| (rule.code, rule.code)).collect());

pub(super) fn encode(examined: &Examined) -> Option<String> {
    let entry = Entry {
        facts: examined.facts.clone(),
        findings: examined.findings.iter().map(written).collect(),
        has_allows: examined.has_allows,
    };
    serde_json::to_string(&entry).ok()
}

/// Nothing when it is not what [`encode`] wrote.
pub(super) fn decode(entry: &[u8], file: &str) -> Option<Examined> {
    let Entry { facts, findings, has_allows } = serde_json::from_slice(entry).ok()?;
    let findings = findings.into_iter().map(|finding| read(finding, file)).collect::<Option<_>>()?;
    Some(Examined { facts, findings, has_allows })
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
    use crate::check::examine::Examined;
    use onex_contract::{Source, SystemFacts, read};

    #[test]
    fn what_is_read_is_what_was_written() {
        let text = "name: a\nnode_type: COMPUTE\ncontract_version: 1.0.0\ncolour: [x]\nsubscribe_topics: [a.b]\n";
        let reading = read(Source { file: "now.yaml", text });
        assert!(!reading.diagnostics.is_empty());
        let facts = reading.contract.as_ref().map(SystemFacts::of);
        let examined = Examined { facts, findings: reading.diagnostics, has_allows: false };
        let entry = encode(&examined).expect("written");
        assert_eq!(decode(entry.as_bytes(), "now.yaml"), Some(examined));
        assert_eq!(decode(entry.replace("ONEX00", "ONEX99").as_bytes(), "now.yaml"), None);
    }
}
