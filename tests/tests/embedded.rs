//! The binary alone, with the registry inside: what a new user meets, and what a careless producer does to it.

#![expect(clippy::expect_used, reason = "a test reports by panicking")]

use std::collections::BTreeSet;
use std::path::Path;

use onex_tests::process::{Ended, Home, Published, Running, crowd, event, example, lines, malformed, node, sqlite};
use onex_tests::{EFFECT, ORCHESTRATOR, REDUCER, contract_path, sample_events, text, workspace};
use rustix::process::Signal;
use serde_json::{Value, json};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/introspection.jsonl");
const ENVELOPES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/events/introspection.envelope.jsonl");

/// Node ids of events, in order.
fn ids(events: &[Value]) -> BTreeSet<String> {
    events.iter().map(|event| event["node_id"].as_str().expect("an id").to_owned()).collect()
}

/// Ids of the results' nodes.
fn ids_of(results: &[Published]) -> Vec<String> {
    results.iter().map(|published| published.result().node_id.to_string()).collect()
}

/// Ids of a JSON array, each once.
fn set(array: &Value) -> BTreeSet<String> {
    let items = array.as_array().expect("an array");
    let set: BTreeSet<_> = items.iter().map(|item| item.as_str().expect("a text").to_owned()).collect();
    assert_eq!(set.len(), items.len(), "one twice in {array}");
    set
}

fn rows(home: &Home) -> Value {
    let query = "SELECT json_group_array(json_array(node_id, epoch, run_id, state, registered_at, updated_at)) \
                 FROM (SELECT * FROM node_registrations ORDER BY node_id)";
    sqlite(&home.data_file("registry.db"), query)
}

fn registered(home: &Home) -> BTreeSet<String> {
    set(&sqlite(&home.data_file("registry.db"), "SELECT json_group_array(node_id) FROM node_registrations"))
}

fn catalogued(home: &Home) -> BTreeSet<String> {
    let query = "SELECT json_group_array(json_extract(meta, '$.node_id')) FROM services";
    set(&sqlite(&home.data_file("registry.db"), query))
}

fn writes(home: &Home) -> Value {
    let query =
        "SELECT json_array((SELECT count(*) FROM node_registration_history), (SELECT count(*) FROM service_history))";
    sqlite(&home.data_file("registry.db"), query)
}

fn letters(home: &Home) -> Vec<Value> {
    let text = text(&home.data_file("dead-letters.jsonl"));
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Every node of these events is in table and catalogue, and no other.
fn assert_registry_holds(home: &Home, events: &[Value]) {
    assert_eq!(registered(home), ids(events), "the table");
    assert_eq!(catalogued(home), ids(events), "the catalogue");
}

fn assert_all_succeeded(ended: &Ended, count: usize) {
    let results = ended.results();
    assert_eq!(results.len(), count, "{}", ended.stderr);
    assert!(results.iter().all(|published| published.status() == "success"), "{results:?}");
}

#[test]
fn the_first_run_registers_every_node_of_the_example_and_says_so() {
    let home = Home::new();
    let ended = home.onex(&["run", "--input", EXAMPLE, "--once"]).run().expect_code(0);
    assert_all_succeeded(&ended, example().len());
    for published in ended.results() {
        let result = published.result();
        assert!(result.consul_applied && result.postgres_applied, "{result:?}");
        let kinds: Vec<_> = result.intent_results.iter().map(|intent| intent.intent_kind.as_str()).collect();
        assert_eq!(kinds, ["consul.register", "postgres.upsert_registration"]);
        assert!(result.intent_results.iter().all(|intent| !intent.already_applied && intent.attempts == 1));
        assert_eq!(published.topic, "onex.evt.platform.node-registration-result.v1");
        assert_eq!(published.envelope.source_tool.as_deref(), Some(ORCHESTRATOR));
        assert_eq!(published.envelope.payload_type.as_deref(), Some("NodeRegistrationResultEvent"));
        assert_eq!(published.envelope.correlation_id, Some(result.correlation_id));
        assert!(published.envelope.envelope_id.is_some() && published.envelope.envelope_timestamp.is_some());
    }
    assert_registry_holds(&home, &example());
}

#[test]
fn a_second_run_registers_nothing_twice_and_says_so() {
    let home = Home::new();
    let run = || home.onex(&["run", "--input", EXAMPLE, "--once"]).run().expect_code(0);
    let first = run();
    let (rows_before, writes_before) = (rows(&home), writes(&home));
    let second = run();
    assert_all_succeeded(&second, example().len());
    assert!(second.results().iter().all(Published::changed_nothing), "{:?}", second.results());
    assert!(!first.results().iter().any(Published::changed_nothing));
    assert_eq!((rows(&home), writes(&home)), (rows_before, writes_before));
}

#[test]
fn nodes_list_shows_what_the_registry_holds() {
    let home = Home::new();
    let list = || home.onex(&["nodes", "list", "--json"]).run().expect_code(0).json();
    assert_eq!(list(), json!([]), "before the first run");
    home.feed(lines(&example())).expect_code(0);
    let listed = list();
    let entries = listed.as_array().expect("an array");
    let nodes: BTreeSet<_> = entries.iter().map(|entry| entry["node_id"].as_str().expect("an id").to_owned()).collect();
    assert_eq!(nodes, ids(&example()));
    assert_eq!(entries.len(), nodes.len(), "each node once: {listed}");
    for entry in entries {
        let told = example().into_iter().find(|event| event["node_id"] == entry["node_id"]).expect("one of ours");
        assert_eq!((&entry["node_name"], &entry["node_type"]), (&told["node_name"], &told["node_type"]));
        let endpoints = entry.get("endpoints").cloned().unwrap_or_else(|| json!({}));
        assert_eq!(endpoints, told["endpoints"], "what an entry does not know is absent");
        assert_eq!(entry["state"], "active");
    }
    let table = home.onex(&["nodes", "list"]).run().expect_code(0).lines.concat();
    assert!(ids(&example()).iter().all(|id| table.contains(id)), "{table}");
}

#[test]
fn an_empty_directory_is_enough() {
    let home = Home::new();
    let ended = home.feed(lines(&crowd(1))).expect_code(0);
    assert_all_succeeded(&ended, 1);
    let wired: Vec<_> = ended.stderr.lines().filter(|line| line.starts_with("wired")).collect();
    assert_eq!(wired.len(), 3, "{}", ended.stderr);
    assert!([ORCHESTRATOR, REDUCER, EFFECT].iter().all(|name| ended.stderr.contains(name)));
    let left: Vec<_> = std::fs::read_dir(home.path()).expect("readable").filter_map(Result::ok).collect();
    assert_eq!(left.len(), 1, "only the data directory was made: {left:?}");
}

#[test]
fn every_event_that_the_python_models_wrote_registers_its_node_bare_and_in_its_envelope() {
    let envelopes = text(Path::new(ENVELOPES));
    let (bare, enveloped) = (Home::new(), Home::new());
    assert_all_succeeded(&bare.feed(lines(&sample_events())).expect_code(0), 60);
    let ended = enveloped.onex(&["run", "--input", ENVELOPES, "--once"]).run().expect_code(0);
    assert_all_succeeded(&ended, 60);
    assert_registry_holds(&bare, &sample_events());
    assert_registry_holds(&enveloped, &sample_events());
    let causes: BTreeSet<_> = ended.results().iter().map(|published| published.envelope.parent_envelope_id).collect();
    let sent = envelopes.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let sent: BTreeSet<_> = sent.map(|sent| sent["envelope_id"].as_str().and_then(|id| id.parse().ok())).collect();
    assert_eq!(causes, sent, "each result names the envelope that caused it");
}

/// Valid lines around each malformed one, and blank ones, which count as lines and are ignored.
#[test]
fn a_malformed_line_is_named_and_kept_and_the_others_run() {
    let wrong = malformed(|index| node(9000 + u32::try_from(index).expect("few")));
    let mut input = b"\n   \n".to_vec();
    let valid = crowd(u32::try_from(wrong.len()).expect("few"));
    for (wrong, valid) in wrong.iter().zip(&valid) {
        input.extend([wrong.line.as_slice(), b"\n", valid.to_string().as_bytes(), b"\r\n"].concat());
    }
    let home = Home::new();
    let ended = home.feed(&input).expect_code(1);
    let notices: Vec<_> = ended.stderr.lines().filter(|line| line.starts_with("line ")).collect();
    for (index, wrong) in wrong.iter().enumerate() {
        let number = 3 + 2 * index;
        let notice = notices.iter().find(|notice| notice.starts_with(&format!("line {number}: ")));
        let notice = notice.unwrap_or_else(|| panic!("{} is not named: {notices:#?}", wrong.name));
        assert!(notice.contains(wrong.says), "{}: {notice}", wrong.name);
    }
    assert_eq!(notices.len(), wrong.len(), "{notices:#?}");
    let letters = letters(&home);
    let origins: Vec<_> = letters.iter().map(|letter| letter["origin"].as_str().expect("a text").to_owned()).collect();
    let expected: Vec<_> = (0..wrong.len()).map(|index| format!("line {}", 3 + 2 * index)).collect();
    assert_eq!(origins, expected);
    assert!(letters.iter().all(|letter| letter["code"].as_str().is_some_and(|code| code.starts_with("ONEX"))));
    assert_all_succeeded(&ended, valid.len());
    assert_registry_holds(&home, &valid);
}

#[test]
fn an_input_without_lines_is_no_mistake() {
    for input in ["", "\n", "  \r\n\n"] {
        let ended = Home::new().feed(input).expect_code(0);
        assert!(ended.lines.is_empty() && !ended.stderr.contains("line "), "{ended:?}");
    }
}

#[test]
fn a_stale_event_is_refused_and_changes_nothing() {
    let home = Home::new();
    home.feed(lines(&[event(node(1), 5)])).expect_code(0);
    let before = (rows(&home), writes(&home));
    let mut renamed = event(node(1), 4);
    renamed["node_name"] = json!("an older name");
    let ended = home.feed(lines(&[renamed])).expect_code(1);
    let results = ended.results();
    let [published] = &results[..] else { panic!("{results:?}") };
    assert_eq!(published.status(), "failed");
    let said = ended.lines.concat() + &ended.stderr;
    assert!(said.contains("refused as stale"), "{said}");
    assert_eq!((rows(&home), writes(&home)), before);
    let newer = home.feed(lines(&[event(node(1), 6)])).expect_code(0);
    assert_all_succeeded(&newer, 1);
    assert_ne!(rows(&home), before.0, "a newer one is taken");
}

/// Events of two nodes alternate; many others keep the workers busy.
#[test]
fn events_of_one_node_are_carried_out_in_their_order() {
    let mut told = Vec::new();
    for epoch in 1..=20 {
        told.extend([event(node(1), epoch), event(node(2), epoch), event(node(100 + epoch), 1)]);
    }
    let home = Home::new();
    let ended = home.feed(lines(&told)).expect_code(0);
    assert_all_succeeded(&ended, told.len());
    for number in [1, 2] {
        let of_node = |id: String| id == node(number).to_string();
        let results = ended.results();
        let results = results.iter().filter(|published| of_node(published.result().node_id.to_string()));
        let order: Vec<_> = results.map(|published| published.result().correlation_id.to_string()).collect();
        let sent = told.iter().filter(|event| event["node_id"] == node(number).to_string());
        let sent: Vec<_> = sent.map(|event| event["correlation_id"].as_str().expect("an id").to_owned()).collect();
        assert_eq!(order, sent, "node {number}");
    }
    let newest = "SELECT json_group_array(epoch) FROM \
                  (SELECT epoch FROM node_registrations WHERE epoch > 1 ORDER BY node_id)";
    assert_eq!(sqlite(&home.data_file("registry.db"), newest), json!([20, 20]));
}

/// The program running over standard input, with one node registered.
fn busy(home: &Home) -> Running {
    let mut running = home.onex(&["run", "--input", "-"]).start();
    running.say(&lines(&[event(node(1), 1)]));
    running.wait_for_results(1);
    running
}

#[test]
fn a_second_process_in_the_same_data_directory_is_refused() {
    let home = Home::new();
    let mut first = busy(&home);
    let second = home.feed(lines(&[event(node(2), 1)])).expect_code(3);
    assert!(second.lines.is_empty(), "{:?}", second.lines);
    assert!(second.stderr.contains("journal.db"), "{}", second.stderr);
    assert!(second.stderr.contains("another onex process uses"), "{}", second.stderr);
    first.say(&lines(&[event(node(3), 1)]));
    first.wait_for_results(2);
    first.close_input();
    assert_all_succeeded(&first.terminate().expect_code(0), 2);
    assert_all_succeeded(&home.feed(lines(&[event(node(2), 1)])).expect_code(0), 1);
}

#[test]
fn it_drains_when_it_is_told_to_stop_whether_input_may_still_come_or_not() {
    for signal in [Signal::TERM, Signal::INT] {
        for input_ends in [true, false] {
            let home = Home::new();
            let mut running = busy(&home);
            if input_ends {
                running.close_input();
            }
            running.signal(signal);
            assert_all_succeeded(&running.end().expect_code(0), 1);
        }
    }
}

#[test]
fn it_goes_on_after_its_input_has_ended_until_it_is_told_to_stop() {
    let home = Home::new();
    let mut running = home.onex(&["run", "--input", "-"]).input(lines(&crowd(3))).start();
    running.wait_for_results(3);
    assert!(running.runs(), "without --once it waits for more");
    assert_all_succeeded(&running.terminate().expect_code(0), 3);
}

#[test]
fn what_was_taken_in_before_it_stopped_runs_after_the_next_start() {
    let home = Home::new();
    let mut running = home.onex(&["run", "--input", "-", "--max-in-flight", "4"]).start();
    running.say(&lines(&crowd(100)));
    running.close_input();
    running.wait_for_results(1);
    let stopped = running.terminate().expect_code(0);
    let rest = home.onex(&["run", "--once"]).run().expect_code(0);
    let taken = registered(&home);
    let both = [ids_of(&stopped.results()), ids_of(&rest.results())].concat();
    assert_eq!(both.iter().cloned().collect::<BTreeSet<_>>(), taken, "every run has told its result");
    assert_eq!(both.len(), taken.len(), "and only once, since both processes ended well");
    assert!(taken.is_subset(&ids(&crowd(100))));
}

fn contracts(home: &Home) -> String {
    for name in [ORCHESTRATOR, REDUCER, EFFECT] {
        home.write(&format!("contracts/{name}/contract.yaml"), text(&contract_path(name)));
    }
    home.path().join("contracts").display().to_string()
}

#[test]
fn a_broken_contract_refuses_the_start_unless_told_to_keep_going() {
    let home = Home::new();
    let directory = contracts(&home);
    home.write("contracts/broken/contract.yaml", "name: broken\nnode_type: SOMETHING\n");
    let arguments = ["run", "--contracts", &directory, "--input", "-", "--once"];
    let refused = home.onex(&arguments).input(lines(&crowd(2))).run().expect_code(1);
    assert!(refused.stderr.contains("refused"), "{}", refused.stderr);
    assert!(refused.stderr.contains("broken/contract.yaml"), "{}", refused.stderr);
    assert!(refused.lines.is_empty(), "nothing ran");
    let keep_going = [&arguments[..], &["--keep-going"]].concat();
    let ended = home.onex(&keep_going).input(lines(&crowd(2))).run().expect_code(0);
    assert!(ended.stderr.contains("refused"), "it is still reported: {}", ended.stderr);
    assert_all_succeeded(&ended, 2);
}

#[test]
fn a_directory_named_contracts_is_used_without_being_named() {
    let home = Home::new();
    contracts(&home);
    assert_all_succeeded(&home.feed(lines(&crowd(1))).expect_code(0), 1);
    home.write("contracts/broken/contract.yaml", "name: broken\nnode_type: SOMETHING\n");
    home.feed(lines(&crowd(1))).expect_code(1);
}

#[test]
fn the_workspace_has_what_these_tests_read() {
    assert!(workspace("examples/introspection.jsonl").is_file() && !example().is_empty());
    assert_eq!(text(Path::new(ENVELOPES)).lines().count(), 60);
}
