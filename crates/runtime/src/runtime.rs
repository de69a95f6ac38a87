//! The running system: starts what is wired, takes up what was left, and stops without losing anything.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use onex_bus::{BusError, EventBus, Subscription};
use onex_journal::{JournalError, OutboxMessage, RunStatus};
use onex_node::{NodeRegistry, RunId};
use onex_orchestrator::{NodeOrchestrator, Worker};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;

use crate::dead_letter::{DeadLetter, DeadLetterFile};
use crate::ingress::Ingress;
use crate::intake::Intake;
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
    recovering: AtomicUsize,
}

impl Shared {
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
        let mut runtime = Self { shared, orchestrators, subscriptions: Vec::new(), stop: CancellationToken::new() };
        let recovered = runtime.shared.take_over().await?;
        runtime.shared.publish_outbox().await?;
        runtime.begin(recovered).await?;
        runtime.shared.publish_inbox().await?;
        Ok(runtime)
    }

    async fn begin(&mut self, mut recovered: Recovered) -> Result<(), RuntimeError> {
        let count: usize = recovered.values().map(Vec::len).sum();
        if count > 0 {
            info!(runs = count, "taking up runs that an earlier process left");
        }
        self.shared.recovering.store(count, Ordering::SeqCst);
        for wired in self.orchestrators.clone() {
            let name = wired.orchestrator.plan().name.clone();
            let topics: Vec<_> = wired.subscriptions.iter().map(|(topic, _)| topic.clone()).collect();
            let subscription =
                self.shared.bus.subscribe(&format!("onex.{name}"), &topics).await.map_err(RuntimeError::bus)?;
            self.subscriptions.push(Arc::clone(&subscription));
            let lanes = lanes_with(recovered.remove(&name).unwrap_or_default(), self.shared.max_in_flight);
            let (shared, stop) = (Arc::clone(&self.shared), self.stop.clone());
            self.shared.tracker.spawn(Intake { shared, wired, subscription, lanes, stop }.run());
        }
        self.begin_orphans(recovered);
        Ok(())
    }

    /// Runs whose orchestrator is not wired any more are finished with the contract they started with.
    fn begin_orphans(&self, recovered: Recovered) {
        for (header, claim) in recovered.into_values().flatten() {
            let shared = Arc::clone(&self.shared);
            self.shared.tracker.spawn(async move {
                shared.recover(claim, &header.orchestrator).await;
                shared.one_recovered();
            });
        }
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
        match tokio::time::timeout(grace, self.shared.tracker.wait()).await {
            Ok(()) => Stopped::Drained,
            Err(_) => Stopped::GraceExpired { running: self.shared.tracker.len() },
        }
    }
}

fn shared_of(parts: RuntimeParts) -> Shared {
    let by_fingerprint = parts.orchestrators.iter().map(|wired| &wired.orchestrator);
    Shared {
        by_fingerprint: by_fingerprint.map(|wired| (wired.plan().fingerprint.clone(), Arc::clone(wired))).collect(),
        bus: parts.bus,
        worker: parts.worker,
        nodes: parts.nodes,
        dead_letters: parts.dead_letters,
        observer: parts.observer,
        tracker: TaskTracker::new(),
        max_in_flight: parts.max_in_flight.max(1),
        activity: Notify::new(),
        recovering: AtomicUsize::new(0),
    }
}
