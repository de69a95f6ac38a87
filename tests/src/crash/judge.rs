//! What is to be said of a case at its end, from the journal and the ledger alone.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::ledger::{Attempt, Entry};
use crate::invariants::{Run, Snapshot, call_of};

/// What must be the same however often something went wrong on the way; `disturbances` is how often.
///
/// # Panics
///
/// When the journal or the ledger says anything that it must not after so many disturbances.
pub fn judge(journal: &Snapshot, ledger: &[Entry], disturbances: usize) -> Value {
    journal.assert_settled();
    let happened = Happened::of(ledger);
    happened.check(journal, disturbances);
    let runs: Vec<_> = journal.runs.iter().map(|(run_id, run)| final_state(run_id, run, &happened)).collect();
    let states = journal.states.iter().map(|(key, (version, state))| json!([key, version, steady(state)]));
    json!({"runs": sorted(runs), "states": states.collect::<Vec<_>>()})
}

/// The ledger, sorted.
struct Happened {
    attempts: BTreeMap<Attempt, usize>,
    published: BTreeMap<Uuid, Vec<Value>>,
}

impl Happened {
    fn of(entries: &[Entry]) -> Self {
        let mut happened = Self { attempts: BTreeMap::new(), published: BTreeMap::new() };
        for entry in entries {
            match entry {
                Entry::Attempt(attempt) => *happened.attempts.entry(attempt.clone()).or_default() += 1,
                Entry::Published { id, body } => happened.published.entry(*id).or_default().push(body.clone()),
            }
        }
        happened
    }

    /// Each disturbance can have lost one answer of each call, no more: what was answered and written down is not asked for again.
    fn check(&self, journal: &Snapshot, disturbances: usize) {
        for (attempt, times) in &self.attempts {
            assert!(*times <= 1 + disturbances, "{times} times: {attempt:?}");
        }
        for (id, bodies) in &self.published {
            assert!(bodies.len() <= 1 + disturbances, "{} times: {id}", bodies.len());
            assert!(bodies.iter().all(|body| *body == bodies[0]), "{id} says different things: {bodies:#?}");
        }
        self.check_keys();
        journal.runs.iter().for_each(|(run_id, run)| self.check_outcomes(run_id, run));
    }

    /// One key is one intent.
    fn check_keys(&self) {
        let mut intent_of_key = BTreeMap::new();
        for attempt in self.attempts.keys() {
            let intent = (&attempt.kind, &attempt.payload);
            assert_eq!(*intent_of_key.entry(&attempt.key).or_insert(intent), intent, "{attempt:?}");
        }
    }

    /// What the journal says has happened did.
    fn check_outcomes(&self, run_id: &Uuid, run: &Run) {
        for (kind, undo, succeeded) in OUTCOMES {
            for record in run.of_kind(kind) {
                let (step, call) = call_of(&record.body);
                let key = if call == 0 { format!("{run_id}/{step}") } else { format!("{run_id}/{step}/{call}") };
                let attempt = record.body["attempt"].as_u64();
                let happened = self.attempts.keys().any(|happened| {
                    let same = (&happened.key, happened.undo, happened.succeeded) == (&key, undo, succeeded);
                    same && attempt.is_none_or(|attempt| attempt == u64::from(happened.attempt))
                });
                assert!(happened, "never happened: {record:?}");
            }
        }
    }

    fn published_by(&self, run_id: &Uuid) -> Vec<Value> {
        let run_id = run_id.to_string();
        let of_run = self.published.values().filter(|bodies| bodies[0].to_string().contains(&run_id));
        sorted(of_run.map(|bodies| steady(&bodies[0])).collect())
    }
}

const OUTCOMES: [(&str, bool, bool); 4] = [
    ("call_succeeded", false, true),
    ("call_failed", false, false),
    ("undo_succeeded", true, true),
    ("undo_failed", true, false),
];

/// A run without what is its own: ids, times, and the order in which things happened that are not ordered.
fn final_state(run_id: &Uuid, run: &Run, happened: &Happened) -> Value {
    let records = run.records.iter().map(|record| json!([record.kind, steady(&record.body)]));
    let state = json!({
        "status": run.status,
        "records": sorted(records.collect()),
        "published": happened.published_by(run_id),
    });
    let text = state.to_string().replace(&run_id.to_string(), "the run");
    serde_json::from_str(&text).expect("JSON")
}

/// Keys under which the time, or something made from it or from the run's id, is found.
const OWN: [&str; 9] = [
    "at",
    "correlation_id",
    "envelope_id",
    "envelope_timestamp",
    "execution_time_ms",
    "parent_envelope_id",
    "pure_hash",
    "timestamp",
    "total_execution_time_ms",
];

fn steady(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let shared = map.iter().filter(|(key, _)| !OWN.contains(&key.as_str()));
            shared.map(|(key, value)| (key.clone(), steady(value))).collect()
        }
        Value::Array(items) => items.iter().map(steady).collect(),
        other => other.clone(),
    }
}

fn sorted(mut values: Vec<Value>) -> Vec<Value> {
    values.sort_by_key(ToString::to_string);
    values
}
