//! One case in a directory of its own, over one or more lives, and what is to be said of it at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use onex_journal_sqlite::SqliteJournal;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use super::case::Case;
use super::ledger::{Attempt, Entry, Ledger};
use crate::invariants::{Run, Snapshot, call_of};
use crate::process::block_on;

/// How one life ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It died where it was told to.
    Died,
    /// It came to its end, past this many points.
    Finished(usize),
}

/// A case, its journal and its ledger.
pub struct Trial<'a> {
    directory: TempDir,
    journal: Store,
    program: &'a Path,
    deaths: usize,
    before: Snapshot,
}

/// Where the journal of a trial is.
enum Store {
    Sqlite(String),
}

impl Store {
    fn url(&self) -> &str {
        match self {
            Self::Sqlite(path) => path,
        }
    }

    fn snapshot(&self) -> Snapshot {
        match self {
            Self::Sqlite(path) => Snapshot::of_sqlite(Path::new(path)),
        }
    }
}

impl<'a> Trial<'a> {
    /// Of a case, over a SQLite file; `program` is what lives.
    pub fn over_sqlite(case: &Case, program: &'a Path) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("journal.db");
        std::fs::copy(empty_journal(), &path).expect("a journal");
        Self::new(case, program, directory, Store::Sqlite(path.display().to_string()))
    }

    fn new(case: &Case, program: &'a Path, directory: TempDir, journal: Store) -> Self {
        let text = serde_json::to_string(case).expect("JSON");
        std::fs::write(directory.path().join("case.json"), text).expect("a file");
        Self { directory, journal, program, deaths: 0, before: Snapshot::default() }
    }

    /// One life, to the point of this number or, with 0, to its end.
    pub fn live(&mut self, dies_at: usize) -> Ended {
        let ended = self.run(dies_at);
        let now = self.journal.snapshot();
        assert_eq!(now.violations(), [""; 0], "after the life to point {dies_at}");
        assert_eq!(now.violations_since(&self.before), [""; 0], "after the life to point {dies_at}");
        self.before = now;
        ended
    }

    fn run(&mut self, dies_at: usize) -> Ended {
        let mut command = Command::new(self.program);
        command.arg(self.directory.path()).arg(self.journal.url()).arg(dies_at.to_string()).stdin(Stdio::null());
        let output = command.output().expect("the program starts");
        if output.status.success() {
            let text = String::from_utf8_lossy(&output.stdout);
            return Ended::Finished(text.trim().parse().expect("a number"));
        }
        assert!(died_as_told(&output), "{output:?}");
        self.deaths += 1;
        Ended::Died
    }

    /// What must be the same however often it died on the way.
    ///
    /// # Panics
    ///
    /// When the journal or the ledger says anything that it must not after so many deaths.
    pub fn judge(&self) -> Value {
        self.before.assert_settled();
        let happened = Happened::of(&Ledger::read(&self.directory.path().join("ledger.jsonl")));
        happened.check(&self.before, self.deaths);
        let runs: Vec<_> = self.before.runs.iter().map(|(run_id, run)| final_state(run_id, run, &happened)).collect();
        let states = self.before.states.iter().map(|(key, (version, state))| json!([key, version, steady(state)]));
        json!({"runs": sorted(runs), "states": states.collect::<Vec<_>>()})
    }
}

/// A journal with its tables and nothing in them: to make them anew for every trial takes longer than to die.
fn empty_journal() -> &'static Path {
    static EMPTY: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = EMPTY.get_or_init(|| {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("journal.db");
        block_on(async { SqliteJournal::open(&path).await.expect("it opens").close().await });
        (directory, path)
    });
    path
}

/// SIGABRT, and not a word.
fn died_as_told(output: &Output) -> bool {
    use std::os::unix::process::ExitStatusExt;
    output.status.signal() == Some(6) && output.stdout.is_empty() && output.stderr.is_empty()
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

    /// Each life can have lost one answer, no more: what was answered and written down is not asked for again.
    fn check(&self, journal: &Snapshot, deaths: usize) {
        for (attempt, times) in &self.attempts {
            assert!(*times <= 1 + deaths, "{times} times: {attempt:?}");
        }
        for (id, bodies) in &self.published {
            assert!(bodies.len() <= 1 + deaths, "{} times: {id}", bodies.len());
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
            let own: BTreeSet<_> = OWN.into_iter().collect();
            map.iter()
                .filter(|(key, _)| !own.contains(key.as_str()))
                .map(|(key, value)| (key.clone(), steady(value)))
                .collect()
        }
        Value::Array(items) => items.iter().map(steady).collect(),
        other => other.clone(),
    }
}

fn sorted(mut values: Vec<Value>) -> Vec<Value> {
    values.sort_by_key(ToString::to_string);
    values
}
