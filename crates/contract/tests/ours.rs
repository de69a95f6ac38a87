//! Our own contracts: no finding, and valid by the schema that we publish for editors.

#![expect(clippy::panic, reason = "a test says what it misses and stops")]

use std::path::Path;

use onex_contract::{Archetype, Severity, Source, SystemContract, check_system, read, read_canonical, schema};

const OURS: [&str; 3] = ["node_registration_orchestrator", "node_registration_reducer", "node_registry_effect"];

fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts").join(name).join("contract.yaml");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn our_contracts_are_clean_and_fit_together() {
    let readings: Vec<_> = OURS.iter().map(|name| read(Source { file: name, text: &text(name) })).collect();
    for reading in &readings {
        let beyond_notes = reading.diagnostics.iter().filter(|finding| finding.severity > Severity::Note);
        assert_eq!(beyond_notes.count(), 0, "{}: {:?}", reading.file, reading.diagnostics);
        let again = read_canonical(&reading.canonical).expect("the journal's copy reads back");
        assert_eq!(Some(again), reading.contract);
    }
    let contracts: Vec<_> = readings
        .iter()
        .map(|reading| SystemContract { file: &reading.file, contract: reading.contract.as_ref().expect("read") })
        .collect();
    let together = check_system(&contracts, &[]);
    let notes: Vec<_> = together.iter().map(|finding| (finding.code, finding.severity)).collect();
    assert_eq!(notes, [("ONEX0045", Severity::Note); 2], "deregistering is not undone: {together:?}");
    assert_eq!(check_system(&contracts[..1], &[]).len(), 6, "without the effect every route and step dangles");
    assert_eq!(check_system(&contracts[..1], &[(OURS[2].to_owned(), Archetype::Effect)]), []);
    assert_eq!(check_system(&[contracts[2], contracts[2]], &[])[0].code, "ONEX0080");
}

#[test]
fn our_contracts_are_valid_by_the_published_schema() {
    let validator = jsonschema::validator_for(schema().as_value()).expect("the schema is one");
    for name in OURS {
        let reading = read(Source { file: name, text: &text(name) });
        let value: serde_json::Value = serde_json::from_str(&reading.canonical).expect("canonical JSON");
        let errors: Vec<_> =
            validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert_eq!(errors, Vec::<String>::new(), "{name}");
    }
}
