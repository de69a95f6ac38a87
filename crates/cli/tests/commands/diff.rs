//! `onex diff`.

use serde_json::Value;

use crate::program::{Home, ORCHESTRATOR, corpus, onex, ours, refused};

/// The contract with something replaced, beside the contract.
fn edited(before: &str, after: &str) -> Home {
    assert!(ORCHESTRATOR.contains(before), "{before}");
    let home = Home::new();
    home.write("old.yaml", ORCHESTRATOR);
    home.write("new.yaml", &ORCHESTRATOR.replacen(before, after, 1));
    home
}

#[test]
fn the_exit_code_tells_whether_something_breaks() {
    for (before, after, code, said) in [
        ("name: greeter", "name: greeter", 0, "no difference; the fingerprints are equal"),
        ("node_type: ORCHESTRATOR", "node_type: ORCHESTRATOR_GENERIC", 0, "no difference in meaning"),
        ("name: greeter\n", "x-note: hi\nname: greeter\n", 0, "no difference in meaning"),
        ("max_retries: 1", "max_retries: 5", 0, "0 breaking, 0 needs drain, 1 safe"),
        ("node_registration_reducer", "other_reducer", 0, "0 breaking, 1 needs drain, 0 safe"),
        ("event_type: Greeted}}", "event_type: Met}}", 1, "breaking without a major version"),
        ("onex.evt.hello.greeted.v1", "onex.evt.hello.met.v1", 1, "consumers have to follow"),
    ] {
        let ended = edited(before, after).onex(&["diff", "old.yaml", "new.yaml"]);
        assert_eq!(ended.code, code, "{after}: {}{}", ended.stdout, ended.stderr);
        assert!(ended.stdout.contains(said), "{after}: {}", ended.stdout);
    }
}

#[test]
fn differences_for_people() {
    let edits = ORCHESTRATOR
        .replace("consul.register: node_registry_effect, ", "")
        .replace("node_registration_reducer", "other_reducer")
        .replace("Greets", "Welcomes");
    let home = Home::new();
    home.write("old.yaml", ORCHESTRATOR);
    home.write("new.yaml", &edits);
    insta::assert_snapshot!(home.onex(&["diff", "old.yaml", "new.yaml"]).stdout);
}

#[test]
fn differences_for_tools() {
    let home = edited("onex.evt.hello.greeted.v1", "onex.evt.hello.met.v1");
    let ended = home.onex(&["diff", "old.yaml", "new.yaml", "--format", "json"]);
    let mut json: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    for side in ["old", "new"] {
        let fingerprint = json["contracts"][0][side]["fingerprint"].take();
        assert_eq!(fingerprint.as_str().map(str::len), Some(64));
    }
    insta::assert_json_snapshot!(json);
}

#[test]
fn directories_are_matched_by_name() {
    let home = Home::new();
    let node = |name: &str| format!("name: {name}\nnode_type: COMPUTE\ncontract_version: \"1.0.0\"\n");
    home.write("old/a/contract.yaml", &node("stays"));
    home.write("old/b/contract.yaml", &node("goes"));
    home.write("new/deep/er/contract.yaml", &node("stays"));
    home.write("new/c/contract.yaml", &node("comes"));
    let ended = home.onex(&["diff", "old", "new"]);
    assert_eq!(ended.code, 1);
    insta::assert_snapshot!(ended.stdout);
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let home = Home::new();
    home.write("good.yaml", ORCHESTRATOR);
    home.write("bad.yaml", "name: [\n");
    home.write("list.yaml", "- a\n");
    home.write("empty/readme.md", "nothing");
    home.write("full/a/contract.yaml", ORCHESTRATOR);
    home.write("twice/a/contract.yaml", ORCHESTRATOR);
    home.write("twice/b/contract.yaml", ORCHESTRATOR);
    for (old, new, named) in [
        ("missing.yaml", "good.yaml", "missing.yaml"),
        ("good.yaml", "missing.yaml", "missing.yaml"),
        ("good.yaml", "bad.yaml", "bad.yaml"),
        ("list.yaml", "good.yaml", "ONEX0004"),
        ("empty", "full", "no contract.yaml is below `empty`"),
        ("full", "empty", "empty"),
        ("good.yaml", "full", "a file and a directory"),
        ("twice", "full", "have one name"),
    ] {
        refused(&home, &["diff", old, new], named);
    }
    refused(&home, &["diff", "good.yaml"], "NEW");
}

#[test]
fn a_contract_with_errors_is_compared_as_far_as_it_goes_and_that_is_said() {
    let home = edited("failure_recovery_strategy: rollback", "failure_recovery_strategy: hope");
    let ended = home.onex(&["diff", "old.yaml", "new.yaml"]);
    assert!(ended.stderr.contains("new.yaml has errors"), "{}", ended.stderr);
}

#[test]
fn our_contracts_are_themselves() {
    let ended = onex(&["diff", &ours(""), &ours("")]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert_eq!(ended.stdout.matches("the fingerprints are equal").count(), 3, "{}", ended.stdout);
}

/// December to July: other topics, no Consul, and still version 1.
#[test]
fn two_real_versions() {
    let nodes = "src/omnibase_infra/nodes/node_registration_orchestrator";
    let december = corpus(&format!("omnibase_infra@735d873d4/{nodes}/v1_0_0/contract.yaml"));
    let july = corpus(&format!("omnibase_infra/{nodes}/contract.yaml"));
    let (Some(december), Some(july)) = (december, july) else { return };
    let ended = onex(&["diff", &december, &july]);
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    for said in [
        "node_registration_orchestrator 1.0.0 -> 1.1.1",
        "breaking without a major version",
        "onex.evt.node-introspection.v1 -> onex.evt.platform.node-introspection.v1",
        "intents `consul.register` have no route any more",
        "new runs do without step `execute_consul_registration`",
    ] {
        assert!(ended.stdout.contains(said), "{said}: {}", ended.stdout);
    }
    assert_eq!(onex(&["diff", &july, &july]).code, 0);
}
