//! Takes up what somebody wants of runs, as the journal keeps it: tells runs that are driven here, and starts retries in
//! the lanes of their entities.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use onex_journal::{JournalError, OrderKind, RunOrder};
use onex_node::RunId;
use onex_orchestrator::{DriveError, NodeOrchestrator, Order, RunRequest, Wish};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use crate::runtime::{HandedOver, Shared};
use crate::wiring::chain;

/// How often the journal is asked.
const PAUSE: Duration = Duration::from_millis(500);

/// Orders asked for at once.
const AT_ONCE: u32 = 1_000;

/// After this time an order that was given is given again: the run may have been driven anew since. Twice does no
/// harm.
const PATIENCE: Duration = Duration::from_secs(10);

/// Orders that were given, and when.
pub(crate) type Given = HashMap<Uuid, Instant>;

impl Shared {
    /// Takes orders up until `ended`.
    pub(crate) async fn take_orders(self: Arc<Self>, mut given: Given, ended: CancellationToken) {
        let mut tick = interval(PAUSE);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = ended.cancelled() => return,
                _ = tick.tick() => {}
            }
            if let Err(error) = self.take_waiting(&mut given).await {
                warn!(error = chain(&error), "orders cannot be taken up now");
            }
        }
    }

    /// Takes up what waits now.
    pub(crate) async fn take_waiting(self: &Arc<Self>, given: &mut Given) -> Result<(), JournalError> {
        let waiting = self.worker.journal.orders(&self.worker.owner, AT_ONCE).await?;
        given.retain(|id, at| at.elapsed() < PATIENCE && waiting.iter().any(|order| order.id == *id));
        for order in waiting {
            if !given.contains_key(&order.id) && self.give(&order).await? {
                info!(run_id = %order.run_id, order = ?order.kind, "an order was taken up");
                given.insert(order.id, Instant::now());
            }
        }
        Ok(())
    }

    /// Whether somebody here could be told.
    async fn give(self: &Arc<Self>, order: &RunOrder) -> Result<bool, JournalError> {
        let wish = match order.kind {
            OrderKind::Cancel => Wish::Cancel,
            OrderKind::Pause => Wish::Pause,
            OrderKind::Resume => Wish::Resume,
            OrderKind::Retry => return self.hand_over_retry(order).await,
        };
        Ok(self.worker.orders.give(order.run_id, Order { id: Some(order.id), wish }))
    }

    async fn hand_over_retry(self: &Arc<Self>, order: &RunOrder) -> Result<bool, JournalError> {
        let Some(stored) = self.worker.journal.load(order.run_id).await? else { return Ok(false) };
        let Some(lanes) = self.lanes_of(&stored.header.orchestrator) else { return Ok(false) };
        self.one_more_to_recover();
        let is_taken = lanes.send(HandedOver::Retry(stored.header, *order)).is_ok();
        if !is_taken {
            self.one_recovered();
        }
        Ok(is_taken)
    }

    /// Does what an ended run left undone, as a run of its own that has the order's id.
    pub(crate) async fn retry(&self, orchestrator: &NodeOrchestrator, order: &RunOrder) {
        let run_id = RunId(order.id);
        match self.try_retry(orchestrator, order).await {
            Ok(()) => {}
            Err(DriveError::Journal { source: JournalError::RunExists { .. }, .. }) => {
                info!(%run_id, "the retry was started before");
            }
            // It waits for its next turn: as an order, or as a run that is taken over.
            Err(error) if error.is_transient() => {
                warn!(%run_id, error = chain(&error), "the retry is tried again");
            }
            Err(error) => self.give_up(run_id, &orchestrator.plan().name, &error).await,
        }
    }

    async fn try_retry(&self, orchestrator: &NodeOrchestrator, order: &RunOrder) -> Result<(), DriveError> {
        let run_id = RunId(order.id);
        let stored = self.worker.journal.load(order.run_id).await;
        let Some(stored) = stored.map_err(|source| DriveError::Journal { run_id, source })? else { return Ok(()) };
        let before = self.orchestrator_of(&stored.header).await?;
        let request = before.retry_of(&self.worker, stored, run_id)?;
        let request = RunRequest { order_id: Some(order.id), ..request };
        let end = orchestrator.run(&self.worker, request).await?;
        self.ended(&orchestrator.plan().name, end, true).await;
        Ok(())
    }
}
