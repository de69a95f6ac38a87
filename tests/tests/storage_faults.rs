//! The journal goes wrong in every way at every write, and with two workers at once: runs go on to the end that they
//! would have had, and no run ever has two owners.
//!
//! Time is paused, so that each schedule is the same every time it runs.

#![expect(clippy::expect_used, reason = "a test reports by panicking")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use onex_contract::Reading;
use onex_journal::{Journal, MemoryJournal};
use onex_journal_sqlite::SqliteJournal;
use onex_orchestrator::{Clock, Worker};
use onex_runtime::RuntimeError;
use onex_tests::ORCHESTRATOR;
use onex_tests::around::Wrapped;
use onex_tests::crash::{Case, Ledger, Life, Points, Way, judge};
use onex_tests::faults::{Fault, Faults, PausedClock, Schedule, Witness};
use onex_tests::invariants::Snapshot;
use proptest::prelude::*;
use serde_json::Value;
use tempfile::TempDir;

const LEASE: Duration = Duration::from_secs(2);

/// A case that was run once without a disturbance.
struct Known {
    case: Case,
    reading: Reading,
    expected: Value,
    writes: usize,
}

impl Known {
    async fn of(case: Case) -> Self {
        let known = Self { reading: case.reading(), case, expected: Value::Null, writes: 0 };
        let world = World::in_memory(&known);
        world.live("a", &Schedule::new()).await.expect("it begins");
        let (expected, writes) = (world.judged(0).await, world.witness.writes());
        Self { expected, writes, ..known }
    }

    /// Every fault at every write.
    fn schedules(&self) -> impl Iterator<Item = Schedule> {
        (0..self.writes).flat_map(|write| FAULTS.map(|fault| Schedule::from([(write, fault)])))
    }
}

/// One journal, over which workers live.
struct World<'a> {
    known: &'a Known,
    directory: TempDir,
    store: Arc<dyn Journal>,
    /// Whether the journal has threads of its own.
    has_threads: bool,
    clock: Arc<PausedClock>,
    ledger: Arc<Ledger>,
    witness: Arc<Witness>,
}

impl<'a> World<'a> {
    fn in_memory(known: &'a Known) -> Self {
        Self::over(known, Arc::new(MemoryJournal::new()), false)
    }

    async fn on_disk(known: &'a Known, path: &Path) -> Self {
        Self::over(known, Arc::new(SqliteJournal::open(path).await.expect("it opens")), true)
    }

    fn over(known: &'a Known, store: Arc<dyn Journal>, has_threads: bool) -> Self {
        Self {
            known,
            directory: tempfile::tempdir().expect("a directory"),
            store,
            has_threads,
            clock: Arc::new(PausedClock::start()),
            ledger: Arc::new(Ledger::in_memory()),
            witness: Arc::default(),
        }
    }

    /// One life of a worker with a journal that goes wrong. Gives the number of writes.
    async fn live(&self, owner: &str, schedule: &Schedule) -> Result<(), RuntimeError> {
        let faults = Arc::new(Faults::new(owner, schedule.clone(), &self.witness));
        let journal = Wrapped::new(Arc::clone(&self.store), faults);
        let journal = if self.has_threads { journal.stopping_clock() } else { journal };
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let worker = Worker::new(Arc::new(journal), clock, owner, LEASE);
        let points = Arc::new(Points::dying_at(0, false));
        let life = Life {
            case: &self.known.case,
            reading: &self.known.reading,
            directory: self.directory.path(),
            store: &self.store,
            worker,
            points: &points,
            ledger: &self.ledger,
        };
        life.run().await
    }

    /// Lives as often as it takes: a worker that cannot begin ends, and whoever started it starts it again.
    async fn survive(&self, owner: &str, schedule: &Schedule) {
        if let Err(error) = self.live(owner, schedule).await {
            assert_eq!(error.code(), "ONEX5001", "{error}");
            self.live(owner, &Schedule::new()).await.expect("nothing goes wrong any more");
        }
    }

    /// Judged without another start: whatever went wrong, the workers themselves have brought everything to its end.
    async fn judged(&self, faults: usize) -> Value {
        let snapshot = Snapshot::of_journal(&*self.store).await;
        assert_eq!(self.witness.double_owners(), [""; 0]);
        judge(&snapshot, &self.ledger.written(), faults)
    }
}

/// Ours and some of the generated ones: each ordeal once, and each shape.
fn cases() -> Vec<Case> {
    Case::ours(ORCHESTRATOR).into_iter().take(4).chain(Case::generated(2).into_iter().step_by(5)).collect()
}

const FAULTS: [Fault; 5] = [
    Fault::Refused,
    Fault::Unacknowledged,
    Fault::Late,
    Fault::Slow(Duration::from_secs(3)),
    Fault::Away(Duration::from_secs(4)),
];

#[tokio::test(start_paused = true)]
async fn every_write_goes_wrong_once_in_every_way() {
    for case in cases() {
        let known = Known::of(case).await;
        for schedule in known.schedules() {
            let world = World::in_memory(&known);
            world.survive("a", &schedule).await;
            assert_eq!(world.judged(1).await, known.expected, "{}: {schedule:?}", known.case.name);
        }
    }
}

/// The same over a file, whose threads no paused clock drives.
#[tokio::test(start_paused = true)]
async fn every_write_of_a_file_goes_wrong_once_in_every_way() {
    for case in Case::ours(ORCHESTRATOR).into_iter().take(1).chain(Case::generated(0).into_iter().skip(4).take(1)) {
        let known = Known::of(case).await;
        for schedule in known.schedules() {
            let directory = tempfile::tempdir().expect("a directory");
            let path = directory.path().join("journal.db");
            let world = World::on_disk(&known, &path).await;
            world.survive("a", &schedule).await;
            assert_eq!(world.judged(1).await, known.expected, "{}: {schedule:?}", known.case.name);
            Snapshot::of_sqlite_now(&path).await.assert_settled();
        }
    }
}

/// A case whose events come to each worker, as over a bus that delivers them again.
async fn over_bus(number: usize) -> Known {
    Known::of(Case { way: Way::Bus, ..Case::generated(0).remove(number) }).await
}

/// Another worker starts while the first one's journal goes wrong, and takes over what has no owner.
async fn two_workers(known: &Known, first: &Schedule, second: &Schedule, after: Duration) -> usize {
    let world = World::in_memory(known);
    let other = async {
        tokio::time::sleep(after).await;
        world.survive("b", second).await;
    };
    tokio::join!(world.survive("a", first), other);
    // What the other one took over and could not begin with, it has let go of.
    tokio::time::sleep(LEASE).await;
    world.live("c", &Schedule::new()).await.expect("nothing goes wrong any more");
    let disturbances = first.len() + second.len() + 2;
    assert_eq!(world.judged(disturbances).await, known.expected, "{}: {first:?}, {second:?}", known.case.name);
    world.witness.epochs()
}

/// A run whose owner's commit takes longer than its lease is another's when the commit is done.
#[tokio::test(start_paused = true)]
async fn a_worker_that_comes_back_late_finds_its_run_taken_over() {
    let known = over_bus(4).await;
    let mut epochs = 0;
    for write in 0..known.writes {
        for fault in [Fault::Slow(Duration::from_secs(6)), Fault::Away(Duration::from_secs(6)), Fault::Late] {
            let first = Schedule::from([(write, fault)]);
            epochs = epochs.max(two_workers(&known, &first, &Schedule::new(), Duration::from_millis(2_500)).await);
        }
    }
    assert_eq!(epochs, 2, "a run was written by its second owner too");
}

fn faults() -> impl Strategy<Value = Fault> {
    let duration = || (1..8_000u64).prop_map(Duration::from_millis);
    prop_oneof![
        Just(Fault::Refused),
        Just(Fault::Unacknowledged),
        Just(Fault::Late),
        duration().prop_map(Fault::Slow),
        duration().prop_map(Fault::Away),
    ]
}

fn schedules() -> impl Strategy<Value = Schedule> {
    proptest::collection::btree_map(0..20usize, faults(), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn two_workers_with_any_faults_come_to_the_same_end(
        case in 0..24usize, first in schedules(), second in schedules(), after in 0..8_000u64,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        runtime.expect("a runtime").block_on(async {
            let known = over_bus(case).await;
            two_workers(&known, &first, &second, Duration::from_millis(after)).await;
        });
    }
}
