//! Rules that need more than a changed word: each with a text that breaks it at a place, and one that does not.

#![expect(clippy::panic, reason = "a test says what it misses and stops")]

use onex_contract::{
    Archetype, Contract, Diagnostic, Locator, Severity, Source, SystemContract, check_system, read, rules,
};

const HEAD: &str = "name: a\nnode_type: EFFECT\ncontract_version: 1.0.0\n";

fn findings(text: &str) -> Vec<Diagnostic> {
    read(Source { file: "contract.yaml", text }).diagnostics
}

/// `broken` has a finding of `code` at the text `place`; `whole` has none of that code.
fn check(code: &str, place: &str, broken: &str, whole: &str) {
    let (broken, whole) = (format!("{HEAD}{broken}"), format!("{HEAD}{whole}"));
    let found = findings(&broken);
    let Some(finding) = found.iter().find(|finding| finding.code == code) else {
        panic!("no {code} in {broken}: {found:#?}");
    };
    let span = finding.span.map(|span| &broken[span.offset..span.offset + span.length]);
    assert_eq!(span, Some(place), "{finding}");
    assert!(findings(&whole).iter().all(|finding| finding.code != code), "{code} in {whole}");
}

#[test]
fn rules_of_one_contract() {
    check("ONEX0012", "compute", "descriptor: {node_archetype: compute}\n", "descriptor: {node_archetype: effect}\n");
    check("ONEX0015", "description", "description: a\nx-b: 1\ndescription: c\n", "description: a\n");
    check(
        "ONEX0044",
        "false",
        "io_operations: [{operation: send, idempotent: false}]\nerror_handling: {retry_policy: {max_retries: 3}}\n",
        "io_operations: [{operation: send, idempotent: false}]\nerror_handling: {retry_policy: {max_retries: 0}}\n",
    );
    check(
        "ONEX0053",
        "\"{env}.onex.evt.a.b.v1\"",
        "published_events: [{topic: \"{env}.onex.evt.a.b.v1\", event_type: B}]\n",
        "published_events: [{topic: onex.evt.a.b.v1, event_type: B}]\n",
    );
    check("ONEX0071", "health_check", "health_check: {enabled: true}\n", "health_check: {enabled: false}\n");
}

#[test]
fn allow_comments_are_judged_by_silence() {
    let text = format!("{HEAD}x-a: 1 # onex: allow ONEX0007 none\n");
    let left = onex_contract::silence("contract.yaml", &text, findings(&text));
    assert_eq!(left.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["ONEX0090"]);
}

#[test]
fn rules_of_state_machines() {
    let machine = |rest: &str| format!("state_machine:\n  initial_state: a\n  states: [a, b, c]\n{rest}");
    let transition = |from: &str, to: &str, more: &str| format!("  - {{from: {from}, to: {to}, trigger: t{more}}}\n");
    let to_all = format!("  transitions:\n{}{}", transition("a", "b", ""), transition("b", "c", ""));
    let whole = machine(&to_all);
    check("ONEX0060", "z", &machine(&format!("  transitions:\n{}", transition("a", "z", ""))), &whole);
    check("ONEX0062", "b", &machine(&format!("  terminal_states: [b]\n{to_all}")), &whole);
    check("ONEX0063", "c", &machine(&format!("  transitions:\n{}", transition("a", "b", ""))), &whole);
    check(
        "ONEX0064",
        "t",
        &machine(&format!("{to_all}{}", transition("a", "c", ""))),
        &machine(&format!("{to_all}{}", transition("a", "c", ", priority: 1"))),
    );
}

#[test]
fn an_isolated_step_is_a_note() {
    let graph = |nodes: &str| {
        format!(
            "name: a\nnode_type: ORCHESTRATOR\ncontract_version: 1.0.0\nworkflow_coordination:\n  workflow_definition:\n    \
             workflow_metadata: {{workflow_name: w}}\n    execution_graph:\n      nodes:\n{nodes}"
        )
    };
    let (a, b) = (
        "        - {node_id: a, node_type: effect, step_config: {event_pattern: E}}\n",
        "        - {node_id: b, node_type: compute",
    );
    let alone = findings(&graph(&format!("{a}{b}}}\n")));
    assert_eq!(alone.iter().filter(|finding| finding.code == "ONEX0024").count(), 2);
    assert!(alone.iter().all(|finding| finding.code != "ONEX0024" || finding.severity == Severity::Note));
    assert!(findings(&graph(&format!("{a}{b}, depends_on: [a]}}\n"))).iter().all(|finding| finding.code != "ONEX0024"));
    assert!(findings(&graph(a)).iter().all(|finding| finding.code != "ONEX0024"), "a single step is not isolated");
}

fn contract(text: &str) -> Contract {
    read(Source { file: "contract.yaml", text }).contract.unwrap_or_else(|| panic!("no contract in {text}"))
}

/// Findings of two teams' contracts together, as `code at line: message`.
fn together(left: &str, right: &str) -> Vec<String> {
    let (left, right) = (format!("name: left\n{left}"), format!("name: right\n{right}"));
    let (first, second) = (contract(&left), contract(&right));
    let contracts =
        [SystemContract { file: "left", contract: &first }, SystemContract { file: "right", contract: &second }];
    let findings = check_system(&contracts, &[("known_effect".to_owned(), Archetype::Effect)]);
    let placed = findings.iter().map(|finding| {
        let text = if finding.file == "left" { &left } else { &right };
        let line = Locator::new(text).locate(&finding.path).map_or(0, |span| span.line);
        format!("{} {}:{line}: {}", finding.code, finding.file, finding.message)
    });
    placed.collect()
}

#[test]
fn two_teams_that_disagree() {
    let node = "node_type: EFFECT\ncontract_version: 1.0.0\n";
    let publishes =
        |topic: &str, event: &str| format!("{node}published_events:\n- {{topic: {topic}, event_type: {event}}}\n");
    let consumes =
        |topic: &str, event: &str| format!("{node}consumed_events:\n- {{topic: {topic}, event_type: {event}}}\n");
    let (orders, older) = ("onex.evt.shop.order-placed.v2", "onex.evt.shop.order-placed.v1");
    assert_eq!(together(&publishes(orders, "OrderPlaced"), &consumes(orders, "OrderPlaced")), Vec::<String>::new());
    assert_eq!(
        together(&publishes(orders, "OrderPlaced"), &consumes(orders, "ModelOrderPlaced")),
        Vec::<String>::new()
    );
    assert_eq!(
        together(&publishes(orders, "OrderPlaced"), &consumes(older, "OrderPlaced")),
        [format!("ONEX0084 right:5: nobody publishes `{older}`; `left` publishes `{orders}`, which nobody consumes")]
    );
    assert_eq!(
        together(&publishes(orders, "OrderPlaced"), &consumes(orders, "OrderTaken")),
        [format!("ONEX0085 right:5: `{orders}` carries `OrderPlaced` in `left`, and `OrderTaken` here")]
    );
    assert_eq!(together(node, &format!("{node}x-a: 1\n")), Vec::<String>::new());
}

#[test]
fn circles_of_events_are_told_once() {
    let node = |takes: &str, gives: &str| {
        format!(
            "node_type: EFFECT\ncontract_version: 1.0.0\nsubscribe_topics: [onex.evt.a.{takes}.v1]\npublish_topics: [onex.evt.a.{gives}.v1]\n"
        )
    };
    assert_eq!(
        together(&node("ping", "pong"), &node("pong", "ping")),
        ["ONEX0086 left:1: events go in a circle: left -> right -> left"]
    );
    assert_eq!(together(&node("ping", "pong"), &node("pong", "done")), Vec::<String>::new());
}

#[test]
fn every_rule_says_what_is_wrong_and_what_to_do() {
    let rules = rules();
    let mut codes: Vec<_> = rules.iter().map(|rule| rule.code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), rules.len(), "codes are unique");
    for rule in rules {
        assert!(rule.code.starts_with("ONEX0") && !rule.title.is_empty() && !rule.help.is_empty(), "{}", rule.code);
    }
}
