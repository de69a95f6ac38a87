//! `onex schema`.

use serde_json::Value;

use crate::program::{Home, onex, ours, refused};

#[test]
fn every_listed_schema_is_the_published_one() {
    let names = onex(&["schema", "--list"]);
    assert_eq!(names.code, 0);
    let names: Vec<_> = names.stdout.lines().map(str::to_owned).collect();
    assert!(names.contains(&"contract".to_owned()) && names.len() > 5, "{names:?}");
    for name in names {
        let printed: Value = serde_json::from_str(&onex(&["schema", &name]).stdout).expect("JSON");
        let title = printed["title"].as_str().expect("a title");
        let file = ours(&format!("schema/{name}.schema.json"));
        let published: Value = serde_json::from_str(&std::fs::read_to_string(file).expect("published")).expect("JSON");
        assert_eq!(published["title"], title, "{name}");
    }
}

#[test]
fn the_contract_is_meant_when_nothing_is_named() {
    assert_eq!(onex(&["schema"]).stdout, onex(&["schema", "contract"]).stdout);
}

#[test]
fn an_unknown_name_is_refused() {
    refused(&Home::new(), &["schema", "contrat"], "did you mean `contract`?");
    refused(&Home::new(), &["schema", "zzz"], "`zzz` has no schema");
}
