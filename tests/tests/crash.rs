//! `kill -9` at any moment: after the next start every node is registered, every effect's outcome is written down
//! once, and no result is lost.

#![expect(clippy::expect_used, reason = "a test reports by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use onex_tests::invariants::Snapshot;
use onex_tests::process::{Home, Published, Running, crowd, lines, sqlite, until};
use serde_json::json;
use uuid::Uuid;

const NODES: u32 = 200;

/// A directory with the input of all nodes, and what was published from it so far.
struct Trial {
    home: Home,
    published: Vec<Published>,
}

impl Trial {
    fn new() -> Self {
        let home = Home::new();
        home.write("events.jsonl", lines(&crowd(NODES)));
        Self { home, published: Vec::new() }
    }

    fn start(&self, with_input: bool) -> Running {
        let input = if with_input { &["--input", "events.jsonl"][..] } else { &[] };
        self.home.onex(&[&["run", "--once"], input].concat()).start()
    }

    /// Starts, waits for some results and until all input is on disk, kills.
    fn kill_after(&mut self, results: usize, with_input: bool) {
        let mut running = self.start(with_input);
        running.wait_for_results(results);
        until("the input on disk", || (self.accepted() >= u64::from(NODES)).then_some(()));
        self.published.extend(running.kill().whole_results());
        let left = Snapshot::of_sqlite(&self.home.data_file("journal.db"));
        assert_eq!(left.violations(), [""; 0], "killed after {results} results");
    }

    /// Starts and lets it end.
    fn finish(&mut self, with_input: bool) {
        let ended = self.start(with_input).end().expect_code(0);
        self.published.extend(ended.results());
    }

    /// Messages that are taken in, whether their runs have started or not.
    fn accepted(&self) -> u64 {
        let count = "SELECT json_array((SELECT count(*) FROM inbox) + (SELECT count(*) FROM runs))";
        sqlite(&self.home.data_file("journal.db"), count)[0].as_u64().expect("a number")
    }

    fn journal(&self, query: &'static str) -> serde_json::Value {
        sqlite(&self.home.data_file("journal.db"), query)
    }

    fn registry(&self, query: &'static str) -> serde_json::Value {
        sqlite(&self.home.data_file("registry.db"), query)
    }

    fn assert_nothing_lost_or_repeated(&self) {
        self.assert_each_node_once();
        self.assert_each_outcome_once();
        self.assert_every_result_told();
    }

    fn assert_each_node_once(&self) {
        let all = json!([NODES, NODES]);
        let nodes = "SELECT json_array((SELECT count(*) FROM node_registrations WHERE state = 'active'), \
                     (SELECT count(*) FROM services))";
        assert_eq!(self.registry(nodes), all, "nodes in table and catalogue");
        let writes = "SELECT json_array((SELECT count(*) FROM node_registration_history), \
                      (SELECT count(*) FROM service_history))";
        assert_eq!(self.registry(writes), all, "each node was written once");
        let keys = "SELECT json_array((SELECT count(DISTINCT idempotency_key) FROM node_registration_history), \
                    (SELECT count(DISTINCT idempotency_key) FROM service_history))";
        assert_eq!(self.registry(keys), all, "each with a key of its own");
    }

    fn assert_each_outcome_once(&self) {
        let repeated = "SELECT json_group_array(run_id) FROM (SELECT run_id FROM records \
                        WHERE kind = 'call_succeeded' GROUP BY run_id, json_extract(body, '$.call.step'), \
                        json_extract(body, '$.call.call') HAVING count(*) > 1)";
        assert_eq!(self.journal(repeated), json!([]), "outcomes recorded twice");
        let outcomes = "SELECT json_array(count(*)) FROM records WHERE kind = 'call_succeeded'";
        assert_eq!(self.journal(outcomes), json!([2 * NODES]), "two effects of each node");
        let failed = "SELECT json_array(count(*)) FROM runs WHERE status != 'succeeded'";
        assert_eq!(self.journal(failed), json!([0]), "runs that did not succeed");
        Snapshot::of_sqlite(&self.home.data_file("journal.db")).assert_settled();
    }

    fn assert_every_result_told(&self) {
        let mut envelope_of_run: BTreeMap<Uuid, Option<Uuid>> = BTreeMap::new();
        for published in &self.published {
            assert_eq!(published.status(), "success", "{published:?}");
            let id = published.envelope.envelope_id;
            let first = *envelope_of_run.entry(published.result().run_id).or_insert(id);
            assert_eq!(first, id, "a repeated result keeps its envelope's id");
        }
        let runs = self.journal("SELECT json_group_array(run_id) FROM runs");
        let runs = runs.as_array().expect("an array").iter().map(|run| run.as_str().expect("an id").to_owned());
        let told: BTreeSet<_> = envelope_of_run.keys().map(Uuid::to_string).collect();
        assert_eq!(told, runs.collect(), "every run has told its result");
        let nodes: BTreeSet<_> = self.published.iter().map(|published| published.result().node_id).collect();
        assert_eq!(nodes.len(), NODES as usize);
    }
}

/// Where it is killed, by results that it had written.
const KILL_POINTS: [usize; 3] = [1, 50, 150];

#[test]
fn killed_and_started_again_with_the_same_input() {
    for results in KILL_POINTS {
        let mut trial = Trial::new();
        trial.kill_after(results, true);
        trial.finish(true);
        trial.assert_nothing_lost_or_repeated();
    }
}

#[test]
fn killed_and_started_again_without_input() {
    for results in KILL_POINTS {
        let mut trial = Trial::new();
        trial.kill_after(results, true);
        trial.finish(false);
        trial.assert_nothing_lost_or_repeated();
    }
}

/// Before the first result: at once, when it says what is wired, and when the journal appears.
#[test]
fn killed_before_the_first_result() {
    let mut trial = Trial::new();
    trial.published.extend(trial.start(true).kill().whole_results());
    let mut wired = trial.start(true);
    wired.wait_for_notice("wired");
    trial.published.extend(wired.kill().whole_results());
    let opening = trial.start(true);
    until("a journal", || trial.home.data_file("journal.db").exists().then_some(()));
    trial.published.extend(opening.kill().whole_results());
    trial.finish(true);
    trial.assert_nothing_lost_or_repeated();
}

#[test]
fn killed_again_and_again() {
    let mut trial = Trial::new();
    trial.kill_after(5, true);
    for results in [1, 20, 1, 30, 40] {
        trial.kill_after(results, false);
    }
    trial.finish(false);
    trial.assert_nothing_lost_or_repeated();
}
