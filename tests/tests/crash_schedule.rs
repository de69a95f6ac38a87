//! A process dies at every point where it touches the outside, is started again, and nobody can tell: every point of
//! every orchestrator contract of ours, and of generated ones.

#![expect(clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "a test reports by panicking")]

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use onex_contract::Archetype;
use onex_tests::crash::{Case, Ended, Store, Trial};
use onex_tests::{reading, workspace};
use serde_json::Value;

/// The process that dies.
fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_crashing"))
}

/// A case that was run once without a disturbance.
struct Known<'a> {
    store: &'a Store,
    case: Case,
    points: usize,
    expected: Value,
}

impl<'a> Known<'a> {
    fn of(store: &'a Store, case: Case) -> Self {
        let mut trial = Trial::over(store, &case, program());
        let Ended::Finished(points) = trial.live(0) else { panic!("{}: it died untold", case.name) };
        let expected = trial.judge();
        Self { store, case, points, expected }
    }

    /// Each point alone, and from early, middle and late ones on a recovery that dies in its turn.
    fn deaths(&self) -> impl Iterator<Item = Vec<usize>> {
        let (middle, late) = (self.points / 2, self.points - 3);
        let again = [vec![middle, 3], vec![middle, 6], vec![late, 4], vec![4, middle, 5]];
        (1..=self.points).map(|point| vec![point]).chain(again)
    }

    /// Lives to these points one after another, then to its end.
    fn check(&self, deaths: &[usize]) {
        let _trace = Trace(format!("{}, dying at {deaths:?}", self.case.name));
        let mut trial = Trial::over(self.store, &self.case, program());
        for (life, point) in deaths.iter().enumerate() {
            let ended = trial.live(*point);
            assert!(life > 0 || ended == Ended::Died, "there is no point {point}");
        }
        trial.live(0);
        let differences = differences("", &self.expected, &trial.judge());
        assert_eq!(differences, [""; 0]);
    }
}

/// Says which trial it was that failed.
struct Trace(String);

impl Drop for Trace {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("failed: {}", self.0);
        }
    }
}

/// Where two values differ, and how.
fn differences(place: &str, expected: &Value, found: &Value) -> Vec<String> {
    let below = |key: &str, one: &Value, other: &Value| differences(&format!("{place}/{key}"), one, other);
    match (expected, found) {
        (Value::Object(one), Value::Object(other)) if one.keys().eq(other.keys()) => {
            one.iter().flat_map(|(key, value)| below(key, value, &other[key])).collect()
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let pairs = one.iter().zip(other).enumerate();
            pairs.flat_map(|(index, (one, other))| below(&index.to_string(), one, other)).collect()
        }
        _ if expected == found => Vec::new(),
        _ => vec![format!("{place}: {expected} became {found}")],
    }
}

/// Does something for each, a few at a time: a process that dies mostly waits for its disk.
fn for_each<T: Sync>(items: &[T], work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(2, usize::from) * 2;
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::SeqCst)) {
                    work(item);
                }
            });
        }
    });
}

/// Every point of every case, and for some the recovery dies too.
fn check_every_point(store: &Store, cases: Vec<Case>) {
    let known: Vec<_> = cases.into_iter().map(|case| Known::of(store, case)).collect();
    let deaths: Vec<_> = known.iter().flat_map(|known| known.deaths().map(move |deaths| (known, deaths))).collect();
    for_each(&deaths, |(known, deaths)| known.check(deaths));
}

/// The cases of every orchestrator contract of ours.
fn ours() -> Vec<Case> {
    let directories = std::fs::read_dir(workspace("contracts")).expect("our contracts");
    let names = directories.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"));
    let names = names.filter(|name| workspace("contracts").join(name).join("contract.yaml").exists());
    let is_orchestrator =
        |name: &String| reading(name).contract.is_some_and(|contract| contract.archetype() == Archetype::Orchestrator);
    let cases: Vec<_> = names.filter(is_orchestrator).flat_map(|name| Case::ours(&name)).collect();
    assert!(!cases.is_empty(), "there is a contract of ours");
    cases
}

#[test]
fn our_contracts_over_sqlite() {
    check_every_point(&Store::sqlite(), ours());
}

#[test]
fn generated_contracts_over_sqlite() {
    check_every_point(&Store::sqlite(), Case::generated(6));
}

/// Each contract, way, shape once, and most ordeals: what the engine asks of a journal does not depend on which it is.
#[test]
fn contracts_over_postgres() {
    let ours = ours().into_iter().filter(|case| case.events.len() == 1).step_by(2);
    check_every_point(&Store::postgres(), ours.chain(Case::generated(0).into_iter().step_by(7)).collect());
}
