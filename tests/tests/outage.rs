//! One backend is away: the other has every node, the results say so, and the same input completes them later
//! without writing again what is in place.

use std::collections::BTreeMap;

use onex_tests::process::{
    Agent, Catalogue, Database, Ended, Home, PrivateAgent, PrivateServer, Published, event, fresh_node, lines, postgres,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// Milliseconds that our contract gives a run.
const RUN_DEADLINE_MS: f64 = 30_000.0;

struct Input {
    nodes: Vec<Uuid>,
    text: String,
}

impl Input {
    fn new(count: usize) -> Self {
        let nodes: Vec<_> = (0..count).map(|_| fresh_node()).collect();
        let events: Vec<Value> = nodes.iter().map(|node| event(*node, 1)).collect();
        Self { text: lines(&events), nodes }
    }
}

fn rows(url: &str) -> Value {
    postgres(
        url,
        "SELECT json_agg(json_build_array(node_id, run_id, updated_at) ORDER BY node_id)::text FROM node_registrations",
    )
}

fn count(rows: &Value) -> usize {
    rows.as_array().map_or(0, Vec::len)
}

/// What tells whether a service was written again.
fn marks(services: &BTreeMap<Uuid, Value>) -> Vec<(Uuid, Value, Value)> {
    let mark =
        |(node, service): (&Uuid, &Value)| (*node, service["ModifyIndex"].clone(), service["ServiceMeta"].clone());
    services.iter().map(mark).collect()
}

/// Every result is partial, this backend's intents are not in place, and the error says so without a secret.
fn assert_all_partial(ended: &Ended, nodes: &Input, without: &str, secret: &str) {
    let results = ended.results();
    assert_eq!(results.len(), nodes.nodes.len(), "{}", ended.stderr);
    for published in &results {
        assert_eq!(published.status(), "partial", "{published:?}");
        let result = published.result();
        let (missing, error) = match without {
            "consul" => (!result.consul_applied && result.postgres_applied, &result.consul_error),
            _ => (!result.postgres_applied && result.consul_applied, &result.postgres_error),
        };
        assert!(missing && error.is_some(), "{result:?}");
        assert!(result.total_execution_time_ms <= RUN_DEADLINE_MS + 1_000.0, "{result:?}");
    }
    assert!(!(ended.lines.concat() + &ended.stderr).contains(secret), "{}", ended.stderr);
}

/// Every result is a success, and what this backend had was not asked for again.
fn assert_all_completed(ended: &Ended, nodes: &Input, had: &str) {
    let results = ended.results();
    assert_eq!(results.len(), nodes.nodes.len(), "{}", ended.stderr);
    for published in results {
        assert_eq!(published.status(), "success", "{published:?}");
        for intent in &published.result().intent_results {
            let kept = intent.intent_kind.starts_with(had);
            assert_eq!((intent.already_applied, intent.attempts == 0), (kept, kept), "{published:?}");
        }
    }
}

#[test]
fn postgres_is_stopped_and_started_again() {
    let mut server = PrivateServer::start();
    let agent = Agent::shared();
    let (home, known, input) = (Home::new(), Input::new(2), Input::new(8));
    let catalogue = Catalogue::new(&agent, input.nodes.iter().copied());
    let _cleaned = Catalogue::new(&agent, known.nodes.iter().copied());
    let feed = |server: &PrivateServer, input: &Input| home.feed_with(&agent, &server.url, &input.text);
    feed(&server, &known).expect_code(0);

    server.stop();
    let away = feed(&server, &input).expect_code(1);
    assert_all_partial(&away, &input, "postgres", server.password());
    let services = catalogue.wait_for(8);
    let unchanged = feed(&server, &known).expect_code(0);
    assert!(unchanged.results().iter().all(Published::changed_nothing), "nothing was to be done for these");

    server.start_again();
    assert_eq!(count(&rows(&server.url)), 2);
    assert_all_completed(&feed(&server, &input).expect_code(0), &input, "consul");
    assert_eq!(count(&rows(&server.url)), 10);
    assert_eq!(marks(&catalogue.services()), marks(&services), "Consul was not written again");
    let complete = feed(&server, &input).expect_code(0);
    assert!(complete.results().iter().all(Published::changed_nothing));
}

#[test]
fn postgres_was_never_there_at_first() {
    let mut server = PrivateServer::start();
    server.stop();
    let agent = Agent::shared();
    let (home, input) = (Home::new(), Input::new(3));
    let catalogue = Catalogue::new(&agent, input.nodes.iter().copied());
    let away = home.feed_with(&agent, &server.url, &input.text).expect_code(1);
    assert_all_partial(&away, &input, "postgres", server.password());
    catalogue.wait_for(3);
    server.start_again();
    assert_all_completed(&home.feed_with(&agent, &server.url, &input.text).expect_code(0), &input, "consul");
    assert_eq!(count(&rows(&server.url)), 3, "its tables were made at the first use");
}

#[test]
fn consul_is_stopped_and_started_again() {
    let mut private = PrivateAgent::start();
    let database = Database::new();
    let (home, input) = (Home::new(), Input::new(8));
    let catalogue = Catalogue::new(&private.agent, input.nodes.iter().copied());
    let feed = |agent: &Agent| home.feed_with(agent, &database.url, &input.text);

    private.stop();
    assert_all_partial(&feed(&private.agent).expect_code(1), &input, "consul", &private.agent.token);
    let before = rows(&database.url);
    assert_eq!(count(&before), 8);

    private.start_again();
    assert_all_completed(&feed(&private.agent).expect_code(0), &input, "postgres");
    let services = catalogue.wait_for(8);
    assert_eq!(rows(&database.url), before, "PostgreSQL was not written again");
    let complete = feed(&private.agent).expect_code(0);
    assert!(complete.results().iter().all(Published::changed_nothing));
    assert_eq!(marks(&catalogue.services()), marks(&services));
}

/// It accepts connections and answers nothing, which only a time limit can find out.
#[test]
fn a_consul_that_does_not_answer_is_given_up_in_time() {
    let private = PrivateAgent::start();
    let database = Database::new();
    let (home, input) = (Home::new(), Input::new(2));
    let catalogue = Catalogue::new(&private.agent, input.nodes.iter().copied());
    private.pause();
    let away = home.feed_with(&private.agent, &database.url, &input.text).expect_code(1);
    private.resume();
    assert_all_partial(&away, &input, "consul", &private.agent.token);
    let attempts: Vec<_> = away.results().iter().map(|told| told.result().intent_results[0].attempts).collect();
    assert!(attempts.iter().all(|attempts| (2..=4).contains(attempts)), "it is tried again: {attempts:?}");
    let completed = home.feed_with(&private.agent, &database.url, &input.text).expect_code(0);
    assert!(completed.results().iter().all(|published| published.status() == "success"));
    catalogue.wait_for(2);
    assert_eq!(
        postgres(&database.url, "SELECT json_build_array(count(*))::text FROM node_registration_history"),
        json!([2])
    );
}
