//! Every file of the corpus of real contracts: what it is read as, and the codes of what is found in it. A change
//! of the reader or of a rule shows as a change of the snapshot.
//!
//! Includes are carried out relative to the file, as discovery does it.

#![expect(clippy::panic, clippy::expect_used, reason = "a test says what it misses and stops")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use onex_contract::{FileKind, Severity};
use onex_runtime::{FoundContract, read_file};
use serde_json::Value;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus")
}

/// Class and path of every file, from the manifest.
fn files() -> Vec<(String, PathBuf)> {
    let manifest = corpus().join("manifest.json");
    let text = std::fs::read_to_string(&manifest).unwrap_or_else(|error| {
        panic!("the corpus is missing: {}: {error}; it belongs beside the checkout", manifest.display())
    });
    let entries: Vec<Value> = serde_json::from_str(&text).expect("the manifest is a list");
    let text_of = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    entries
        .iter()
        .map(|entry| (text_of(entry, "class"), Path::new(&text_of(entry, "repo")).join(text_of(entry, "path"))))
        .collect()
}

fn found(path: &Path) -> FoundContract {
    let file = corpus().join(path);
    read_file(&file, file.parent().expect("a directory"))
}

/// `contract orchestrator: ONEX0040×3 …`, or why there is none.
fn verdict(found: &FoundContract) -> String {
    let reading = &found.reading;
    let what = match (reading.kind, &reading.contract) {
        (FileKind::Node, Some(contract)) => format!("{} {}", contract.archetype(), contract.name),
        (FileKind::Node, None) => "not read".to_owned(),
        (kind, _) => kind.as_str().to_owned(),
    };
    let mut codes: BTreeMap<(&str, Severity), usize> = BTreeMap::new();
    reading.diagnostics.iter().for_each(|finding| *codes.entry((finding.code, finding.severity)).or_default() += 1);
    let shown = codes.into_iter().map(|((code, severity), count)| match count {
        1 => format!("{severity} {code}"),
        count => format!("{severity} {code} x{count}"),
    });
    format!("{what}: {}", shown.collect::<Vec<_>>().join(", "))
}

#[test]
fn the_verdict_of_every_file_is_kept() {
    let mut shown = String::new();
    for (class, path) in files() {
        let _ = writeln!(shown, "{class} {}\n    {}", path.display(), verdict(&found(&path)));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn every_node_contract_reads_into_a_typed_contract_without_a_false_error() {
    /// What is wrong with real contracts, looked at one by one.
    const TRUE_ERRORS: [(&str, &str); 1] = [(
        "omniintelligence/src/omniintelligence/nodes/node_intelligence_orchestrator/contract.yaml",
        "ONEX0042", // `publish_outcome` publishes an event that `published_events` does not list
    )];
    let mut wrong = Vec::new();
    for (class, path) in files() {
        let found = found(&path);
        let is_node = class == "node_contract" || class == "other_node_contract";
        if is_node && found.reading.contract.is_none() {
            wrong.push(format!("{} is not read", path.display()));
        }
        let errors = found.reading.diagnostics.iter().filter(|finding| finding.severity == Severity::Error && is_node);
        let false_errors =
            errors.filter(|error| !TRUE_ERRORS.contains(&(path.to_str().unwrap_or_default(), error.code)));
        wrong.extend(false_errors.map(ToString::to_string));
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn kin_of_contracts_are_named_as_what_they_are() {
    let expected = BTreeMap::from([
        ("handler_contract", FileKind::Handler),
        ("workflow_file", FileKind::Workflow),
        ("runtime_config", FileKind::RuntimeConfiguration),
        ("repository_contract", FileKind::Repository),
    ]);
    for (class, path) in files() {
        if let Some(kind) = expected.get(class.as_str()) {
            assert_eq!(found(&path).reading.kind, *kind, "{}", path.display());
        }
    }
}

#[test]
fn every_finding_has_a_place_in_its_file() {
    for (_, path) in files() {
        let found = found(&path);
        for finding in &found.reading.diagnostics {
            let span = finding.span.unwrap_or_else(|| panic!("{finding} has no place"));
            assert!(found.text.is_char_boundary(span.offset), "{finding}");
            assert_eq!(found.text[..span.offset].matches('\n').count() + 1, span.line, "{finding}");
        }
    }
}
