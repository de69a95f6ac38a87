//! One loop per orchestrator: takes deliveries, keeps the order of keys, runs, and settles a delivery only
//! when its run has ended or its message is safely set aside.

use std::sync::Arc;
use std::time::Duration;

use onex_bus::{Delivery, Message, Settlement, Subscription};
use onex_journal::{Claim, JournalError, RunOrder, RunStatus};
use onex_node::RunId;
use onex_orchestrator::{DriveError, NodeOrchestrator, RunEnd, RunRequest};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use uuid::Uuid;

use crate::dead_letter::DeadLetter;
use crate::ingress::decode;
use crate::lanes::Lanes;
use crate::leases::Lease;
use crate::recovery::push_handed_over;
use crate::runtime::{HandedOver, RunReport, Shared};
use crate::wiring::{WiredOrchestrator, chain};

/// Longest pause between two attempts to use a journal that cannot be used.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The epoch at which a run is owned that was started here and was not taken over.
const FIRST_EPOCH: u64 = 1;

/// A piece of work.
#[derive(Debug)]
pub(crate) enum Work {
    /// A message that came in.
    Fresh(Box<(Delivery, RunRequest)>),
    /// A run of an earlier process.
    Recovered(Lease),
    /// What an ended run left undone.
    Retry(RunOrder),
}

/// What the loop wakes up for.
enum Wake {
    Stop,
    Finished(String),
    Delivered(Delivery),
    HandedOver(Box<HandedOver>),
    /// Nothing will be delivered any more.
    Closed,
}

pub(crate) struct Intake {
    pub(crate) shared: Arc<Shared>,
    pub(crate) wired: WiredOrchestrator,
    pub(crate) subscription: Arc<dyn Subscription>,
    pub(crate) lanes: Lanes<Work>,
    /// Runs that come another way than by a message.
    pub(crate) handed_over: mpsc::UnboundedReceiver<HandedOver>,
    pub(crate) stop: CancellationToken,
}

impl Intake {
    /// Runs until it is told to stop and everything that had begun has ended.
    pub(crate) async fn run(mut self) {
        let (finished, mut finishes) = mpsc::unbounded_channel();
        let mut open = true;
        loop {
            self.start_ready(&finished);
            if !open && self.lanes.running() == 0 {
                break;
            }
            match self.next_wake(&mut finishes, open).await {
                Wake::Stop | Wake::Closed => open = false,
                Wake::Finished(key) => self.lanes.finish(&key),
                Wake::Delivered(delivery) => self.admit(delivery).await,
                Wake::HandedOver(run) => push_handed_over(&mut self.lanes, *run),
            }
        }
        self.subscription.close().await;
    }

    async fn next_wake(&mut self, finishes: &mut mpsc::UnboundedReceiver<String>, open: bool) -> Wake {
        let has_room = self.lanes.waiting() < self.shared.max_in_flight * 4;
        tokio::select! {
            biased;
            Some(key) = finishes.recv() => Wake::Finished(key),
            () = self.stop.cancelled(), if open => Wake::Stop,
            Some(run) = self.handed_over.recv(), if open => Wake::HandedOver(Box::new(run)),
            delivery = self.subscription.next(), if open && has_room => match delivery {
                Ok(Some(delivery)) => Wake::Delivered(delivery),
                Ok(None) | Err(_) => Wake::Closed,
            },
        }
    }

    /// Starts what may run; once stopped, nothing new begins and what waits is delivered again after the next start.
    fn start_ready(&mut self, finished: &mpsc::UnboundedSender<String>) {
        while !self.stop.is_cancelled()
            && let Some((key, work)) = self.lanes.start()
        {
            let runner = Runner {
                shared: Arc::clone(&self.shared),
                orchestrator: Arc::clone(&self.wired.orchestrator),
                subscription: Arc::clone(&self.subscription),
            };
            let finished = finished.clone();
            self.shared.tracker.spawn(async move {
                runner.carry(work).await;
                // The loop may be gone already; then nobody waits for this key.
                let _ = finished.send(key);
            });
        }
    }

    /// Puts a delivery into its lane, or sets its message aside.
    async fn admit(&mut self, delivery: Delivery) {
        let event_type = self.wired.subscriptions.iter().find(|(topic, _)| *topic == delivery.topic);
        let event_type = event_type.and_then(|(_, event_type)| event_type.as_deref());
        let decoded = decode(&delivery.message.body, event_type)
            .map_err(|rejection| (rejection.code.to_owned(), rejection.reason));
        let admitted = decoded.and_then(|inbound| {
            let entity =
                self.wired.orchestrator.entity(&inbound.payload).map_err(|failure| (failure.code, failure.message))?;
            let key =
                entity.or_else(|| delivery.message.key.clone()).unwrap_or_else(|| delivery.message.id.to_string());
            let run_id = RunId::derive(&self.wired.orchestrator.plan().name, delivery.message.id);
            let request = RunRequest {
                event_type: inbound.event_type,
                correlation_id: inbound.correlation_id,
                parent_envelope_id: inbound.envelope_id,
                inbox_id: Some(delivery.message.id),
                ..RunRequest::new(run_id, inbound.payload)
            };
            Ok((key, request))
        });
        match admitted {
            Ok((key, request)) => self.lanes.push(key, Work::Fresh(Box::new((delivery, request)))),
            Err((code, reason)) => self.shared.set_message_aside(&*self.subscription, &delivery, &code, &reason).await,
        }
    }
}

/// Carries one piece of work to its end.
pub(crate) struct Runner {
    pub(crate) shared: Arc<Shared>,
    pub(crate) orchestrator: Arc<NodeOrchestrator>,
    pub(crate) subscription: Arc<dyn Subscription>,
}

impl Runner {
    async fn carry(&self, work: Work) {
        match work {
            Work::Recovered(lease) => {
                self.shared.recover(&lease, &self.orchestrator.plan().name).await;
                self.shared.one_recovered();
            }
            Work::Retry(order) => {
                let lease = self.shared.leases.hold(Claim { run_id: RunId(order.id), epoch: FIRST_EPOCH });
                // Whoever takes it away carries it on; that it was lost has been told.
                let _ = lease.keep(self.shared.retry(&self.orchestrator, &order)).await;
                self.shared.one_recovered();
            }
            Work::Fresh(work) => {
                let (delivery, request) = *work;
                // Whoever takes it away carries it on; that it was lost has been told.
                let lease = self.shared.leases.hold(Claim { run_id: request.run_id, epoch: FIRST_EPOCH });
                let _ = lease.keep(self.run(&delivery, request)).await;
                if let Err(error) = self.subscription.settle(&delivery, Settlement::Done).await {
                    warn!(%error, topic = delivery.topic, "delivery could not be settled");
                }
                self.shared.activity.notify_waiters();
            }
        }
    }

    async fn run(&self, delivery: &Delivery, request: RunRequest) {
        let run_id = request.run_id;
        match self.orchestrator.run(&self.shared.worker, request.clone()).await {
            Ok(end) => self.shared.ended(&self.orchestrator.plan().name, end, false).await,
            Err(DriveError::Journal { source: JournalError::RunExists { ended, .. }, .. }) => {
                info!(%run_id, ended, "a repeated delivery starts nothing");
            }
            Err(DriveError::Input { source }) => {
                self.shared.set_message_aside(&*self.subscription, delivery, &source.code, &source.message).await;
            }
            Err(error) if error.is_transient() => self.run_again(request).await,
            Err(error) => self.shared.give_up(run_id, &self.orchestrator.plan().name, &error).await,
        }
    }

    /// The journal could not be used: what it holds of the run decides how it goes on, each time anew, because what was
    /// on its way when the connection dropped may arrive later.
    async fn run_again(&self, request: RunRequest) {
        let name = &self.orchestrator.plan().name;
        let mut pause = Duration::from_millis(100);
        loop {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            match self.try_again(&request).await {
                Ok(Some(end)) => return self.shared.ended(name, end, false).await,
                Ok(None) => return info!(run_id = %request.run_id, "the run is not ours any more"),
                Err(error) if is_told_by_journal(&error) => {
                    warn!(error = chain(&error), run_id = %request.run_id, "the run is tried again");
                }
                Err(error) => return self.shared.give_up(request.run_id, name, &error).await,
            }
        }
    }

    /// Starts the run, or carries it on, or finds its end; `None` when another worker started it or took it over, or when
    /// it was set aside.
    async fn try_again(&self, request: &RunRequest) -> Result<Option<RunEnd>, DriveError> {
        let (worker, run_id) = (&self.shared.worker, request.run_id);
        let stored = worker.journal.load(run_id).await.map_err(|source| DriveError::Journal { run_id, source })?;
        let Some(stored) = stored else { return self.orchestrator.run(worker, request.clone()).await.map(Some) };
        let is_ours = stored.header.owner == worker.owner && stored.header.epoch == FIRST_EPOCH;
        if !is_ours || stored.header.status == RunStatus::SetAside {
            return Ok(None);
        }
        self.orchestrator.resume(worker, stored, FIRST_EPOCH).await.map(Some)
    }
}

/// Whether to look into the journal once more tells how the run goes on: it could not be used, or a write that it did
/// not acknowledge has arrived after all.
pub(crate) fn is_told_by_journal(error: &DriveError) -> bool {
    let DriveError::Journal { source, .. } = error else { return false };
    error.is_transient() || source.lost_ownership() || matches!(source, JournalError::RunExists { .. })
}

impl Shared {
    /// Keeps a message as dead letter, then settles it; a letter that cannot be kept makes the message come again.
    pub(crate) async fn set_message_aside(
        &self,
        subscription: &dyn Subscription,
        delivery: &Delivery,
        code: &str,
        reason: &str,
    ) {
        let origin = format!("{}@{}", delivery.topic, delivery.offset);
        let at = self.worker.clock.now();
        let letter = DeadLetter::new(at, origin, code, reason, delivery.attempt, &delivery.message.body);
        let kept = self.dead_letters.keep(std::slice::from_ref(&letter));
        let settlement = match &kept {
            Ok(()) => Settlement::Done,
            Err(error) => {
                error!(error = chain(error), "a dead letter could not be kept");
                Settlement::Redeliver { after: LONGEST_PAUSE }
            }
        };
        if kept.is_ok() {
            self.observer.dead_lettered(&letter);
            if let Err(error) = self.worker.journal.forget(&[delivery.message.id]).await {
                warn!(error = chain(&error), "a dead-lettered message stays in the inbox");
            }
        }
        if let Err(error) = subscription.settle(delivery, settlement).await {
            warn!(%error, topic = delivery.topic, "delivery could not be settled");
        }
        self.activity.notify_waiters();
    }

    /// Publishes what a run's end sends out, and tells of it.
    pub(crate) async fn ended(&self, orchestrator: &str, end: RunEnd, recovered: bool) {
        self.publish(&end.messages).await;
        self.observer.run_ended(&RunReport {
            run_id: end.run_id,
            orchestrator: orchestrator.to_owned(),
            status: end.outcome.status,
            failure: end.outcome.failure.map(|failure| format!("{} {failure}", failure.code)),
            recovered,
        });
    }

    /// Publishes messages of the outbox: on the bus, to the observer, then marked. A crash in between repeats them.
    pub(crate) async fn publish(&self, messages: &[onex_journal::OutboxMessage]) {
        let mut published = Vec::new();
        for message in messages {
            let on_bus = Message { key: message.key.clone(), ..Message::new(message.id, message.envelope.to_string()) };
            let on_its_way = self.bus.publish(&message.topic, on_bus).await;
            let told = on_its_way
                .map_err(|error| chain(&error))
                .and_then(|()| self.observer.published(message).map_err(|error| chain(&error)));
            match told {
                Ok(()) => published.push(message.id),
                Err(error) => warn!(error, topic = message.topic, "an event stays in the outbox"),
            }
        }
        self.mark_published(&published).await;
    }

    /// Nobody else would mark them before the next start, so it is tried until the journal can be used.
    async fn mark_published(&self, ids: &[Uuid]) {
        let mut pause = Duration::from_millis(100);
        while !ids.is_empty()
            && let Err(error) = self.worker.journal.mark_published(ids).await
        {
            warn!(error = chain(&error), "published events are still in the outbox");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// A run that cannot be carried on: somebody else's, or one that somebody has to look at.
    pub(crate) async fn give_up(&self, run_id: RunId, orchestrator: &str, error: &DriveError) {
        if let DriveError::Journal { source, .. } = error
            && source.lost_ownership()
        {
            return info!(%run_id, "another worker owns the run");
        }
        let reason = format!("{} {}", error.code(), chain(error));
        if !self.is_ours(run_id).await {
            return info!(%run_id, reason, "the run is not carried on here, another worker owns it");
        }
        error!(%run_id, reason, "a run was set aside");
        if let Err(error) = self.worker.journal.set_aside(run_id, &reason).await {
            error!(error = chain(&error), %run_id, "the run could not be set aside and will be tried again");
        }
        let report = RunReport {
            run_id,
            orchestrator: orchestrator.to_owned(),
            status: RunStatus::SetAside,
            failure: Some(reason),
            recovered: false,
        };
        self.observer.run_ended(&report);
    }

    /// Whether a run may be set aside by this worker. A journal that cannot be asked cannot be written either.
    async fn is_ours(&self, run_id: RunId) -> bool {
        match self.worker.journal.load(run_id).await {
            Ok(Some(stored)) => stored.header.owner == self.worker.owner,
            // What it holds cannot be read, which is what is to be told.
            Ok(None) | Err(_) => true,
        }
    }
}
