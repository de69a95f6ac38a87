//! One life of the system: what is in the journal goes on, what has not come in comes in, and when nothing is left to
//! do it ends, unless it dies on the way.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use onex_bus::{EventBus, Message};
use onex_journal::{Journal, OutboxMessage};
use onex_journal_sqlite::SqliteJournal;
use onex_orchestrator::Worker;
use onex_runtime::{DeadLetter, DeadLetterFile, Observer, RunReport, Runtime, RuntimeParts, SystemClock, WiringReport};
use rustix::process::{Resource, Rlimit, setrlimit};
use uuid::Uuid;

use super::bus::PointedBus;
use super::case::{Case, Way};
use super::ledger::Ledger;
use super::nodes::nodes;
use super::points::Points;
use crate::around::Wrapped;
use crate::read_text;

/// Lives in `directory`, whose `case.json` says what to run, over the journal at `journal`; dies at point `dies_at`,
/// from 1. Gives the number of points that it passed.
pub async fn run_process(directory: &Path, journal: &str, dies_at: usize) -> usize {
    // To die leaves no core file, and takes no time to write one.
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).expect("less is allowed");
    let case = std::fs::read_to_string(directory.join("case.json")).expect("a case");
    let case: Case = serde_json::from_str(&case).expect("a case");
    let journal = open(journal).await;
    let points = Arc::new(Points::dying_at(dies_at, case.each_point));
    let life = Life { directory, case: &case, journal: &journal, points: &points };
    life.run().await;
    points.passed()
}

async fn open(journal: &str) -> Arc<dyn Journal> {
    Arc::new(SqliteJournal::open(Path::new(journal)).await.expect("the journal opens"))
}

struct Life<'a> {
    directory: &'a Path,
    case: &'a Case,
    journal: &'a Arc<dyn Journal>,
    points: &'a Arc<Points>,
}

impl Life<'_> {
    async fn run(&self) {
        let ledger = Arc::new(Ledger::open(&self.directory.join("ledger.jsonl")));
        let nodes = nodes(&self.case.scripts, self.points, &ledger);
        let (report, orchestrators) = WiringReport::of(&[&read_text("contract.yaml", &self.case.contract)], &nodes);
        let wired = orchestrators.first().unwrap_or_else(|| panic!("{report:?}"));
        let topic = wired.subscriptions[0].0.clone();
        let bus = Arc::new(PointedBus::new(self.points, &ledger, &topic));
        let runtime = Runtime::start(RuntimeParts {
            bus: Arc::clone(&bus) as Arc<dyn EventBus>,
            worker: self.worker(),
            nodes,
            orchestrators,
            dead_letters: Arc::new(DeadLetterFile::open(self.directory).expect("a file")),
            observer: Arc::new(Silent),
            max_in_flight: 1,
        });
        let runtime = runtime.await.expect("it starts");
        self.feed(&runtime, &*bus, &topic).await;
        runtime.drained().await;
        runtime.stop(Duration::from_secs(10)).await;
    }

    fn worker(&self) -> Worker {
        Worker {
            journal: Arc::new(Wrapped::new(Arc::clone(self.journal), Arc::clone(self.points))),
            clock: Arc::new(SystemClock),
            owner: "crashing".to_owned(),
            lease: Duration::from_secs(60),
        }
    }

    async fn feed(&self, runtime: &Runtime, bus: &dyn EventBus, topic: &str) {
        match self.case.way {
            Way::Inbox => {
                let texts: Vec<_> = self.case.events.iter().map(ToString::to_string).collect();
                let ingress = runtime.ingress(&self.case.event_type).expect("it is wired");
                // All events come in in one commit, so that one of them tells of all.
                if !self.has_any().await {
                    assert_eq!(ingress.submit(&texts).await.expect("taken"), []);
                }
            }
            Way::Bus => {
                for (number, event) in self.case.events.iter().enumerate() {
                    let message = Message::new(Uuid::from_u128(number as u128 + 1), event.to_string());
                    bus.publish(topic, message).await.expect("the bus takes it");
                }
            }
        }
    }

    async fn has_any(&self) -> bool {
        let inbox = self.journal.inbox(1).await.expect("readable");
        let runs = self.journal.runs(None, 1).await.expect("readable");
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
