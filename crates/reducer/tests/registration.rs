//! What the registration reducer promises, over the table of our own contract.
//!
//! A scenario is a list of acts, each with the line that tells what became of it; one function carries
//! acts out. The table itself is shown whole once, and a walk over every state that events and outcomes
//! can lead to holds table and code together.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy takes the helpers of an integration test for production code"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use onex_contract::{Source, StateMachine, read};
use onex_event::{
    ConsulRegister, HealthCheck, NodeIntrospectionEvent, PostgresUpsertRegistration, RegistrationIntent, rfc3339,
};
use onex_node::{ErrorClass, Failure, Intent, IntentOutcome, ReduceContext, Reducer, Reduction, RunId};
use onex_reducer::{Machine, RegistrationReducer, RegistrationState, StepError};
use serde_json::{Value, json};
use uuid::Uuid;

const CONTRACT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts/node_registration_reducer/contract.yaml");
const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/events/introspection.payload.jsonl");
const CONSUL: &str = "consul.register";
const POSTGRES: &str = "postgres.upsert_registration";

fn text(path: &str, what: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{what} missing: {path}: {error}"))
}

fn table() -> StateMachine {
    let text = text(CONTRACT, "the contract of the registration reducer is");
    let reading = read(Source { file: CONTRACT, text: &text });
    assert_eq!(reading.diagnostics, []);
    reading.contract.expect("a contract").state_machine.expect("a table")
}

fn reducer() -> RegistrationReducer {
    RegistrationReducer::new(table())
}

fn samples() -> Vec<Value> {
    let text = text(SAMPLES, "the sample events of the Python models are");
    let samples: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(samples.len(), 60);
    samples
}

/// The first sample with other words in it.
fn sample_with(changes: &Value) -> Value {
    let mut event = samples().remove(0);
    event.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    event
}

/// An event of one node: its epoch, the second it was written in, and its correlation id.
fn event(epoch: Option<u64>, second: u32, correlation: u128) -> Value {
    sample_with(&json!({
        "epoch": epoch,
        "timestamp": format!("2026-07-24T10:00:{second:02}Z"),
        "correlation_id": Uuid::from_u128(correlation),
    }))
}

/// The event most scenarios start with.
fn first() -> Value {
    event(Some(5), 30, 1)
}

fn context() -> ReduceContext {
    ReduceContext {
        now: rfc3339::parse("2026-07-24T11:00:00Z").unwrap(),
        run_id: RunId(Uuid::from_u128(0xA)),
        correlation_id: Uuid::from_u128(0xB),
    }
}

fn outcome(kind: &str, success: bool) -> IntentOutcome {
    let error = (!success).then(|| "down".to_owned());
    IntentOutcome { success, error, already_applied: false, attempts: 1, ..IntentOutcome::settled_before(kind) }
}

fn status(state: &Value) -> &str {
    state["status"].as_str().unwrap()
}

fn backends<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(" ")
}

fn told(reduction: &Reduction) -> String {
    let status = status(&reduction.state);
    let asked = backends(reduction.intents.iter().map(Intent::backend));
    let settled = backends(reduction.settled.iter().map(IntentOutcome::backend));
    match &reduction.refusal {
        Some(refusal) => format!("{status} | {asked} | {settled} | {refusal}"),
        None => format!("{status} | {asked} | {settled}"),
    }
}

/// One act of a scenario.
enum Act {
    Event(Value),
    Outcome(&'static str, bool),
}
use Act::{Event, Outcome};

/// Carries acts out on a node never seen; each is told as `status | asked for | settled | refusal`.
fn play(acts: impl IntoIterator<Item = Act>) -> (Option<Value>, Vec<String>) {
    let reducer = reducer();
    let (mut state, mut lines) = (None, Vec::new());
    for act in acts {
        match act {
            Event(event) => {
                let reduction = reducer.reduce(state.as_ref(), &event, &context()).unwrap();
                lines.push(told(&reduction));
                state = Some(reduction.state);
            }
            Outcome(kind, success) => {
                let confirmed = reducer.confirm(state.as_ref().unwrap(), &outcome(kind, success)).unwrap();
                lines.push(status(&confirmed).to_owned());
                state = Some(confirmed);
            }
        }
    }
    (state, lines)
}

fn check<const N: usize>(scenario: [(Act, &str); N]) {
    let (acts, expected): (Vec<_>, Vec<_>) = scenario.into_iter().unzip();
    assert_eq!(play(acts).1, expected);
}

/// What leads from nothing to each status, with the first event.
fn ways() -> [(&'static str, Vec<Act>); 5] {
    [
        ("pending", vec![Event(first())]),
        ("failed", vec![Event(first()), Outcome(CONSUL, false), Outcome(POSTGRES, false)]),
        ("partial", vec![Event(first()), Outcome(CONSUL, true), Outcome(POSTGRES, false)]),
        ("partial", vec![Event(first()), Outcome(CONSUL, false), Outcome(POSTGRES, true)]),
        ("complete", vec![Event(first()), Outcome(CONSUL, true), Outcome(POSTGRES, true)]),
    ]
}

fn reduce_after(way: Vec<Act>, event: &Value) -> (Value, Reduction) {
    let before = play(way).0.unwrap();
    let reduction = reducer().reduce(Some(&before), event, &context()).unwrap();
    (before, reduction)
}

// Events.

#[test]
fn a_first_event_asks_for_both_backends_in_order() {
    check([(Event(first()), "pending | consul postgres | ")]);
}

#[test]
fn a_repeated_event_asks_only_for_what_is_missing() {
    let expected = [
        "pending | consul postgres | ",
        "pending | consul postgres | ",
        "partial | postgres | consul",
        "partial | consul | postgres",
        "complete |  | consul postgres",
    ];
    for ((status, way), expected) in ways().into_iter().zip(expected) {
        let (before, reduction) = reduce_after(way, &first());
        assert_eq!(told(&reduction), expected, "repeated when {status}");
        assert_eq!(reduction.state == before, status != "failed", "repeated when {status}");
        for settled in &reduction.settled {
            assert_eq!(*settled, IntentOutcome::settled_before(&settled.intent_kind));
        }
    }
}

#[test]
fn a_repeat_completes_what_a_dead_backend_left_open() {
    check([
        (Event(first()), "pending | consul postgres | "),
        (Outcome(CONSUL, false), "failed"),
        (Outcome(POSTGRES, true), "partial"),
        (Event(first()), "partial | consul | postgres"),
        (Outcome(CONSUL, false), "partial"),
        (Event(first()), "partial | consul | postgres"),
        (Outcome(CONSUL, true), "complete"),
        (Event(first()), "complete |  | consul postgres"),
    ]);
}

#[test]
fn a_failed_registration_is_asked_for_again_by_its_own_event() {
    check([
        (Event(first()), "pending | consul postgres | "),
        (Outcome(CONSUL, false), "failed"),
        (Outcome(POSTGRES, false), "failed"),
        (Event(first()), "pending | consul postgres | "),
        (Outcome(CONSUL, true), "partial"),
        (Outcome(POSTGRES, true), "complete"),
    ]);
}

#[test]
fn an_older_event_is_refused_and_changes_nothing() {
    let table = [
        (event(Some(4), 59, 2), "epoch 4 is older than 5"),
        (event(Some(0), 59, 1), "epoch 0 is older than 5"),
        (event(Some(5), 29, 2), "2026-07-24T10:00:29Z is older than 2026-07-24T10:00:30Z"),
        (event(None, 29, 2), "2026-07-24T10:00:29Z is older than 2026-07-24T10:00:30Z"),
        (event(None, 0, 1), "2026-07-24T10:00:00Z is older than 2026-07-24T10:00:30Z"),
    ];
    for (older, why) in table {
        for (status, way) in ways() {
            let (before, reduction) = reduce_after(way, &older);
            assert_eq!(told(&reduction), format!("{status} |  |  | refused as stale: {why}"));
            assert_eq!(reduction.state.to_string(), before.to_string());
        }
    }
}

#[test]
fn without_epochs_the_timestamp_decides() {
    check([
        (Event(event(None, 30, 1)), "pending | consul postgres | "),
        (
            Event(event(None, 29, 2)),
            "pending |  |  | refused as stale: 2026-07-24T10:00:29Z is older than 2026-07-24T10:00:30Z",
        ),
        (Event(event(None, 31, 3)), "pending | consul postgres | "),
    ]);
}

#[test]
fn a_newer_event_starts_anew_whatever_came_of_the_last() {
    let newer = [
        ("a newer epoch", event(Some(6), 31, 2)),
        ("a newer epoch by a clock put back", event(Some(6), 1, 2)),
        ("a newer timestamp", event(Some(5), 31, 2)),
        ("a newer timestamp of the same correlation", event(Some(5), 31, 1)),
        ("a newer timestamp without an epoch", event(None, 31, 2)),
        ("another event of the same moment", event(Some(5), 30, 2)),
    ];
    for (what, newer) in newer {
        for (status, way) in ways() {
            let (_, reduction) = reduce_after(way, &newer);
            assert_eq!(told(&reduction), "pending | consul postgres | ", "{what} when {status}");
            let fresh = reducer().reduce(None, &newer, &context()).unwrap();
            assert_eq!(reduction, fresh, "{what} when {status}");
        }
    }
}

#[test]
fn a_second_event_of_the_same_moment_takes_the_place_of_the_first() {
    let same_moment = event(Some(5), 30, 2);
    check([
        (Event(first()), "pending | consul postgres | "),
        (Outcome(CONSUL, true), "partial"),
        (Event(same_moment.clone()), "pending | consul postgres | "),
        (Outcome(CONSUL, true), "partial"),
        (Event(same_moment), "partial | postgres | consul"),
    ]);
}

// Outcomes.

#[test]
fn outcomes_make_a_status_in_any_order() {
    let table: [([bool; 2], [&str; 2], [&str; 2]); 4] = [
        ([true, true], ["partial", "complete"], ["partial", "complete"]),
        ([true, false], ["partial", "partial"], ["failed", "partial"]),
        ([false, true], ["failed", "partial"], ["partial", "partial"]),
        ([false, false], ["failed", "failed"], ["failed", "failed"]),
    ];
    let asked = "pending | consul postgres | ";
    for ([consul, postgres], consul_first, postgres_first) in table {
        let consul = || Outcome(CONSUL, consul);
        let postgres = || Outcome(POSTGRES, postgres);
        check([(Event(first()), asked), (consul(), consul_first[0]), (postgres(), consul_first[1])]);
        check([(Event(first()), asked), (postgres(), postgres_first[0]), (consul(), postgres_first[1])]);
    }
}

#[test]
fn a_failure_takes_nothing_away_that_is_in_place() {
    check([
        (Event(first()), "pending | consul postgres | "),
        (Outcome(CONSUL, true), "partial"),
        (Outcome(CONSUL, false), "partial"),
        (Outcome(POSTGRES, true), "complete"),
        (Outcome(POSTGRES, false), "complete"),
        (Event(first()), "complete |  | consul postgres"),
    ]);
}

#[test]
fn an_outcome_told_twice_counts_once() {
    check([
        (Event(first()), "pending | consul postgres | "),
        (Outcome(CONSUL, true), "partial"),
        (Outcome(CONSUL, true), "partial"),
        (Outcome(POSTGRES, true), "complete"),
        (Outcome(POSTGRES, true), "complete"),
    ]);
}

#[test]
fn what_does_not_belong_to_the_state_is_refused() {
    let reducer = reducer();
    let state = play([Event(first())]).0.unwrap();
    let with = |key: &str, value: Value| {
        let mut state = state.clone();
        state[key] = value;
        state
    };
    let other_node = sample_with(&json!({"node_id": Uuid::from_u128(9)}));
    let told = |failure: Failure| {
        assert_eq!((failure.class, failure.error_type()), (ErrorClass::Validation, "ReducerError"));
        format!("{}: {}", failure.code, failure.message)
    };
    let confirm = |state: Value, kind: &str| told(reducer.confirm(&state, &outcome(kind, true)).unwrap_err());
    let reduce = |state: Value, event: &Value| told(reducer.reduce(Some(&state), event, &context()).unwrap_err());
    let table = [
        (confirm(state.clone(), "vault.write"), "ONEX3004: the last event asked for no `vault.write`"),
        (confirm(with("more", json!(1)), CONSUL), "ONEX3002: no registration state: unknown key `more`"),
        (confirm(with("status", json!("lost")), CONSUL), "ONEX3003: invalid current state: lost"),
        (
            confirm(json!(null), CONSUL),
            "ONEX3002: no registration state: expected struct RegistrationState, found null",
        ),
        (
            reduce(with("applied", json!([])), &first()),
            "ONEX3002: no registration state: applied: expected a map, found sequence",
        ),
        (reduce(with("status", json!("lost")), &first()), "ONEX3003: invalid current state: lost"),
        (
            reduce(state.clone(), &other_node),
            "ONEX3004: the state is of node 6513270e-269e-4d37-b2a7-4de452e6b438, \
             the event of node 00000000-0000-0000-0000-000000000009",
        ),
    ];
    for (told, expected) in table {
        assert_eq!(told, expected);
    }
}

// Events that are none.

#[test]
fn an_invalid_event_is_a_failure_that_holds_no_secret() {
    let secret = "hunter2";
    let userinfo = json!({"health": "http://127.0.0.1:8000/health", "api": format!("http://admin:{secret}@")});
    let table = [
        ("a secret where a number belongs", json!({"epoch": secret})),
        ("a secret where an id belongs", json!({"node_id": secret})),
        ("a secret where a time belongs", json!({"timestamp": secret})),
        ("a secret where a version belongs", json!({"node_version": secret})),
        ("a secret in metadata that is no object", json!({"metadata": [secret]})),
        ("a secret in metadata of the wrong type", json!({"metadata": {"priority": secret, "password": secret}})),
        ("a secret in the user-info of a broken endpoint", json!({"endpoints": userinfo})),
        ("a secret beside an error", json!({"metadata": {"password": secret}, "epoch": -1})),
        ("a secret under an unknown key", json!({"api_token": secret})),
        ("a secret in a configuration", json!({"declared_capabilities": {"batch_size": secret}})),
        ("no correlation id", json!({"correlation_id": null, "metadata": {"token": secret}})),
        ("a time without an offset", json!({"timestamp": "2026-07-24T10:00:00", "metadata": {"token": secret}})),
        ("an unknown kind of node", json!({"node_type": "EFFECT", "metadata": {"token": secret}})),
    ];
    let reducer = reducer();
    let before = play([Event(first())]).0.unwrap();
    for (what, changes) in table {
        let event = sample_with(&changes);
        for state in [None, Some(&before)] {
            let failure = reducer.reduce(state, &event, &context()).expect_err(what);
            assert_eq!((failure.class, failure.code.as_str()), (ErrorClass::Validation, "ONEX3001"), "{what}");
            assert_eq!(failure.error_type(), "ReducerError", "{what}");
            assert!(failure.message.starts_with("no introspection event: "), "{what}: {failure}");
            assert!(!format!("{failure:?}").contains(secret), "{what}: {failure}");
            assert_eq!(reducer.entity(&event), Err(failure), "{what}");
        }
    }
}

#[test]
fn what_is_no_object_is_no_event() {
    for event in [json!(null), json!([]), json!("hunter2"), json!({})] {
        let failure = reducer().reduce(None, &event, &context()).unwrap_err();
        assert_eq!(failure.code, "ONEX3001", "{event}");
        assert!(!failure.message.contains("hunter2"), "{failure}");
    }
}

// Purity.

/// Pointers to all that differs between two values.
fn differences(left: &Value, right: &Value, at: &str, found: &mut Vec<String>) {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) if left.keys().eq(right.keys()) => {
            for (key, value) in left {
                differences(value, &right[key], &format!("{at}/{key}"), found);
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (index, value) in left.iter().enumerate() {
                differences(value, &right[index], &format!("{at}/{index}"), found);
            }
        }
        _ if left != right => found.push(at.to_owned()),
        _ => {}
    }
}

fn bytes(state: Option<&Value>, event: &Value, context: &ReduceContext) -> Vec<u8> {
    serde_json::to_vec(&reducer().reduce(state, event, context).unwrap()).unwrap()
}

#[test]
fn the_same_input_gives_the_same_bytes_and_leaves_the_input_alone() {
    for event in samples() {
        let kept = event.clone();
        assert_eq!(bytes(None, &event, &context()), bytes(None, &event, &context()));
        assert_eq!(event, kept);
    }
    for (_, way) in ways() {
        let before = play(way).0.unwrap();
        let kept = before.clone();
        assert_eq!(bytes(Some(&before), &first(), &context()), bytes(Some(&before), &first(), &context()));
        assert_eq!(before, kept);
    }
}

#[test]
fn run_and_time_change_only_what_tells_of_them() {
    let other_run = ReduceContext { run_id: RunId(Uuid::from_u128(0xAA)), ..context() };
    let other_time = ReduceContext { now: rfc3339::parse("2027-01-01T00:00:00Z").unwrap(), ..context() };
    let other_chain = ReduceContext { correlation_id: Uuid::from_u128(0xBB), ..context() };
    let record = |field: &str| format!("/intents/1/payload/record/{field}");
    let table = [
        (context(), vec![]),
        (other_run, vec!["/intents/0/payload/meta/run_id".to_owned(), record("run_id")]),
        (other_time, vec![record("registered_at"), record("updated_at")]),
        (other_chain, vec![]),
    ];
    let reduced =
        |context: &ReduceContext| serde_json::to_value(reducer().reduce(None, &first(), context).unwrap()).unwrap();
    for (other, expected) in table {
        let mut found = Vec::new();
        differences(&reduced(&context()), &reduced(&other), "", &mut found);
        assert_eq!(found, expected, "{other:?}");
    }
}

#[test]
fn a_sequence_of_events_gives_the_same_states_from_json_again() {
    let reducer = reducer();
    let (mut kept, mut reread) = (None, None);
    for event in [first(), first(), event(Some(4), 50, 2), event(Some(6), 0, 3)] {
        kept = Some(reducer.reduce(kept.as_ref(), &event, &context()).unwrap().state);
        let state = reducer.reduce(reread.as_ref(), &event, &context()).unwrap().state;
        let typed: RegistrationState = serde_json::from_str(&state.to_string()).unwrap();
        reread = Some(serde_json::to_value(typed).unwrap());
        assert_eq!(kept, reread);
    }
}

#[test]
fn a_state_keeps_the_position_and_what_is_in_place() {
    let state = play([Event(first()), Outcome(POSTGRES, true)]).0.unwrap();
    let expected = json!({
        "status": "partial",
        "node_id": "6513270e-269e-4d37-b2a7-4de452e6b438",
        "position": {"epoch": 5, "timestamp": "2026-07-24T10:00:30Z"},
        "correlation_id": Uuid::from_u128(1),
        "applied": {"consul.register": false, "postgres.upsert_registration": true},
    });
    assert_eq!(state, expected);
}

// Intents.

/// Both intents of an event, as an effect reads them.
fn intents(event: &Value) -> (ConsulRegister, PostgresUpsertRegistration) {
    let reduction = reducer().reduce(None, event, &context()).unwrap();
    let decoded: Vec<_> = reduction
        .intents
        .iter()
        .map(|intent| RegistrationIntent::from_parts(&intent.kind, &intent.payload).unwrap())
        .collect();
    match &decoded[..] {
        [RegistrationIntent::ConsulRegister(consul), RegistrationIntent::PostgresUpsertRegistration(postgres)] => {
            ((**consul).clone(), (**postgres).clone())
        }
        other => panic!("expected both intents in order, found {other:?}"),
    }
}

/// Host and port of a sample's endpoint, all of which are `http://host:port/…`.
fn address(url: &str) -> (String, u16) {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, port) = rest.split('/').next().unwrap().split_once(':').unwrap();
    (host.to_owned(), port.parse().unwrap())
}

fn version_text(version: &Value) -> String {
    format!("{}.{}.{}", version["major"], version["minor"], version["patch"])
}

fn check_consul(event: &Value, consul: &ConsulRegister) {
    let kind = event["node_type"].as_str().unwrap();
    let node_id = event["node_id"].as_str().unwrap();
    assert_eq!(consul.service_id.as_str(), format!("onex-{kind}-{node_id}"));
    assert_eq!(consul.service_name.as_str(), format!("onex-{kind}"));
    let version = format!("node-version:{}", version_text(&event["node_version"]));
    assert_eq!(consul.tags, ["onex".to_owned(), format!("node-type:{kind}"), version]);
    assert_eq!(consul.correlation_id.to_string(), event["correlation_id"]);
    let mut meta = BTreeMap::from([
        ("node_id".to_owned(), node_id.to_owned()),
        ("timestamp".to_owned(), event["timestamp"].as_str().unwrap().to_owned()),
        ("run_id".to_owned(), context().run_id.to_string()),
    ]);
    meta.extend(event["epoch"].as_u64().map(|epoch| ("epoch".to_owned(), epoch.to_string())));
    assert_eq!(consul.meta, meta);
    let service = event["endpoints"]["health"].as_str().or(event["endpoints"]["api"].as_str()).map(address);
    assert_eq!(consul.address.clone().zip(consul.port), service);
    let check = match event["endpoints"]["health"].as_str() {
        Some(url) => json!({"HTTP": url, "Interval": "10s", "Timeout": "5s", "DeregisterCriticalServiceAfter": "60m"}),
        None => json!({"TTL": "90s", "DeregisterCriticalServiceAfter": "60m"}),
    };
    assert_eq!(serde_json::to_value(&consul.health_check).unwrap(), check);
}

fn check_postgres(event: &Value, postgres: &PostgresUpsertRegistration) {
    assert_eq!(postgres.correlation_id.to_string(), event["correlation_id"]);
    let record = serde_json::to_value(&postgres.record).unwrap();
    let same = [
        "node_id",
        "node_name",
        "node_type",
        "endpoints",
        "metadata",
        "node_role",
        "network_id",
        "deployment_id",
        "correlation_id",
    ];
    for field in same {
        assert_eq!(record[field], event[field], "{field}");
    }
    let capabilities = &record["capabilities"];
    assert_eq!(capabilities["declared"], event["declared_capabilities"]);
    assert_eq!(capabilities["discovered"], event["discovered_capabilities"]);
    assert_eq!(capabilities.get("contract").unwrap_or(&Value::Null), &event["contract_capabilities"]);
    assert_eq!(record["node_version"], version_text(&event["node_version"]));
    assert_eq!(record["health_endpoint"], event["endpoints"]["health"]);
    assert_eq!(record["position"], json!({"epoch": event["epoch"], "timestamp": event["timestamp"]}));
    for (field, expected) in
        [("registered_at", json!("2026-07-24T11:00:00Z")), ("updated_at", json!("2026-07-24T11:00:00Z"))]
    {
        assert_eq!(record[field], expected, "{field}");
    }
    assert_eq!(postgres.record.run_id, Some(context().run_id.0));
}

#[test]
fn both_intents_of_every_sample_say_what_the_design_says() {
    for event in samples() {
        let (consul, postgres) = intents(&event);
        check_consul(&event, &consul);
        check_postgres(&event, &postgres);
        assert_eq!(consul.position, postgres.record.position);
        let typed: NodeIntrospectionEvent = onex_event::read(&event).unwrap();
        assert_eq!(consul.position, typed.position());
        assert_eq!(reducer().entity(&event).as_deref(), Ok(event["node_id"].as_str().unwrap()));
    }
}

#[test]
fn every_kind_of_node_is_registered_alike() {
    let mut kinds = BTreeMap::new();
    for event in samples() {
        let (consul, postgres) = intents(&event);
        assert_eq!(consul.service_name.as_str(), format!("onex-{}", postgres.record.node_type));
        *kinds.entry(postgres.record.node_type.to_string()).or_insert(0) += 1;
    }
    let fifteen_each = ["compute", "effect", "orchestrator", "reducer"].map(|kind| (kind.to_owned(), 15));
    assert_eq!(kinds, BTreeMap::from(fifteen_each));
}

#[test]
fn a_node_is_checked_where_it_can_be() {
    let http = |endpoints: Value| {
        let (consul, _) = intents(&sample_with(&json!({"endpoints": endpoints})));
        (consul.address, consul.port, matches!(consul.health_check, Some(HealthCheck::Http(_))))
    };
    let host = || Some("127.0.0.1".to_owned());
    let table = [
        (json!({}), (None, None, false)),
        (json!({"api": "http://127.0.0.1:1/api"}), (host(), Some(1), false)),
        (json!({"health": "https://127.0.0.1/h"}), (host(), Some(443), true)),
        (json!({"health": "http://127.0.0.1:2/h", "api": "http://127.0.0.1:1/"}), (host(), Some(2), true)),
        (json!({"health": "grpc://127.0.0.1:3/h"}), (host(), Some(3), false)),
        (json!({"metrics": "http://127.0.0.1:4/m"}), (None, None, false)),
    ];
    for (endpoints, expected) in table {
        assert_eq!(http(endpoints.clone()), expected, "{endpoints}");
    }
}

// The table.

/// Where a trigger leads from a status when none, one, or both of two intents are in place.
fn row(machine: &Machine, status: &str, trigger: &str) -> String {
    let cells = (0..=2).map(|applied| {
        let context = json!({"applied_count": applied, "missing_count": 2 - applied});
        match machine.step(status, trigger, &context) {
            Ok(step) => step.to,
            Err(StepError::NoTransition { .. }) => "-".to_owned(),
            Err(StepError::Rejected { .. }) => "refused".to_owned(),
            Err(error) => panic!("{error}"),
        }
    });
    let cells: Vec<_> = cells.map(|cell| format!("{cell:<10}")).collect();
    format!("{status:<9}{trigger:<24}{}", cells.join("")).trim_end().to_owned()
}

#[test]
fn the_whole_table() {
    let (table, machine) = (table(), Machine::new(table()));
    let triggers: BTreeSet<&str> = table.transitions.iter().map(|transition| transition.trigger.as_str()).collect();
    let mut rows = vec![format!("{:<9}{:<24}{:<10}{:<10}both in place", "from", "on", "none", "one")];
    for state in &table.states {
        rows.extend(triggers.iter().map(|trigger| row(&machine, &state.state_name, trigger)));
    }
    insta::assert_snapshot!(rows.join("\n"), @r"
    from     on                      none      one       both in place
    idle     intent_failed           -         -         -
    idle     intent_succeeded        -         -         -
    idle     introspection_received  pending   pending   pending
    idle     introspection_repeated  -         -         -
    pending  intent_failed           failed    failed    failed
    pending  intent_succeeded        partial   partial   complete
    pending  introspection_received  pending   pending   pending
    pending  introspection_repeated  pending   pending   pending
    partial  intent_failed           partial   partial   partial
    partial  intent_succeeded        partial   partial   complete
    partial  introspection_received  pending   pending   pending
    partial  introspection_repeated  refused   partial   partial
    complete intent_failed           -         -         -
    complete intent_succeeded        complete  complete  complete
    complete introspection_received  pending   pending   pending
    complete introspection_repeated  complete  complete  complete
    failed   intent_failed           failed    failed    failed
    failed   intent_succeeded        partial   partial   partial
    failed   introspection_received  pending   pending   pending
    failed   introspection_repeated  pending   pending   pending
    ");
}

/// Every trigger the code fires, with every status it can be in then.
const FIRED: [(&str, &[&str]); 4] = [
    ("introspection_received", &["idle", "pending", "partial", "complete", "failed"]),
    ("introspection_repeated", &["pending", "partial", "complete", "failed"]),
    ("intent_succeeded", &["pending", "partial", "complete", "failed"]),
    ("intent_failed", &["pending", "partial", "failed"]),
];

#[test]
fn every_trigger_has_a_transition_wherever_the_code_fires_it() {
    let table = table();
    for (trigger, statuses) in FIRED {
        for status in statuses {
            let answers = table.transitions.iter().any(|transition| {
                transition.trigger == trigger && [*status, "*"].contains(&transition.from_state.as_str())
            });
            assert!(answers, "nothing answers `{trigger}` in `{status}`");
        }
    }
}

#[test]
fn table_and_code_know_the_same_triggers() {
    let in_table: BTreeSet<String> = table().transitions.into_iter().map(|transition| transition.trigger).collect();
    let quoted = include_str!("../src/registration.rs").split('"').skip(1).step_by(2);
    let is_trigger = |word: &&str| word.starts_with("introspection_") || word.starts_with("intent_");
    let in_code: BTreeSet<String> = quoted.filter(is_trigger).map(str::to_owned).collect();
    let fired: BTreeSet<String> = FIRED.into_iter().map(|(trigger, _)| trigger.to_owned()).collect();
    assert_eq!(in_code, fired);
    assert_eq!(in_table, fired);
}

/// A state, and the event it stands at.
type Stand = (Value, Value);

/// What every act gives in every state that acts can lead to, as `status of what is in place, trigger -> status`.
fn walk(reducer: &RegistrationReducer) -> BTreeSet<String> {
    let (mut steps, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut left: Vec<Option<Stand>> = vec![None];
    while let Some(at) = left.pop() {
        for (trigger, result) in acts_on(reducer, at.as_ref()) {
            let told = result.as_ref().map_or_else(ToString::to_string, |(state, _)| status(state).to_owned());
            let from = at.as_ref().map_or_else(|| "idle".to_owned(), |(state, _)| shape(state));
            steps.insert(format!("{from}, {trigger} -> {told}"));
            left.extend(result.ok().filter(|(state, _)| seen.insert(shape(state))).map(Some));
        }
    }
    steps
}

fn shape(state: &Value) -> String {
    format!("{} {}", status(state), state["applied"])
}

/// Every act on a state: the trigger it fires, and what it leads to.
fn acts_on(reducer: &RegistrationReducer, at: Option<&Stand>) -> Vec<(&'static str, Result<Stand, Failure>)> {
    let newer = |event: &Value| {
        let mut newer = event.clone();
        newer["epoch"] = json!(event["epoch"].as_u64().unwrap() + 1);
        newer
    };
    let reduce = |state: Option<&Value>, event: Value| {
        reducer.reduce(state, &event, &context()).map(|reduction| (reduction.state, event))
    };
    let Some((state, event)) = at else {
        return vec![("introspection_received", reduce(None, first()))];
    };
    let mut acts = vec![
        ("introspection_received", reduce(Some(state), newer(event))),
        ("introspection_repeated", reduce(Some(state), event.clone())),
    ];
    for kind in [CONSUL, POSTGRES] {
        let confirm = |success| reducer.confirm(state, &outcome(kind, success)).map(|state| (state, event.clone()));
        acts.push(("intent_succeeded", confirm(true)));
        if state["applied"][kind] == false {
            acts.push(("intent_failed", confirm(false)));
        }
    }
    acts
}

#[test]
fn no_act_meets_a_status_that_the_table_does_not_know() {
    let expected: BTreeSet<String> = FIRED
        .into_iter()
        .flat_map(|(trigger, statuses)| statuses.iter().map(move |status| format!("{status} {trigger}")))
        .collect();
    let (mut met, states) = (BTreeSet::new(), table().states);
    for step in walk(&reducer()) {
        let (from, rest) = step.split_once(", ").unwrap();
        let (trigger, to) = rest.split_once(" -> ").unwrap();
        assert!(states.iter().any(|state| state.state_name == to), "{step}");
        met.insert(format!("{} {trigger}", from.split(' ').next().unwrap()));
    }
    assert_eq!(met, expected);
}

#[test]
fn a_status_says_how_much_is_in_place() {
    for step in walk(&reducer()) {
        let from = step.split(", ").next().unwrap();
        let in_place = from.matches("true").count();
        let expected: &[&str] = match in_place {
            0 => &["idle", "pending", "failed"],
            1 => &["partial"],
            _ => &["complete"],
        };
        assert!(expected.contains(&from.split(' ').next().unwrap()), "{step}");
    }
}

#[test]
fn no_transition_of_the_table_is_idle() {
    let whole = walk(&reducer());
    let mut idle = Vec::new();
    for index in 0..table().transitions.len() {
        let mut fewer = table();
        let taken_out = fewer.transitions.remove(index);
        if walk(&RegistrationReducer::new(fewer)) == whole {
            idle.push(taken_out.name());
        }
    }
    assert_eq!(idle, ["pending__intent_succeeded__complete"], "only a registration with one backend needs it");
}
