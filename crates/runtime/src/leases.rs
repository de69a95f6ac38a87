//! Decides which runs are this process's now, keeps their leases alive, and takes over what others let expire.
//!
//! A run is held from the moment it is this process's until it has ended here, also while it waits for its turn. A
//! third of a lease's time is between two renewals, so two may fail before anybody takes the run away. A run that
//! was taken away nevertheless is abandoned at once; whatever it had under way, the journal refuses its writes.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use onex_journal::{Claim, JournalError, OutboxMessage, RunHeader, RunStatus};
use onex_node::RunId;
use tokio::time::{MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use crate::runtime::Shared;
use crate::wiring::chain;

/// Runs renewed by one call.
const RENEWED_AT_ONCE: usize = 1_000;

/// The runs of this process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leases {
    held: Arc<Mutex<HashMap<RunId, (u64, CancellationToken)>>>,
}

/// A run that is this process's as long as this exists and is not lost.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) claim: Claim,
    lost: CancellationToken,
    leases: Leases,
}

impl Leases {
    /// Holds a run from now on. A run that is held under a later epoch stays so: its message came once more.
    pub(crate) fn hold(&self, claim: Claim) -> Lease {
        let lost = CancellationToken::new();
        self.with(|held| {
            if held.get(&claim.run_id).is_none_or(|(epoch, _)| *epoch < claim.epoch) {
                held.insert(claim.run_id, (claim.epoch, lost.clone()));
            }
        });
        Lease { claim, lost, leases: self.clone() }
    }

    fn claims(&self) -> Vec<Claim> {
        let claim =
            |(run_id, (epoch, _)): (&RunId, &(u64, CancellationToken))| Claim { run_id: *run_id, epoch: *epoch };
        self.with(|held| held.iter().map(claim).collect())
    }

    fn lose(&self, claim: Claim) {
        self.with(|held| {
            if let Some((epoch, lost)) = held.get(&claim.run_id)
                && *epoch == claim.epoch
            {
                lost.cancel();
            }
        });
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<RunId, (u64, CancellationToken)>) -> T) -> T {
        act(&mut self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Lease {
    /// What `work` comes to; `None` when the run was lost first, and `work` is abandoned.
    pub(crate) async fn keep<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.lost.cancelled() => None,
            outcome = work => Some(outcome),
        }
    }
}

impl Drop for Lease {
    /// A run that was claimed again in the meantime is held under the newer epoch.
    fn drop(&mut self) {
        self.leases.with(|held| {
            if held.get(&self.claim.run_id).is_some_and(|(epoch, _)| *epoch == self.claim.epoch) {
                held.remove(&self.claim.run_id);
            }
        });
    }
}

impl Shared {
    /// Renews and takes over until `ended`; takes nothing over any more from `stop` on.
    pub(crate) async fn keep_leases(self: Arc<Self>, stop: CancellationToken, ended: CancellationToken) {
        let pause = (self.worker.lease / 3).max(Duration::from_millis(1));
        let mut tick = interval_at(tokio::time::Instant::now() + pause, pause);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut left_before = HashSet::new();
        loop {
            tokio::select! {
                biased;
                () = ended.cancelled() => return,
                _ = tick.tick() => {}
            }
            if let Err(error) = self.renew().await {
                warn!(error = chain(&error), "leases cannot be renewed now");
                continue;
            }
            if !stop.is_cancelled()
                && let Err(error) = self.take_over_left(&mut left_before).await
            {
                warn!(error = chain(&error), "what other workers left cannot be taken over now");
            }
        }
    }

    /// Lets others take over at once what did not end in time.
    pub(crate) async fn release(&self) {
        let claims = self.leases.claims();
        if let Err(error) = self.worker.journal.renew(&claims, self.worker.clock.now()).await {
            warn!(error = chain(&error), "leases run on until they expire");
        }
    }

    async fn renew(&self) -> Result<(), JournalError> {
        let claims = self.leases.claims();
        for claims in claims.chunks(RENEWED_AT_ONCE) {
            let lease_until = self.worker.clock.now() + self.worker.lease;
            let lost: HashSet<_> = self.worker.journal.renew(claims, lease_until).await?.into_iter().collect();
            for claim in claims.iter().filter(|claim| lost.contains(&claim.run_id)) {
                self.check_lost(*claim).await?;
            }
        }
        Ok(())
    }

    /// A run that cannot be renewed may not be written down yet, or has just ended: then nothing was lost.
    async fn check_lost(&self, claim: Claim) -> Result<(), JournalError> {
        let Some(stored) = self.worker.journal.load(claim.run_id).await? else { return Ok(()) };
        let RunHeader { owner, epoch, status, .. } = stored.header;
        if epoch != claim.epoch && status == RunStatus::Running {
            warn!(run_id = %claim.run_id, epoch = claim.epoch, owner, "the run was taken over by another worker and is abandoned here");
            self.leases.lose(claim);
        }
        Ok(())
    }

    async fn take_over_left(self: &Arc<Self>, left_before: &mut HashSet<Uuid>) -> Result<(), JournalError> {
        self.take_over_expired().await?;
        self.publish_left(left_before).await
    }

    /// What waits in the outbox for a whole pause was left by a process that is gone.
    async fn publish_left(&self, left_before: &mut HashSet<Uuid>) -> Result<(), JournalError> {
        let waiting = self.worker.journal.outbox(RENEWED_AT_ONCE as u32).await?;
        let (left, fresh): (Vec<OutboxMessage>, Vec<_>) =
            waiting.into_iter().partition(|message| left_before.contains(&message.id));
        if !left.is_empty() {
            info!(messages = left.len(), "publishing what waits in the outbox");
            self.publish(&left).await;
        }
        *left_before = fresh.into_iter().map(|message| message.id).collect();
        Ok(())
    }

    async fn take_over_expired(self: &Arc<Self>) -> Result<(), JournalError> {
        let now = self.worker.clock.now();
        let limit = u32::try_from(self.max_in_flight).unwrap_or(u32::MAX);
        let (journal, worker) = (&self.worker.journal, &self.worker);
        let claims = journal.take_over_expired(&worker.owner, now, now + worker.lease, limit).await?;
        if !claims.is_empty() {
            info!(runs = claims.len(), "taking over runs whose leases have expired");
        }
        for claim in claims {
            let lease = self.leases.hold(claim);
            // What cannot be loaded now expires again.
            if let Some(stored) = journal.load(claim.run_id).await? {
                self.one_more_to_recover();
                self.hand_over(stored.header, lease);
            }
        }
        Ok(())
    }
}
