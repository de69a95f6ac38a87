//! The running system: starts what is wired, takes up what was left, and stops without losing anything.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use onex_bus::{BusError, EventBus, Subscription};
use onex_journal::{JournalError, OutboxMessage, RunHeader, RunOrder, RunStatus};
use onex_node::{NodeRegistry, RunId};
use onex_orchestrator::{NodeOrchestrator, Worker};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use tracing::info;

use crate::dead_letter::{DeadLetter, DeadLetterFile};
use crate::ingress::Ingress;
use crate::intake::Intake;
use crate::leases::{Lease, Leases};
use crate::orders::Given;
use crate::recovery::{Recovered, lanes_with};
use crate::wiring::WiredOrchestrator;

/// Is told what happens, in the order it happens to each run. Calls must return soon.
pub trait Observer: Send + Sync {
    /// An event leaves; it may leave again after a crash, with the same id.
    ///
    /// # Errors
    ///
    /// It could not be told; then it stays in the outbox.
    fn published(&self, message: &OutboxMessage) -> std::io::Result<()>;

    /// A run has ended, or was set aside.
    fn run_ended(&self, report: &RunReport);

    /// A message was set aside.
    fn dead_lettered(&self, letter: &DeadLetter);
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunReport {
    /// The run.
    pub run_id: RunId,
    /// Its orchestrator.
    pub orchestrator: String,
    /// How it ended.
    pub status: RunStatus,
    /// What made it fail, with its code.
    pub failure: Option<String>,
    /// Whether an earlier process had begun it.
    pub recovered: bool,
}

/// What a runtime is made of.
pub struct RuntimeParts {
    /// The bus.
    pub bus: Arc<dyn EventBus>,
    /// Journal, clock and name of this worker.
    pub worker: Worker,
    /// The nodes of this process.
    pub nodes: NodeRegistry,
    /// What is wired.
    pub orchestrators: Vec<WiredOrchestrator>,
    /// Where messages go that cannot be run.
    pub dead_letters: Arc<DeadLetterFile>,
    /// Who is told.
    pub observer: Arc<dyn Observer>,
    /// Runs of one orchestrator at once, at least 1.
    pub max_in_flight: usize,
}

/// Why a runtime does not start or cannot take something in.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The journal cannot be used.
    #[error("the journal cannot be used")]
    Journal {
        /// Why.
        #[source]
        source: JournalError,
    },
    /// The bus cannot be used.
    #[error("the bus cannot be used")]
    Bus {
        /// Why.
        #[source]
        source: BusError,
    },
}

impl RuntimeError {
    pub(crate) fn journal(source: JournalError) -> Self {
        Self::Journal { source }
    }

    pub(crate) fn bus(source: BusError) -> Self {
        Self::Bus { source }
    }

    /// Stable code, see `docs/errors.md`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Journal { source } => source.code(),
            Self::Bus { source } => source.code(),
        }
    }
}

/// How a runtime stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Everything that had begun has ended.
    Drained,
    /// The grace period was over first; the journal knows what still ran.
    GraceExpired {
        /// Tasks that still ran.
        running: usize,
    },
}

/// A run that comes to its orchestrator's lanes another way than by a message.
#[derive(Debug)]
pub(crate) enum HandedOver {
    /// It was taken over from another worker.
    TakenOver(RunHeader, Lease),
    /// What an ended run left undone is to be done.
    Retry(RunHeader, RunOrder),
}

/// What every task of a runtime shares.
pub(crate) struct Shared {
    pub(crate) bus: Arc<dyn EventBus>,
    pub(crate) worker: Worker,
    pub(crate) nodes: NodeRegistry,
    pub(crate) by_fingerprint: HashMap<String, Arc<NodeOrchestrator>>,
    pub(crate) dead_letters: Arc<DeadLetterFile>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) tracker: TaskTracker,
    pub(crate) max_in_flight: usize,
    /// Woken when something was settled or a recovered run has ended.
    pub(crate) activity: Notify,
    /// The runs of this process.
    pub(crate) leases: Leases,
    recovering: AtomicUsize,
    /// The ways into the lanes of each orchestrator, for runs that are taken over later.
    handovers: OnceLock<HashMap<String, mpsc::UnboundedSender<HandedOver>>>,
    /// How many runs without an orchestrator here are carried on at once.
    orphans: Arc<Semaphore>,
}

impl Shared {
    pub(crate) fn one_more_to_recover(&self) {
        self.recovering.fetch_add(1, Ordering::SeqCst);
    }

    /// Gives a run that was taken over to its orchestrator's lanes.
    pub(crate) fn hand_over(self: &Arc<Self>, header: RunHeader, lease: Lease) {
        let refused = match self.lanes_of(&header.orchestrator) {
            Some(lanes) => lanes.send(HandedOver::TakenOver(header, lease)).err().map(|refused| refused.0),
            None => Some(HandedOver::TakenOver(header, lease)),
        };
        if let Some(HandedOver::TakenOver(header, lease)) = refused {
            self.begin_orphan(header, lease);
        }
    }

    /// The way into the lanes of an orchestrator; `None` when it is not wired.
    pub(crate) fn lanes_of(&self, orchestrator: &str) -> Option<&mpsc::UnboundedSender<HandedOver>> {
        self.handovers.get()?.get(orchestrator)
    }

    /// A run whose orchestrator is not wired any more is finished with the contract it started with.
    fn begin_orphan(self: &Arc<Self>, header: RunHeader, lease: Lease) {
        let shared = Arc::clone(self);
        self.tracker.spawn(async move {
            // The semaphore is never closed.
            let _turn = Arc::clone(&shared.orphans).acquire_owned().await;
            shared.recover(&lease, &header.orchestrator).await;
            shared.one_recovered();
        });
    }

    pub(crate) fn one_recovered(&self) {
        self.recovering.fetch_sub(1, Ordering::SeqCst);
        self.activity.notify_waiters();
    }
}

/// A running system.
pub struct Runtime {
    shared: Arc<Shared>,
    orchestrators: Vec<WiredOrchestrator>,
    subscriptions: Vec<Arc<dyn Subscription>>,
    stop: CancellationToken,
    /// Keeps leases until everything else has ended.
    upkeep: TaskTracker,
    ended: CancellationToken,
    /// A runtime that is dropped keeps nothing up any more.
    _ends_with_this: DropGuard,
}

impl Runtime {
    /// Starts: unfinished runs first, then the outbox, then what comes in.
    ///
    /// # Errors
    ///
    /// The journal or the bus cannot be used.
    pub async fn start(parts: RuntimeParts) -> Result<Self, RuntimeError> {
        let orchestrators = parts.orchestrators.clone();
        let shared = Arc::new(shared_of(parts));
        for wired in &orchestrators {
            wired.orchestrator.save(&*shared.worker.journal).await.map_err(RuntimeError::journal)?;
        }
        let (stop, ended, upkeep) = (CancellationToken::new(), CancellationToken::new(), TaskTracker::new());
        let (subscriptions, _ends_with_this) = (Vec::new(), ended.clone().drop_guard());
        let mut runtime = Self { shared, orchestrators, subscriptions, stop, upkeep, ended, _ends_with_this };
        let recovered = runtime.shared.take_over().await?;
        runtime.shared.publish_outbox().await?;
        runtime.begin(recovered).await?;
        let shared = Arc::clone(&runtime.shared);
        runtime.upkeep.spawn(shared.keep_leases(runtime.stop.clone(), runtime.ended.clone()));
        let mut given = Given::new();
        runtime.shared.take_waiting(&mut given).await.map_err(RuntimeError::journal)?;
        runtime.upkeep.spawn(Arc::clone(&runtime.shared).take_orders(given, runtime.ended.clone()));
        runtime.shared.publish_inbox().await?;
        Ok(runtime)
    }

    async fn begin(&mut self, mut recovered: Recovered) -> Result<(), RuntimeError> {
        let count: usize = recovered.values().map(Vec::len).sum();
        if count > 0 {
            info!(runs = count, "taking up runs that an earlier process left");
        }
        self.shared.recovering.store(count, Ordering::SeqCst);
        let mut handovers = HashMap::new();
        for wired in self.orchestrators.clone() {
            let name = wired.orchestrator.plan().name.clone();
            let topics: Vec<_> = wired.subscriptions.iter().map(|(topic, _)| topic.clone()).collect();
            let subscription =
                self.shared.bus.subscribe(&format!("onex.{name}"), &topics).await.map_err(RuntimeError::bus)?;
            self.subscriptions.push(Arc::clone(&subscription));
            let (handover, handed_over) = mpsc::unbounded_channel();
            handovers.insert(name.clone(), handover);
            let lanes = lanes_with(recovered.remove(&name).unwrap_or_default(), self.shared.max_in_flight);
            let (shared, stop) = (Arc::clone(&self.shared), self.stop.clone());
            self.shared.tracker.spawn(Intake { shared, wired, subscription, lanes, handed_over, stop }.run());
        }
        // Set once: a runtime begins once.
        let _ = self.shared.handovers.set(handovers);
        for (header, lease) in recovered.into_values().flatten() {
            self.shared.begin_orphan(header, lease);
        }
        Ok(())
    }

    /// The way in for events of a type; `None` when no wired orchestrator runs on them.
    pub fn ingress(&self, event_type: &str) -> Option<Ingress> {
        self.orchestrators.iter().find_map(|wired| {
            let (topic, declared) =
                wired.subscriptions.iter().find(|(_, declared)| declared.as_deref() == Some(event_type))?;
            Some(Ingress {
                bus: Arc::clone(&self.shared.bus),
                journal: Arc::clone(&self.shared.worker.journal),
                orchestrator: Arc::clone(&wired.orchestrator),
                topic: topic.clone(),
                event_type: declared.clone(),
            })
        })
    }

    /// Removes runs that ended longer ago than that, now and every hour.
    pub fn keep_ended_runs_for(&self, retention: Duration) {
        let (shared, ended) = (Arc::clone(&self.shared), self.ended.clone());
        let orchestrators = self.orchestrators.clone();
        self.upkeep.spawn(async move { shared.keep_pruned(&orchestrators, retention, ended).await });
    }

    /// Waits until nothing is left to do: every message settled, every recovered run ended.
    pub async fn drained(&self) {
        loop {
            let activity = self.shared.activity.notified();
            if self.is_idle().await {
                return;
            }
            activity.await;
        }
    }

    async fn is_idle(&self) -> bool {
        for subscription in &self.subscriptions {
            // A bus that cannot be asked will not deliver either.
            if subscription.lag().await.unwrap_or(0) > 0 {
                return false;
            }
        }
        self.shared.recovering.load(Ordering::SeqCst) == 0
    }

    /// Stops taking in, then waits for what has begun, but no longer than `grace`.
    pub async fn stop(self, grace: Duration) -> Stopped {
        self.stop.cancel();
        self.shared.tracker.close();
        let stopped = match tokio::time::timeout(grace, self.shared.tracker.wait()).await {
            Ok(()) => Stopped::Drained,
            Err(_) => Stopped::GraceExpired { running: self.shared.tracker.len() },
        };
        self.ended.cancel();
        self.upkeep.close();
        self.upkeep.wait().await;
        self.shared.release().await;
        stopped
    }
}

fn shared_of(parts: RuntimeParts) -> Shared {
    parts.orchestrators.iter().for_each(|wired| parts.worker.workflows.insert((*wired.orchestrator).clone()));
    let nodes = parts.orchestrators.iter().fold(parts.nodes, |nodes, wired| nodes.with_workflow(&wired.name()));
    let by_fingerprint = parts.orchestrators.iter().map(|wired| &wired.orchestrator);
    Shared {
        by_fingerprint: by_fingerprint.map(|wired| (wired.plan().fingerprint.clone(), Arc::clone(wired))).collect(),
        bus: parts.bus,
        worker: parts.worker,
        nodes,
        dead_letters: parts.dead_letters,
        observer: parts.observer,
        tracker: TaskTracker::new(),
        max_in_flight: parts.max_in_flight.max(1),
        activity: Notify::new(),
        leases: Leases::default(),
        recovering: AtomicUsize::new(0),
        handovers: OnceLock::new(),
        orphans: Arc::new(Semaphore::new(parts.max_in_flight.max(1))),
    }
}
