//! `onex plan`.

use serde_json::Value;

use crate::program::{Home, ORCHESTRATOR, onex, ours, refused};

/// What is said of the contract with something replaced.
fn planned(before: &str, after: &str, arguments: &[&str]) -> (i32, String) {
    assert!(ORCHESTRATOR.contains(before), "{before}");
    let home = Home::new();
    home.write("contract.yaml", &ORCHESTRATOR.replacen(before, after, 1));
    let ended = home.onex(&[&["plan", "contract.yaml"], arguments].concat());
    (ended.code, ended.stdout)
}

fn report(before: &str, after: &str) -> Value {
    let (code, stdout) = planned(before, after, &["--format", "json"]);
    assert_eq!(code, 0, "{stdout}");
    serde_json::from_str(&stdout).expect("JSON")
}

#[test]
fn our_orchestrator() {
    let file = onex(&["plan", &ours("node_registration_orchestrator/contract.yaml")]);
    let directory = onex(&["plan", &ours("node_registration_orchestrator")]);
    assert_eq!((file.code, &file.stdout), (0, &directory.stdout), "{}", file.stderr);
    let (_, without_head) = file.stdout.split_once('\n').expect("a head");
    insta::assert_snapshot!(without_head);
}

#[test]
fn a_parallel_plan_for_people_and_for_tools() {
    insta::assert_snapshot!("parallel_human", planned("greeter", "greeter", &[]).1);
    insta::assert_json_snapshot!("parallel_json", report("greeter", "greeter"));
}

#[test]
fn the_worst_case_is_held_against_the_deadline() {
    for (before, after, path, fits) in [
        ("greeter", "greeter", &["right"][..], false),
        ("execution_mode: parallel", "execution_mode: sequential", &["left", "right"], false),
        ("timeout_ms: 20000}", "timeout_ms: 200000}", &["right"], true),
        (", timeout_ms: 20000}", "}", &["right"], true),
        ("timeout_ms: 20000}", "timeout_ms: 20000, step_timeout_ms: 100, max_retries: 0}", &["left"], true),
    ] {
        let worst = report(before, after)["worst_case"].take();
        assert_eq!(
            (&worst["path"], &worst["fits"]),
            (&serde_json::json!(path), &Value::from(fits)),
            "{after}: {worst}"
        );
    }
    let left = &report("greeter", "greeter")["waves"][2][0];
    assert_eq!((&left["attempts_per_intent"], &left["worst_case_ms"]), (&Value::from(2), &Value::from(9_250)));
}

/// `onex check` and `onex plan` count alike: a run that has one millisecond less than its worst case is warned of.
#[test]
fn check_and_plan_agree_on_the_worst_case() {
    let rules = "coordination_rules: {";
    for (before, after) in [
        ("greeter", "greeter"),
        ("execution_mode: parallel", "execution_mode: sequential"),
        ("execution_mode: parallel", "execution_mode: parallel, parallel_execution_allowed: false"),
        ("failure_recovery_strategy: rollback", "failure_recovery_strategy: abort, max_retries: 5"),
        (rules, "coordination_rules: {retry_backoff_multiplier: 3.0, retry_backoff_ms: 200, max_retries: 9, "),
        (rules, "coordination_rules: {step_timeout_ms: 700, max_retries: 0, "),
        (
            "consumed_events:",
            "error_handling: {retry_policy: {max_delay_ms: 1500, jitter_factor: 0.5}}\nconsumed_events:",
        ),
        (
            "consumed_events:",
            "error_handling: {retry_policy: {max_retries: 2, exponential_base: 1.0, initial_delay_ms: 10}}\nconsumed_events:",
        ),
        (
            "depends_on: [decide], step_config: {effect_node",
            "depends_on: [decide], enabled: false, step_config: {effect_node",
        ),
        (
            "depends_on: [decide], step_config: {effect_node",
            "depends_on: [decide], timeout_ms: 9000, retry_count: 7, step_config: {effect_node",
        ),
        ("depends_on: [decide], step_config: {effect_node: node_registry_effect, intent_filter: \"postgres.*\"}", {
            "depends_on: [decide, left], step_config: {effect_node: node_registry_effect, intent_filter: \"postgres.*\"}"
        }),
    ] {
        let worst = report(before, after)["worst_case"]["duration_ms"].as_u64().expect("a number");
        for (deadline, fits) in [(worst, true), (worst - 1, false)] {
            let text = ORCHESTRATOR.replacen(before, after, 1);
            let text = text.replace(", timeout_ms: 20000}", &format!(", timeout_ms: {deadline}}}"));
            let home = Home::new();
            home.write("contract.yaml", &text);
            let said = home.onex(&["check", "--no-cache", "--select", "ONEX0031"]);
            assert_eq!(!said.stdout.contains("ONEX0031"), fits, "{after}, {deadline} ms: {}", said.stdout);
            let text = home.onex(&["plan", "contract.yaml", "--format", "json"]).stdout;
            let plan: Value = serde_json::from_str(&text).expect("JSON");
            assert_eq!(plan["worst_case"]["fits"], fits, "{after}, {deadline} ms");
        }
    }
}

#[test]
fn every_rule_says_where_it_comes_from() {
    let all = report("greeter", "greeter");
    let origin = |rules: &Value, name: &str| -> String {
        let rules = rules.as_array().expect("a list");
        let rule = rules.iter().find(|rule| rule["name"] == name).expect("the rule");
        rule["origin"].as_str().expect("text").to_owned()
    };
    assert_eq!(origin(&all["rules"], "rollback_enabled"), "coordination_rules.failure_recovery_strategy");
    assert_eq!(origin(&all["waves"][2][0]["rules"], "max_retries"), "step_config");
    assert_eq!(origin(&all["waves"][2][1]["rules"], "max_retries"), "default");
}

#[test]
fn without_rollback_nothing_is_undone() {
    let undo = report("failure_recovery_strategy: rollback", "failure_recovery_strategy: retry")["undo"].take();
    assert_eq!((&undo["is_enabled"], &undo["order"]), (&Value::from(false), &serde_json::json!([])));
}

#[test]
fn what_cannot_be_planned_says_why_and_what_to_do() {
    for (before, after, code, said) in [
        (
            "effect_node: node_registry_effect",
            "effect_node: node_registri_effect",
            "ONEX2003",
            "did you mean `node_registry_effect`",
        ),
        (
            "right, node_type: effect, depends_on: [decide], step_config: {effect_node: node_registry_effect, intent_filter: \"postgres.*\"}",
            "right, node_type: compute, depends_on: [decide], step_config: {compute_node: nowhere}",
            "ONEX2003",
            "no compute node is called `nowhere`",
        ),
        ("depends_on: [receive]", "depends_on: [tell]", "ONEX2001", "cycle"),
        ("depends_on: [receive]", "depends_on: [nowhere]", "ONEX2001", "nowhere"),
        ("name: greeter\nnode_type: ORCHESTRATOR\n", "name: [\n", "ONEX2001", "ONEX0002"),
    ] {
        let (exit, human) = planned(before, after, &[]);
        assert_eq!(exit, 1, "{after}: {human}");
        assert!(human.starts_with(&format!("error[{code}]: ")) && human.contains("\n  help: "), "{after}: {human}");
        assert!(human.contains(said), "{after}: {human}");
        let (exit, json) = planned(before, after, &["--format", "json"]);
        let json: Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!((exit, &json["error"]["code"]), (1, &Value::from(code)), "{after}");
    }
    let effect = onex(&["plan", &ours("node_registry_effect")]);
    assert!(effect.code == 1 && effect.stdout.contains("ONEX2002"), "{}", effect.stdout);
}

#[test]
fn a_wrong_path_is_refused() {
    let home = Home::new();
    home.write("empty/readme.md", "nothing");
    refused(&home, &["plan", "missing.yaml"], "missing.yaml");
    refused(&home, &["plan", "empty"], "empty/contract.yaml");
    refused(&home, &["plan"], "CONTRACT");
}

#[test]
fn the_help_of_every_command_has_examples() {
    for command in ["diff", "graph", "plan", "explain", "schema"] {
        let ended = onex(&[command, "--help"]);
        assert!(ended.code == 0 && ended.stdout.contains("Examples:\n  onex "), "{command}: {}", ended.stdout);
    }
}
