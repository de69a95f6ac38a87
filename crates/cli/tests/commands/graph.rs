//! `onex graph`.

use crate::program::{Home, ORCHESTRATOR, corpus, onex, ours, refused};

const FORMATS: [&str; 4] = ["mermaid", "dot", "svg", "html"];

/// What is drawn of one of our contracts, or of all.
fn drawn(path: &str, format: &str) -> String {
    let ended = onex(&["graph", &ours(path), "--format", format]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{path}");
    ended.stdout
}

#[test]
fn an_orchestrators_steps() {
    let file = "node_registration_orchestrator/contract.yaml";
    insta::assert_snapshot!("steps_mermaid", drawn(file, "mermaid"));
    insta::assert_snapshot!("steps_dot", drawn(file, "dot"));
}

#[test]
fn a_reducers_states_and_an_effects_topics() {
    insta::assert_snapshot!("states_mermaid", drawn("node_registration_reducer/contract.yaml", "mermaid"));
    insta::assert_snapshot!("effect_mermaid", drawn("node_registry_effect/contract.yaml", "mermaid"));
}

#[test]
fn a_system() {
    insta::assert_snapshot!("system_mermaid", drawn("", "mermaid"));
    insta::assert_snapshot!("system_dot", drawn("", "dot"));
    insta::assert_snapshot!("system_svg", drawn("", "svg"));
    insta::assert_snapshot!("system_html", drawn("", "html"));
}

#[test]
fn a_page_of_one_contract() {
    let home = Home::new();
    home.write("contract.yaml", ORCHESTRATOR);
    insta::assert_snapshot!(home.onex(&["graph", "contract.yaml", "--format", "html"]).stdout);
}

#[test]
fn a_picture_is_the_same_every_time_and_goes_where_it_is_told() {
    let home = Home::new();
    home.write("contract.yaml", ORCHESTRATOR);
    for format in FORMATS {
        let first = home.onex(&["graph", "contract.yaml", "--format", format]);
        let second = home.onex(&["graph", "contract.yaml", "--format", format, "-o", "picture"]);
        assert_eq!((first.code, second.code, second.stdout.as_str()), (0, 0, ""), "{format}");
        assert_eq!(first.stdout, home.read("picture"), "{format}");
    }
    refused(&home, &["graph", "contract.yaml", "-o", "no/such/place"], "no/such/place");
}

#[test]
fn nothing_that_a_contract_says_becomes_markup() {
    let home = Home::new();
    let hostile = "<script>alert(1)</script>\\\"]; x [label=&";
    let text = ORCHESTRATOR
        .replace("node_id: decide", &format!("node_id: \"{hostile}\""))
        .replace("depends_on: [decide]", &format!("depends_on: [\"{hostile}\"]"))
        .replace("description: Greets", "description: <img src=x onerror=y>\n  Greets")
        .replace("name: greeter", "name: \"</title><script>\"");
    home.write("contract.yaml", &text);
    for format in FORMATS {
        let ended = home.onex(&["graph", "contract.yaml", "--format", format]);
        assert_eq!(ended.code, 0, "{format}: {}", ended.stderr);
        let quoted_only = format == "dot";
        for markup in ["<script", "<img", "</title><"] {
            assert!(quoted_only || !ended.stdout.contains(markup), "{format} has {markup}: {}", ended.stdout);
        }
        let ends_early = ended.stdout.replace("\\\"", "").contains("\"]; x [label=&");
        assert!(!ends_early, "{format} ends a quoted text early: {}", ended.stdout);
    }
}

#[test]
fn a_page_asks_for_nothing_from_outside() {
    let page = drawn("", "html");
    for outside in ["<script", "<link", "@import", "src=", "href=", "url(http"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("prefers-color-scheme"));
}

#[test]
fn what_is_named_and_not_there_is_drawn_as_missing() {
    let home = Home::new();
    home.write("contract.yaml", &ORCHESTRATOR.replace("depends_on: [receive]", "depends_on: [receve]"));
    let ended = home.onex(&["graph", "contract.yaml"]);
    assert!(ended.stdout.contains("receve<br/>no such step\"]:::missing"), "{}", ended.stdout);
    home.write(
        "all/a/contract.yaml",
        &ORCHESTRATOR.replace("consul.register: node_registry_effect", "consul.register: gone_effect"),
    );
    let ended = home.onex(&["graph", "all"]);
    assert!(ended.stdout.contains("gone_effect<br/>no contract\"]:::missing"), "{}", ended.stdout);
    assert!(ended.stdout.contains("node_registry_effect<br/>built in"), "{}", ended.stdout);
}

#[test]
fn a_cycle_is_drawn_too() {
    let home = Home::new();
    home.write("contract.yaml", &ORCHESTRATOR.replace("depends_on: [receive]", "depends_on: [tell]"));
    for format in FORMATS {
        assert_eq!(home.onex(&["graph", "contract.yaml", "--format", format]).code, 0, "{format}");
    }
}

#[test]
fn what_cannot_be_drawn() {
    let home = Home::new();
    home.write("bad.yaml", "name: [\n");
    home.write("empty/readme.md", "nothing");
    home.write("mixed/a/contract.yaml", ORCHESTRATOR);
    home.write("mixed/b/contract.yaml", "name: [\n");
    refused(&home, &["graph", "missing.yaml"], "missing.yaml");
    refused(&home, &["graph", "empty"], "no contract.yaml is below `empty`");
    refused(&home, &["graph"], "PATH");
    refused(&home, &["graph", "mixed", "--format", "png"], "png");
    let bad = home.onex(&["graph", "bad.yaml"]);
    assert_eq!((bad.code, bad.stdout.as_str()), (1, ""));
    assert!(bad.stderr.contains("ONEX0002"), "{}", bad.stderr);
    let mixed = home.onex(&["graph", "mixed"]);
    assert_eq!(mixed.code, 0);
    assert!(mixed.stdout.contains("greeter") && mixed.stderr.contains("mixed/b/contract.yaml"), "{}", mixed.stderr);
}

#[test]
fn real_contracts_are_drawn() {
    let Some(nodes) = corpus("omnibase_infra/src/omnibase_infra/nodes") else { return };
    for format in FORMATS {
        let ended = onex(&["graph", &nodes, "--format", format]);
        assert_eq!(ended.code, 0, "{format}: {}", ended.stderr);
        assert!(ended.stdout.contains("node_registration_orchestrator"), "{format}");
    }
}
