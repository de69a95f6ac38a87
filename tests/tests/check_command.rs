//! `onex check`, the help of every command, and what a wrong command line or configuration is answered with.

#![expect(clippy::expect_used, reason = "a test reports by panicking")]

use std::path::Path;

use onex_tests::process::{Ended, Home};
use onex_tests::{ORCHESTRATOR, contract_path, text, workspace};
use serde_json::{Value, json};

fn check(home: &Home, arguments: &[&str]) -> Ended {
    home.onex(&[&["check"], arguments].concat()).run()
}

/// A directory with one contract that cannot be read and one that names a step wrongly.
fn broken() -> (Home, usize) {
    let home = Home::new();
    home.write("a/contract.yaml", "name: unreadable\nnode_type: [\n");
    let contract = text(&contract_path(ORCHESTRATOR));
    let wrong = contract.replace("depends_on: [aggregate_results]", "depends_on: [aggregate_result]");
    let line = 1 + wrong.lines().position(|line| line.contains("[aggregate_result]")).expect("it was changed");
    home.write("b/contract.yaml", wrong);
    (home, line)
}

#[test]
fn our_own_contracts_are_clean() {
    let contracts = workspace("contracts").canonicalize().expect("it exists").display().to_string();
    let human = check(&Home::new(), &[&contracts]).expect_code(0);
    assert!(human.lines.concat().contains("3 contracts: 0 errors"), "{:?}", human.lines);
    let json = check(&Home::new(), &[&contracts, "--format", "json"]).expect_code(0);
    assert_eq!(json.json()["files"], 3);
    let diagnostics = json.json()["diagnostics"].as_array().expect("an array").clone();
    assert!(diagnostics.iter().all(|diagnostic| diagnostic["severity"] != "error"), "{diagnostics:?}");
}

#[test]
fn findings_as_json_have_one_shape() {
    let (home, line) = broken();
    let json = check(&home, &["--format", "json"]).expect_code(1).json();
    assert_eq!(keys(&json), ["diagnostics", "files"]);
    assert_eq!(json["files"], 2);
    let diagnostics = json["diagnostics"].as_array().expect("an array");
    for diagnostic in diagnostics {
        assert_eq!(keys(diagnostic), ["code", "column", "file", "help", "line", "message", "path", "severity"]);
    }
    let found = diagnostics.iter().find(|diagnostic| diagnostic["code"] == "ONEX0021").expect("the wrong step");
    let place = (&found["line"], &found["column"], &found["severity"]);
    assert_eq!(place, (&json!(line), &json!(24), &json!("error")), "{found}");
    assert!(found["file"].as_str().is_some_and(|file| file.ends_with("b/contract.yaml")), "{found}");
    let path = "workflow_coordination.workflow_definition.execution_graph.nodes[5].depends_on[0]";
    assert_eq!(found["path"], path);
    assert!(found["help"].as_str().is_some_and(|help| help.contains("aggregate_results")), "{found}");
    assert!(diagnostics.iter().any(|diagnostic| diagnostic["file"].as_str().is_some_and(|file| file.contains("a/"))));
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn findings_for_people_show_place_and_source_line() {
    let (home, line) = broken();
    let said = check(&home, &["."]).expect_code(1).lines.concat();
    assert!(said.contains(&format!("b/contract.yaml:{line}:24")), "{said}");
    assert!(said.contains("depends_on: [aggregate_result]"), "{said}");
    assert!(said.contains("a/contract.yaml:") && said.contains("2 contracts: "), "{said}");
}

#[test]
fn a_file_may_be_named_whatever_it_is_called() {
    let home = Home::new();
    home.write("mine.yml", "name: mine\nnode_type: SOMETHING\n");
    let json = check(&home, &["mine.yml", "--format", "json"]).expect_code(1).json();
    assert_eq!((&json["files"], &json["diagnostics"][0]["file"]), (&json!(1), &json!("mine.yml")));
    let nothing = check(&home, &["--format", "json"]).expect_code(0).json();
    assert_eq!(nothing, json!({"files": 0, "diagnostics": []}));
}

#[test]
fn the_help_of_every_command_has_examples() {
    for command in [&[][..], &["run"], &["check"], &["nodes"], &["nodes", "list"]] {
        let ended = Home::new().onex(&[command, &["--help"]].concat()).run().expect_code(0);
        let help = ended.lines.concat();
        assert!(help.contains("Examples:") && help.contains("  onex "), "{command:?}: {help}");
    }
}

/// What is said on standard error with exit code 2, and nothing on standard output.
fn refused(home: &Home, arguments: &[&str]) -> String {
    let ended = home.onex(arguments).run().expect_code(2);
    assert!(ended.lines.is_empty(), "{:?}", ended.lines);
    assert!(!home.data().exists(), "nothing was begun");
    ended.stderr
}

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    let table: [(&[&str], &str); 11] = [
        (&[], "Usage"),
        (&["walk"], "walk"),
        (&["run", "--nope"], "--nope"),
        (&["run", "--once", "--input"], "--input"),
        (&["run", "--once", "--input", "missing.jsonl"], "missing.jsonl"),
        (&["run", "--once", "--contracts", "missing"], "missing"),
        (&["run", "--once", "--max-in-flight", "0"], "--max-in-flight"),
        (&["run", "--once", "--grace", "soon"], "--grace"),
        (&["check", "missing"], "missing"),
        (&["check", "--format", "xml"], "xml"),
        (&["nodes", "list", "--backend", "consul"], "consul"),
    ];
    for (arguments, named) in table {
        let said = refused(&Home::new(), arguments);
        assert!(said.contains(named), "{arguments:?}: {said}");
    }
}

#[test]
fn a_wrong_configuration_is_refused_by_the_key() {
    let table = [
        ("colour: red", "colour"),
        ("registry: {backend: {}}", "registry.backend"),
        ("registry: {backends: {consul: {address: 'http://127.0.0.1:1', speed: 1}}}", "speed"),
        ("registry: {backends: {consul: {address: 5}}}", "registry.backends.consul.address"),
        ("registry: {backends: {consul: {}}}", "address"),
        ("registry: {backends: {consul: {address: nowhere}}}", "registry.backends.consul"),
        (
            "registry: {backends: {postgres: {url: 'postgres://x', pool_size: many}}}",
            "registry.backends.postgres.pool_size",
        ),
        ("registry: {backends: {postgres: {url: 'env:NOT_SET_ANYWHERE'}}}", "registry.backends.postgres.url"),
        ("registry: {backends: {postgres: {url: 'env:NOT_SET_ANYWHERE'}}}", "NOT_SET_ANYWHERE"),
        ("registry: {backends: {postgres: {url: 'file:/not/there'}}}", "registry.backends.postgres.url"),
        ("registry: {backends: {postgres: {url: ''}}}", "registry.backends.postgres.url"),
        ("journal: paper", "journal"),
        ("bus: [1]", "bus"),
        ("journal: [", "onex.yaml"),
    ];
    for (configuration, named) in table {
        let home = Home::new();
        home.write("onex.yaml", configuration);
        let said = refused(&home, &["run", "--once", "--config", "onex.yaml"]);
        assert!(said.contains(named), "`{configuration}`: {said}");
    }
    let said = refused(&Home::new(), &["run", "--once", "--config", "missing.yaml"]);
    assert!(said.contains("missing.yaml"), "{said}");
}

#[test]
fn a_secret_in_a_wrong_configuration_is_not_shown() {
    let table = [
        "registry: {backends: {postgres: {url: 'hunter2 is no URL'}}}",
        "registry: {backends: {postgres: {url: 'postgres://onex:hunter2@[bad/onex'}}}",
        "registry: {backends: {consul: {address: 'http://onex:hunter2@127.0.0.1:1'}}}",
        "registry: {backends: {consul: {address: 'http://127.0.0.1:1', token: 'hunter2 with blanks'}}}",
    ];
    for configuration in table {
        let home = Home::new();
        home.write("onex.yaml", configuration);
        let said = refused(&home, &["run", "--once", "--config", "onex.yaml"]);
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn a_variable_of_the_environment_wins_over_the_file_and_is_checked_like_it() {
    let home = Home::new();
    home.write("onex.yaml", "journal: sqlite\ndata_dir: of-the-file\n");
    let run = home.onex(&["run", "--once", "--config", "onex.yaml"]).env("ONEX_DATA_DIR", "of-the-environment");
    run.run().expect_code(0);
    assert!(home.path().join("of-the-environment/journal.db").is_file() && !home.path().join("of-the-file").exists());
    let wrong = home.onex(&["run", "--once"]).env("ONEX_JOURNAL", "paper").run().expect_code(2);
    assert!(wrong.stderr.to_lowercase().contains("journal"), "{}", wrong.stderr);
    assert!(Path::new(&home.data()).read_dir().is_err(), "nothing was begun");
}
