//! Broken contracts, each with the finding it must give at its place, and the same contract unbroken.

#![expect(clippy::panic, clippy::expect_used, reason = "a test says what it misses and stops")]

use onex_contract::{Reading, Severity, Source, read};

const GOOD: &str = r#"name: greeter
node_type: ORCHESTRATOR
contract_version: "1.0.0"
workflow_coordination:
  workflow_definition:
    workflow_metadata: {workflow_name: greeting, execution_mode: sequential}
    execution_graph:
      nodes:
        - {node_id: receive, node_type: effect, step_config: {event_pattern: Hello}}
        - {node_id: decide, node_type: reducer, depends_on: [receive], step_config: {reducer_protocol: greeter}}
        - node_id: act
          node_type: effect
          depends_on: [decide]
          step_config: {effect_node: greeter_effect, intent_filter: "mail.*"}
        - {node_id: sum, node_type: compute, depends_on: [act], step_config: {aggregation_strategy: all_or_partial}}
        - {node_id: tell, node_type: effect, depends_on: [sum], step_config: {event_type: Greeted}}
    coordination_rules: {failure_recovery_strategy: retry, max_retries: 3, timeout_ms: 30000, step_timeout_ms: 5000}
consumed_events: [{topic: onex.evt.hello.hello.v1, event_type: Hello}]
published_events: [{topic: onex.evt.hello.greeted.v1, event_type: Greeted}]
intent_consumption:
  subscribed_intents: [mail.send]
  intent_routing_table: {mail.send: greeter_effect}
error_handling: {retry_policy: {initial_delay_ms: 100}}
"#;

fn reading(text: &str) -> Reading {
    read(Source { file: "contract.yaml", text })
}

#[test]
fn the_unbroken_contract_has_no_finding() {
    let reading = reading(GOOD);
    assert_eq!(reading.diagnostics, []);
    assert!(reading.contract.is_some());
}

/// Replaces `from` by `to` in the good contract and expects `code` at `place`, with `message` in it.
fn broken(from: &str, to: &str, code: &str, place: &str, message: &str) {
    assert!(GOOD.contains(from), "the good contract has `{from}`");
    let text = GOOD.replacen(from, to, 1);
    let reading = reading(&text);
    let shown: Vec<_> = reading.diagnostics.iter().map(ToString::to_string).collect();
    let found = reading.diagnostics.iter().find(|diagnostic| diagnostic.code == code);
    let found = found.unwrap_or_else(|| panic!("`{to}` gives {code}, found {shown:#?}"));
    let span = found.span.expect("every finding has a place");
    let there = &text[span.offset..span.offset + span.length];
    assert_eq!(there, place, "{found}");
    assert!(found.message.contains(message), "{found}");
    assert!(found.help.is_some(), "{found} says a way out");
}

#[test]
fn every_broken_contract_is_found_at_its_place() {
    let table = [
        ("\"1.0.0\"", "1.0", "ONEX0005", "1.0", "expected \"MAJOR.MINOR.PATCH\""),
        ("node_type: ORCHESTRATOR", "node_type: BANANA", "ONEX0005", "BANANA", "unknown node type `BANANA`"),
        ("node_type: ORCHESTRATOR\n", "", "ONEX0006", "name", "missing key `node_type`"),
        (
            "{node_id: receive, node_type: effect,",
            "{node_type: effect,",
            "ONEX0006",
            "node_type",
            "missing key `node_id`",
        ),
        ("execution_mode: sequential", "execution_mode: conditional", "ONEX0005", "conditional", "reserved"),
        ("execution_mode: sequential", "execution_mode: PARALLEL", "ONEX0005", "PARALLEL", "unknown execution mode"),
        ("retry, max", "sometimes, max", "ONEX0005", "sometimes", "unknown failure recovery strategy"),
        ("max_retries: 3", "max_retries: lots", "ONEX0005", "lots", "found the text `lots`, expected a whole number"),
        ("max_retries: 3", "max_retry: 3", "ONEX0007", "max_retry", "has no effect"),
        ("node_type: ORCHESTRATOR", "node_type: COMPUTE", "ONEX0010", "workflow_coordination", "only an ORCHESTRATOR"),
        ("workflow_name: greeting", "workflow_name: ''", "ONEX0032", "''", "workflow_name` is empty"),
        ("node_id: sum", "node_id: act", "ONEX0020", "act", "['act']"),
        ("depends_on: [sum]", "depends_on: [sun]", "ONEX0021", "sun", "['sun']"),
        ("depends_on: [decide]", "depends_on: [decide, tell]", "ONEX0022", "depends_on", "act -> tell -> sum -> act"),
        ("timeout_ms: 30000", "timeout_ms: 99", "ONEX0030", "99", "expected 100 to 86400000"),
        ("max_retries: 3", "max_retries: 11", "ONEX0030", "11", "expected 0 to 10"),
        ("initial_delay_ms: 100", "initial_delay_ms: 3600001", "ONEX0030", "3600001", "expected 0 to"),
        (", step_config: {event_pattern: Hello}", "", "ONEX0040", "receive", "bound to nothing"),
        ("all_or_partial", "most", "ONEX0041", "most", "`most`"),
        (
            "consumed_events: [{topic: onex.evt.hello.hello.v1",
            "consumed_events: [{topic: onex.evt.Hello",
            "ONEX0052",
            "onex.evt.Hello",
            "no topic",
        ),
        ("step_timeout_ms: 5000", "step_timeout_ms: 20000", "ONEX0031", "30000", "80875 ms"),
        (
            "execution_graph:\n",
            "execution_graph:\n      edges: [{from_node: decide, to_node: tell}]\n",
            "ONEX0023",
            "tell",
            "does not depend",
        ),
        ("event_type: Greeted}}", "event_type: Gone}}", "ONEX0042", "Gone", "no topic"),
        ("[mail.send]", "[mail.send, sms.send]", "ONEX0050", "sms.send", "no route"),
        ("\"mail.*\"", "\"sms.*\"", "ONEX0051", "\"sms.*\"", "sms.*"),
        ("timeout_ms: 30000", "checkpoint_interval_ms: 5", "ONEX0070", "checkpoint_interval_ms", "no effect"),
    ];
    for (from, to, code, place, message) in table {
        broken(from, to, code, place, message);
    }
}

/// Slips of the hand, each with where it is found and what to do about it.
#[test]
fn slips_are_found_at_their_place_with_a_way_out() {
    let table = [
        ("max_retries: 3", "max_retries: \"3\"", "ONEX0005", "\"3\"", "write `3` without quotes"),
        ("max_retries: 3", "max_retries: -1", "ONEX0005", "-1", "digits alone"),
        ("max_retries: 3", "max_retries: 2.5", "ONEX0005", "2.5", "digits alone"),
        ("max_retries: 3", "max_retries: 1e400", "ONEX0005", "1e400", "digits alone"),
        ("max_retries: 3", "max_retries: 99999999999999999999999", "ONEX0005", "99999999999999999999999", "digits"),
        ("max_retries: 3", "max_retries: 2026-01-01", "ONEX0005", "2026-01-01", "digits alone"),
        ("timeout_ms: 30000", "timeout_ms: 30s", "ONEX0005", "30s", "without quotes, unit or point"),
        ("max_retries: 3", "rollback_enabled: yes", "ONEX0005", "yes", "write `true`"),
        ("max_retries: 3", "retry_backoff_multiplier: .nan", "ONEX0005", ".nan", "write a number"),
        ("execution_mode: sequential", "execution_mode: Sequential", "ONEX0005", "Sequential", "`sequential`"),
        ("execution_mode: sequential", "execution_mode: paralel", "ONEX0005", "paralel", "`parallel`"),
        ("retry, max", "roll_back, max", "ONEX0005", "roll_back", "`rollback`"),
        ("node_type: reducer", "node_type: reduser", "ONEX0005", "reduser", "`REDUCER`"),
        ("depends_on: [decide]", "depends_on: decide", "ONEX0005", "decide", "write `[decide]`"),
        ("node_id: decide", "node_id: 7", "ONEX0005", "7", "put it in quotes: `\"7\"`"),
        ("name: greeter", "name: 42", "ONEX0005", "42", "put it in quotes: `\"42\"`"),
        ("name: greeter", "name: ''", "ONEX0032", "''", "write the name"),
        ("node_id: decide", "node_id: \"\"", "ONEX0032", "\"\"", "write the name"),
        ("{topic: onex.evt.hello.hello.v1,", "{topic: 5,", "ONEX0005", "5", "put it in quotes"),
        ("{retry_policy: {initial_delay_ms: 100}}", "[retry]", "ONEX0005", "error_handling", "`key: value`"),
        ("depends_on: [decide]", "depends_on: [decidee]", "ONEX0021", "decidee", "did you mean `decide`?"),
        ("depends_on: [decide]", "depends_on: [act]", "ONEX0022", "depends_on", "remove one"),
        ("\"mail.*\"", "\"mail.[\"", "ONEX0055", "\"mail.[\"", "write a glob"),
        ("event_pattern: Hello", "event_pattern: Helo", "ONEX0054", "Helo", "did you mean `Hello`?"),
        ("event_pattern: Hello", "event_pattern: \"{Hello\"", "ONEX0055", "\"{Hello\"", "write a glob"),
        (
            "{event_type: Greeted}}",
            "{event_type: Greeted, input: {to: \"${steps.nowhere.output.x}\"}}}",
            "ONEX0043",
            "\"${steps.nowhere.output.x}\"",
            "a step that comes before",
        ),
        ("\"1.0.0\"", "v1.0.0", "ONEX0005", "v1.0.0", "write"),
        ("name: greeter", "name: !env NAME", "ONEX0095", "!env NAME", "remove the tag"),
        ("consumed_events:", "consumed_event:", "ONEX0007", "consumed_event", "did you mean `consumed_events`?"),
        (
            "workflow_coordination:",
            "workflow_cordination:",
            "ONEX0007",
            "workflow_cordination",
            "`workflow_coordination`",
        ),
        ("max_retries: 3,", "max_retries: 3, max_retries: 4,", "ONEX0015", "max_retries", "remove one of the two"),
        ("node_type: ORCHESTRATOR\n", "node_type: ORCHESTRATOR\n\tx-a: 1\n", "ONEX0013", "\t", "indent with spaces"),
    ];
    for (from, to, code, place, help) in table {
        broken(from, to, code, place, "");
        let text = GOOD.replacen(from, to, 1);
        let reading = reading(&text);
        let found = reading.diagnostics.iter().find(|found| found.code == code).expect("it was found");
        assert!(found.help.as_deref().is_some_and(|told| told.contains(help)), "`{to}`: {:?}", found.help);
        let same = reading.diagnostics.iter().filter(|found| found.severity == Severity::Error);
        assert!(code != "ONEX0005" || same.count() == 1, "`{to}` is told once: {:#?}", reading.diagnostics);
    }
}

/// Where the parser gives up is its own affair; the line is the author's, and so is the way out.
#[test]
fn slips_of_syntax_have_a_way_out() {
    let table = [
        ("workflow_name: greeting", "workflow_name: a: b", 6, "in quotes"),
        ("event_pattern: Hello", "event_pattern: @Hello", 9, "in quotes"),
        ("\"mail.*\"", "*", 14, "a bare `*` names an anchor"),
        ("subscribed_intents: [mail.send]", "subscribed_intents: [mail.send", 22, "close the list with `]`"),
        ("topic: onex.evt.hello.greeted.v1", "topic: {env}.x", 19, "close the map with `}`"),
        ("          depends_on: [decide]\n", "         depends_on: [decide]\n", 13, "indent this line"),
    ];
    for (from, to, line, help) in table {
        assert!(GOOD.contains(from), "{from}");
        let reading = reading(&GOOD.replacen(from, to, 1));
        let found = reading.diagnostics.first().expect("it is found");
        let lines = line..=line + 1;
        assert!(found.span.is_some_and(|span| lines.contains(&span.line)), "`{to}`: {found}");
        assert_eq!(found.code, "ONEX0002", "{found}");
        assert!(found.help.as_deref().is_some_and(|told| told.contains(help)), "`{to}`: {found} {:?}", found.help);
    }
}

#[test]
fn places_are_counted_in_lines_and_characters() {
    let wrong = GOOD.replacen("max_retries: 3", "x-größe: \"中\", max_retries: x", 1);
    let place = |text: &str| {
        let found = reading(text).diagnostics.into_iter().find(|found| found.code == "ONEX0005").expect("it is found");
        found.span.map(|span| (span.line, span.column, text[span.offset..span.offset + span.length].to_owned()))
    };
    let expected = Some((17, 87, "x".to_owned()));
    assert_eq!(place(&wrong), expected);
    assert_eq!(place(&wrong.replace('\n', "\r\n")), expected, "lines may end as on Windows");
}

#[test]
fn every_problem_is_found_not_only_the_first() {
    let text =
        GOOD.replace("max_retries: 3", "max_retries: x").replace("sequential", "streaming").replace("\"1.0.0\"", "'1'");
    let text = text.replace("node_id: receive,", "");
    let reading = reading(&text);
    let codes: Vec<_> =
        reading.diagnostics.iter().map(|diagnostic| (diagnostic.code, diagnostic.span.map(|span| span.line))).collect();
    assert_eq!(codes, [("ONEX0005", Some(3)), ("ONEX0005", Some(6)), ("ONEX0006", Some(9)), ("ONEX0005", Some(17))]);
}

/// What has nothing to do with an error of shape is told beside it; what follows from it is not.
#[test]
fn rules_are_asked_of_the_sections_that_are_whole() {
    for (from, to, codes) in [
        ("max_retries: 3", "max_retries: x", &["ONEX0005", "ONEX0021"][..]),
        ("node_id: receive,", "", &["ONEX0006"]),
        ("consumed_events: [", "consumed_events: [5, ", &["ONEX0005", "ONEX0021"]),
    ] {
        let text = GOOD.replacen(from, to, 1).replacen("depends_on: [decide]", "depends_on: [decide, nobody]", 1);
        let errors = reading(&text).diagnostics.into_iter().filter(|found| found.severity == Severity::Error);
        let mut told: Vec<_> = errors.map(|found| found.code).collect();
        told.sort_unstable();
        assert_eq!(told, codes, "{to}");
    }
}

#[test]
fn a_key_that_cannot_be_read_is_not_called_missing_too() {
    let text = GOOD.replace("node_id: receive, node_type: effect", "node_id: receive, node_type: conditional");
    let codes: Vec<_> = reading(&text).diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    assert_eq!(codes, ["ONEX0005"]);
}

#[test]
fn places_stay_right_after_elements_were_left_out() {
    let text =
        GOOD.replace("node_id: receive,", "").replace("node_id: sum,", "").replace("intent_filter:", "intent_filtr:");
    let reading = reading(&text);
    let unknown =
        reading.diagnostics.iter().find(|diagnostic| diagnostic.code == "ONEX0007").expect("the misspelt key is found");
    assert_eq!(unknown.span.map(|span| span.line), Some(14));
    assert_eq!(unknown.help.as_deref(), Some("did you mean `intent_filter`?"));
    let lines: Vec<_> = reading
        .diagnostics
        .iter()
        .filter(|found| found.code == "ONEX0006")
        .map(|found| found.span.map(|span| span.line))
        .collect();
    assert_eq!(lines, [Some(9), Some(15)]);
}

#[test]
fn what_is_no_contract_is_refused_with_a_reason() {
    for (text, code) in [
        ("", "ONEX0003"),
        ("# only this\n", "ONEX0003"),
        ("- a\n", "ONEX0004"),
        ("just text", "ONEX0004"),
        ("a: [1", "ONEX0002"),
        ("a: b: c", "ONEX0002"),
        ("a: 1\n---\nb: 2\n", "ONEX0016"),
        ("a:\n\tb: 1\n", "ONEX0013"),
        ("a: *b\n", "ONEX0019"),
    ] {
        let reading = reading(text);
        assert!(reading.contract.is_none() && reading.has_errors());
        assert_eq!(reading.diagnostics.first().map(|found| found.code), Some(code), "{text:?}");
    }
    let large = format!("name: {}", "x".repeat(1 << 20));
    assert_eq!(reading(&large).diagnostics[0].code, "ONEX0001");
}

#[test]
fn authors_own_keys_and_other_tools_keys_are_no_warning() {
    let reading = reading("name: a\nnode_type: COMPUTE\ncontract_version: 1.0.0\nx-mine: {a: 1}\ntags: [a]\n");
    let severities: Vec<_> = reading.diagnostics.iter().map(|found| found.severity).collect();
    assert_eq!(severities, [Severity::Note]);
}
