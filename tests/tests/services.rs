//! A real Consul agent and a real PostgreSQL: they hold exactly the valid nodes, in the shapes that were agreed, and
//! wrong credentials cost one backend and one attempt.

#![expect(clippy::expect_used, clippy::panic, reason = "a test reports by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use onex_tests::process::{
    Agent, Catalogue, Database, Ended, Home, Published, crowd, event, fresh_node, lines, malformed, postgres, renamed,
};
use onex_tests::sample_events;
use serde_json::{Value, json};
use uuid::Uuid;

/// Events of nodes that are this test's own.
struct Setting {
    home: Home,
    agent: Agent,
    database: Database,
    catalogue: Catalogue,
    valid: BTreeMap<Uuid, Value>,
    input: Vec<u8>,
}

fn id(event: &Value) -> Uuid {
    event["node_id"].as_str().and_then(|id| id.parse().ok()).expect("an id")
}

impl Setting {
    /// These events, with a malformed line of another node after each of the first ones.
    fn new(events: impl IntoIterator<Item = Value>, wrong: bool) -> Self {
        let events: Vec<_> = events.into_iter().map(renamed).collect();
        let others: Vec<_> = (0..100).map(|_| fresh_node()).collect();
        let wrong = if wrong { malformed(|index| others[index]) } else { Vec::new() };
        let mut input = Vec::new();
        for (index, event) in events.iter().enumerate() {
            input.extend(format!("{event}\n").into_bytes());
            input.extend(wrong.get(index).map(|wrong| [&wrong.line[..], b"\n"].concat()).unwrap_or_default());
        }
        let agent = Agent::shared();
        let catalogue = Catalogue::new(&agent, events.iter().map(id).chain(others));
        let valid = events.into_iter().map(|event| (id(&event), event)).collect();
        Self { home: Home::new(), catalogue, agent, database: Database::new(), valid, input }
    }

    fn run(&self) -> Ended {
        self.home.feed_with(&self.agent, &self.database.url, &self.input)
    }

    fn rows(&self) -> BTreeMap<Uuid, Value> {
        rows(&self.database)
    }
}

fn rows(database: &Database) -> BTreeMap<Uuid, Value> {
    let rows = postgres(&database.url, "SELECT json_agg(node_registrations)::text FROM node_registrations");
    rows.as_array().into_iter().flatten().map(|row| (id(row), row.clone())).collect()
}

/// What a second run must not change of a service.
fn marks(services: &BTreeMap<Uuid, Value>) -> Vec<(Uuid, Value, Value)> {
    let mark =
        |(node, service): (&Uuid, &Value)| (*node, service["ModifyIndex"].clone(), service["ServiceMeta"].clone());
    services.iter().map(mark).collect()
}

#[test]
fn catalogue_and_table_hold_exactly_the_valid_nodes_and_a_second_run_changes_nothing() {
    let setting = Setting::new(sample_events(), true);
    let first = setting.run().expect_code(1);
    assert_eq!(first.results().len(), 60, "{}", first.stderr);
    assert!(first.results().iter().all(|published| published.status() == "success"), "{}", first.stderr);
    let nodes: BTreeSet<_> = setting.valid.keys().collect();
    let (services, rows) = (setting.catalogue.wait_for(60), setting.rows());
    assert_eq!(services.keys().collect::<BTreeSet<_>>(), nodes, "the catalogue");
    assert_eq!(rows.keys().collect::<BTreeSet<_>>(), nodes, "the table");

    let second = setting.run().expect_code(1);
    assert_eq!(second.results().len(), 60);
    assert!(second.results().iter().all(Published::changed_nothing), "{:?}", second.results());
    assert_eq!(marks(&setting.catalogue.services()), marks(&services));
    assert_eq!(setting.rows(), rows);
    let history =
        "SELECT json_build_array(count(*), count(DISTINCT idempotency_key))::text FROM node_registration_history";
    assert_eq!(postgres(&setting.database.url, history), json!([60, 60]));
}

/// One node of each kind, one of them without endpoints, and one with a version that has all its parts.
fn one_of_each_kind() -> Vec<Value> {
    let mut kinds = BTreeSet::new();
    let mut chosen: Vec<_> =
        sample_events().into_iter().filter(|event| kinds.insert(event["node_type"].to_string())).collect();
    assert_eq!(chosen.len(), 4);
    let silent = sample_events().into_iter().find(|event| event["endpoints"] == json!({}));
    chosen.extend(silent);
    let mut special = event(fresh_node(), 7);
    special["node_version"] = json!("2.3.4-rc.1+build.5");
    special["endpoints"] = json!({"api": "https://node.example/api"});
    chosen.push(special);
    chosen
}

#[test]
fn a_service_and_a_row_have_the_shapes_that_were_agreed() {
    let setting = Setting::new(one_of_each_kind(), false);
    let ended = setting.run().expect_code(0);
    let runs: BTreeMap<_, _> =
        ended.results().iter().map(|told| (told.result().node_id, told.result().run_id)).collect();
    let (services, rows) = (setting.catalogue.wait_for(setting.valid.len()), setting.rows());
    let checks = setting.agent.get("/v1/agent/checks");
    for (node, event) in &setting.valid {
        check_service(event, &services[node], runs[node]);
        check_health(event, &checks);
        check_row(event, &rows[node], runs[node]);
    }
}

fn version(event: &Value) -> String {
    let number = |part: &str| event["node_version"][part].to_string();
    let text = event["node_version"].as_str().map(str::to_owned);
    text.unwrap_or_else(|| format!("{}.{}.{}", number("major"), number("minor"), number("patch")))
}

/// Host and port of the endpoint that other services use.
fn address(event: &Value) -> (String, u64) {
    let endpoint = event["endpoints"]["health"].as_str().or_else(|| event["endpoints"]["api"].as_str());
    let Some(endpoint) = endpoint else { return (String::new(), 0) };
    let (scheme, rest) = endpoint.split_once("://").expect("a URL");
    let host = rest.split('/').next().expect("a host");
    let usual = if scheme == "https" { 443 } else { 80 };
    let (host, port) = host.split_once(':').map_or((host, usual), |(host, port)| (host, port.parse().expect("a port")));
    (host.to_owned(), port)
}

fn check_service(event: &Value, service: &Value, run: Uuid) {
    let kind = event["node_type"].as_str().expect("a word");
    assert_eq!(service["ServiceID"], format!("onex-{kind}-{}", id(event)));
    assert_eq!(service["ServiceName"], format!("onex-{kind}"));
    let tags = json!(["onex", format!("node-type:{kind}"), format!("node-version:{}", version(event))]);
    assert_eq!(service["ServiceTags"], tags);
    assert_eq!((service["ServiceAddress"].clone(), service["ServicePort"].clone()), {
        let (host, port) = address(event);
        (json!(host), json!(port))
    });
    let meta = &service["ServiceMeta"];
    assert_eq!(meta["node_id"], id(event).to_string());
    assert_eq!(meta["epoch"], event["epoch"].as_u64().map_or(Value::Null, |epoch| json!(epoch.to_string())));
    assert_eq!(meta["run_id"], run.to_string());
}

fn check_health(event: &Value, checks: &Value) {
    let service = format!("onex-{}-{}", event["node_type"].as_str().expect("a word"), id(event));
    let checks = checks.as_object().expect("an object").values();
    let own: Vec<_> = checks.filter(|check| check["ServiceID"] == service.as_str()).collect();
    let [check] = own[..] else { panic!("{service} has the checks {own:?}") };
    let expected = if event["endpoints"]["health"].is_string() { "http" } else { "ttl" };
    assert_eq!(check["Type"], expected, "{check}");
}

fn check_row(event: &Value, row: &Value, run: Uuid) {
    for key in ["node_type", "epoch", "correlation_id", "node_name", "node_role", "network_id", "deployment_id"] {
        assert_eq!(row[key], event[key], "{key} of {row}");
    }
    assert_eq!(row["node_version"], version(event));
    assert_eq!(row["endpoints"], event["endpoints"]);
    assert_eq!(row["health_endpoint"], event["endpoints"]["health"]);
    assert_eq!((&row["state"], &row["run_id"]), (&json!("active"), &json!(run)));
    assert_eq!(row["registered_at"], row["updated_at"]);
    assert!(row["capabilities"]["declared"].is_object() && row["metadata"].is_object(), "{row}");
}

#[test]
fn nodes_list_asks_either_backend() {
    let setting = Setting::new(crowd(3), false);
    setting.run().expect_code(0);
    setting.catalogue.wait_for(3);
    for (backend, only_ours) in [("postgres", true), ("consul", false)] {
        let arguments = ["nodes", "list", "--json", "--backend", backend];
        let listed = setting.home.onex_with(&setting.agent, &setting.database.url, &arguments).run().expect_code(0);
        let listed = listed.json();
        let nodes: BTreeSet<_> = listed.as_array().expect("an array").iter().map(id).collect();
        assert!(setting.valid.keys().all(|node| nodes.contains(node)), "{backend}: {listed}");
        assert!(!only_ours || nodes.len() == 3, "{backend}: {listed}");
        assert!(listed.as_array().expect("an array").iter().all(|entry| entry["backend"] == backend));
    }
}

#[test]
fn an_update_keeps_when_the_node_was_first_registered() {
    let setting = Setting::new([event(fresh_node(), 1)], false);
    setting.run().expect_code(0);
    let (node, first) = setting.rows().into_iter().next().expect("a row");
    let newer = lines(&[event(node, 2)]);
    let older = lines(&[event(node, 1)]);
    setting.home.feed_with(&setting.agent, &setting.database.url, newer).expect_code(0);
    let second = setting.rows()[&node].clone();
    assert_eq!((&second["epoch"], &second["registered_at"]), (&json!(2), &first["registered_at"]));
    assert_ne!(second["updated_at"], first["updated_at"]);
    // Another process with a journal of its own: only the backends know that a newer event came.
    let stale = Home::new().feed_with(&setting.agent, &setting.database.url, older).expect_code(1);
    assert_eq!(stale.results()[0].status(), "failed");
    assert!(stale.lines.concat().contains("stale"), "{:?}", stale.lines);
    assert_eq!(setting.rows()[&node], second);
    assert_eq!(setting.catalogue.wait_for(1)[&node]["ServiceMeta"]["epoch"], "2");
}

/// The only result of the run, after a check that the secret is in nothing that was written.
fn partial(setting: &Setting, ended: &Ended, secret: &str) -> Published {
    let results = ended.results();
    let [published] = &results[..] else { panic!("{results:?}: {}", ended.stderr) };
    assert_eq!(published.status(), "partial", "{published:?}");
    assert!(!(ended.lines.concat() + &ended.stderr).contains(secret), "{}", ended.stderr);
    for entry in std::fs::read_dir(setting.home.data()).expect("a data directory") {
        let bytes = std::fs::read(entry.expect("readable").path()).expect("readable");
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
    published.clone()
}

/// Attempts of the intents of a backend.
fn attempts(published: &Published, backend: &str) -> Vec<(bool, u32)> {
    let results = &published.result().intent_results;
    let own = results.iter().filter(|intent| intent.intent_kind.starts_with(backend));
    own.map(|intent| (intent.success, intent.attempts)).collect()
}

#[test]
fn a_wrong_token_costs_consul_alone_and_is_not_tried_again() {
    let setting = Setting::new(crowd(1), false);
    let token = fresh_node().to_string();
    let stranger = Agent { token: token.clone(), ..setting.agent.clone() };
    let ended = setting.home.feed_with(&stranger, &setting.database.url, &setting.input).expect_code(1);
    let published = partial(&setting, &ended, &token);
    assert_eq!(attempts(&published, "consul"), [(false, 1)]);
    assert_eq!(attempts(&published, "postgres"), [(true, 1)]);
    assert!(published.result().consul_error.is_some() && published.result().postgres_error.is_none());
    assert_eq!((setting.catalogue.services().len(), setting.rows().len()), (0, 1));
    // With the right token, the same input does what is missing and only that.
    let mended = setting.run().expect_code(0);
    assert_eq!(attempts(&mended.results()[0], "postgres"), [(true, 0)]);
    setting.catalogue.wait_for(1);
}

#[test]
fn a_wrong_password_costs_postgres_alone_and_is_not_tried_again() {
    let setting = Setting::new(crowd(1), false);
    let password = "hunter2-that-is-wrong";
    let url = setting.database.url_with_password(password);
    let ended = setting.home.feed_with(&setting.agent, &url, &setting.input).expect_code(1);
    let published = partial(&setting, &ended, password);
    assert_eq!(attempts(&published, "consul"), [(true, 1)]);
    assert_eq!(attempts(&published, "postgres"), [(false, 1)]);
    assert!(published.result().postgres_error.is_some() && published.result().consul_error.is_none());
    setting.catalogue.wait_for(1);
    let mended = setting.run().expect_code(0);
    assert_eq!(attempts(&mended.results()[0], "consul"), [(true, 0)]);
    assert_eq!(setting.rows().len(), 1);
}
