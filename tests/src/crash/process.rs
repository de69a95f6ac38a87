//! One life of the system: what is in the journal goes on, what has not come in comes in, and when nothing is left to
//! do it ends, unless it dies on the way.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use onex_bus::{EventBus, Message};
use onex_contract::Reading;
use onex_journal::{Journal, OutboxMessage};
use onex_journal_postgres::{PostgresJournal, PostgresJournalConfig};
use onex_journal_sqlite::SqliteJournal;
use onex_orchestrator::Worker;
use onex_runtime::{
    DeadLetter, DeadLetterFile, Observer, RunReport, Runtime, RuntimeError, RuntimeParts, SystemClock, WiringReport,
};
use rustix::process::{Resource, Rlimit, setrlimit};
use uuid::Uuid;

use super::bus::PointedBus;
use super::case::{Case, Way};
use super::ledger::Ledger;
use super::nodes::nodes;
use super::points::Points;
use crate::around::Wrapped;

/// Longer than anything takes, and on a paused clock no time at all.
const STUCK: Duration = Duration::from_secs(600);

/// Lives in `directory`, whose `case.json` says what to run, over the journal at `journal`, a file or a URL; dies at point `dies_at`,
/// from 1. Gives the number of points that it passed.
pub async fn run_process(directory: &Path, journal: &str, dies_at: usize) -> usize {
    // To die leaves no core file, and takes no time to write one.
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).expect("less is allowed");
    let case = std::fs::read_to_string(directory.join("case.json")).expect("a case");
    let case: Case = serde_json::from_str(&case).expect("a case");
    let store = open(journal).await;
    let points = Arc::new(Points::dying_at(dies_at, case.each_point));
    let journal = Arc::new(Wrapped::new(Arc::clone(&store), Arc::clone(&points)));
    let worker = Worker::new(journal, Arc::new(SystemClock), "crashing", Duration::from_secs(60));
    let ledger = Arc::new(Ledger::open(&directory.join("ledger.jsonl")));
    let reading = case.reading();
    let (case, points) = (&case, &points);
    let life = Life { case, reading: &reading, directory, store: &store, worker, points, ledger: &ledger };
    life.run().await.expect("it starts");
    points.passed()
}

async fn open(journal: &str) -> Arc<dyn Journal> {
    if journal.starts_with("postgres") {
        // A loaded machine is no fault to be survived here.
        let patient = Duration::from_secs(30);
        let config = PostgresJournalConfig {
            committers: 1,
            readers: 1,
            connect_timeout: patient,
            statement_timeout: patient,
            ..PostgresJournalConfig::new(journal.into())
        };
        return Arc::new(PostgresJournal::open(config).await.expect("the journal opens"));
    }
    Arc::new(SqliteJournal::open(Path::new(journal)).await.expect("the journal opens"))
}

/// One life.
pub struct Life<'a> {
    /// What to run.
    pub case: &'a Case,
    /// What its contract says.
    pub reading: &'a Reading,
    /// Where dead letters would go.
    pub directory: &'a Path,
    /// What the sender of events sees of the journal.
    pub store: &'a Arc<dyn Journal>,
    /// Who runs, over which journal.
    pub worker: Worker,
    /// Where it dies.
    pub points: &'a Arc<Points>,
    /// Where it is written down what really happens.
    pub ledger: &'a Arc<Ledger>,
}

impl Life<'_> {
    /// Lives until nothing is left to do.
    ///
    /// # Errors
    ///
    /// The journal could not be used at the start, or to take events in. What had begun by then has ended.
    pub async fn run(&self) -> Result<(), RuntimeError> {
        let nodes = nodes(&self.case.scripts, self.points, self.ledger);
        let (report, orchestrators) = WiringReport::of(&[self.reading], &nodes);
        let wired = orchestrators.first().unwrap_or_else(|| panic!("{report:?}"));
        let topic = wired.subscriptions[0].0.clone();
        let bus = Arc::new(PointedBus::new(self.points, self.ledger, &topic));
        let runtime = Runtime::start(RuntimeParts {
            bus: Arc::clone(&bus) as Arc<dyn EventBus>,
            worker: self.worker.clone(),
            nodes,
            orchestrators,
            dead_letters: Arc::new(DeadLetterFile::open(self.directory).expect("a file")),
            observer: Arc::new(Silent),
            max_in_flight: 1,
        });
        let runtime = runtime.await?;
        let fed = self.feed(&runtime, &*bus, &topic).await;
        let drained = tokio::time::timeout(STUCK, runtime.drained()).await;
        assert!(drained.is_ok(), "nothing happens any more, and something is left to do");
        runtime.stop(Duration::from_secs(10)).await;
        fed
    }

    async fn feed(&self, runtime: &Runtime, bus: &dyn EventBus, topic: &str) -> Result<(), RuntimeError> {
        match self.case.way {
            // All events come in in one commit, so that one of them tells of all.
            Way::Inbox if self.has_any().await => {}
            Way::Inbox => {
                let texts: Vec<_> = self.case.events.iter().map(ToString::to_string).collect();
                let ingress = runtime.ingress(&self.case.event_type).expect("it is wired");
                assert_eq!(ingress.submit(&texts).await?, []);
            }
            Way::Bus => {
                for (number, event) in self.case.events.iter().enumerate() {
                    let message = Message::new(Uuid::from_u128(number as u128 + 1), event.to_string());
                    bus.publish(topic, message).await.expect("the bus takes it");
                }
            }
        }
        Ok(())
    }

    async fn has_any(&self) -> bool {
        let inbox = self.store.inbox(1).await.expect("readable");
        let runs = self.store.runs(None, 1).await.expect("readable");
        !inbox.is_empty() || !runs.is_empty()
    }
}

/// What happens is on the ledger already.
struct Silent;

impl Observer for Silent {
    fn published(&self, _message: &OutboxMessage) -> std::io::Result<()> {
        Ok(())
    }

    fn run_ended(&self, _report: &RunReport) {}

    fn dead_lettered(&self, letter: &DeadLetter) {
        panic!("no message of a case is set aside: {letter:?}");
    }
}
