//! Takes up what an earlier process left: its runs, its outgoing messages, and what it had accepted.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use onex_journal::{Claim, RunHeader, RunStatus};
use onex_node::RunId;
use onex_orchestrator::{DriveError, NodeOrchestrator};
use tracing::{info, warn};

use crate::ingress::bus_message;
use crate::intake::{LONGEST_PAUSE, Work, is_told_by_journal};
use crate::lanes::Lanes;
use crate::leases::Lease;
use crate::runtime::{HandedOver, RuntimeError, Shared};
use crate::wiring::chain;

/// Runs taken over, by orchestrator.
pub(crate) type Recovered = HashMap<String, Vec<(RunHeader, Lease)>>;

impl Shared {
    /// Takes over every unfinished run that is free, in the order of leases.
    pub(crate) async fn take_over(&self) -> Result<Recovered, RuntimeError> {
        let journal = &self.worker.journal;
        let now = self.worker.clock.now();
        let claims = journal.take_over(&self.worker.owner, now, now + self.worker.lease, u32::MAX).await;
        let claims = claims.map_err(RuntimeError::journal)?;
        if claims.is_empty() {
            return Ok(Recovered::new());
        }
        let headers = journal.runs(Some(RunStatus::Running), u32::MAX).await.map_err(RuntimeError::journal)?;
        let mut headers: HashMap<RunId, RunHeader> =
            headers.into_iter().map(|header| (header.run_id, header)).collect();
        let mut recovered = Recovered::new();
        for claim in claims {
            if let Some(header) = headers.remove(&claim.run_id) {
                let lease = self.leases.hold(claim);
                recovered.entry(header.orchestrator.clone()).or_default().push((header, lease));
            }
        }
        Ok(recovered)
    }

    /// Publishes what ended runs have not sent out.
    pub(crate) async fn publish_outbox(&self) -> Result<(), RuntimeError> {
        let waiting = self.worker.journal.outbox(u32::MAX).await.map_err(RuntimeError::journal)?;
        if !waiting.is_empty() {
            info!(messages = waiting.len(), "publishing what an earlier process left in the outbox");
        }
        self.publish(&waiting).await;
        Ok(())
    }

    /// Puts what was accepted and not started back on the bus.
    pub(crate) async fn publish_inbox(&self) -> Result<(), RuntimeError> {
        let accepted = self.worker.journal.inbox(u32::MAX).await.map_err(RuntimeError::journal)?;
        for message in accepted {
            let topic = message.topic.clone();
            self.bus.publish(&topic, bus_message(message)).await.map_err(RuntimeError::bus)?;
        }
        Ok(())
    }

    /// Carries one taken-over run to its end, with the contract it started with; tries again while the journal
    /// cannot be used, and stops when the run is lost.
    pub(crate) async fn recover(&self, lease: &Lease, orchestrator: &str) {
        // Whoever took the run away carries it on; that it was lost has been told.
        let _ = lease.keep(self.recover_held(lease.claim, orchestrator)).await;
    }

    async fn recover_held(&self, claim: Claim, orchestrator: &str) {
        let mut pause = Duration::from_millis(100);
        while let Err(error) = self.try_recover(claim, orchestrator).await {
            if !is_told_by_journal(&error) {
                return self.give_up(claim.run_id, orchestrator, &error).await;
            }
            warn!(error = chain(&error), run_id = %claim.run_id, "recovery is tried again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn try_recover(&self, claim: Claim, name: &str) -> Result<(), DriveError> {
        let run_id = claim.run_id;
        let stored = self.worker.journal.load(run_id).await;
        let Some(stored) = stored.map_err(|source| DriveError::Journal { run_id, source })? else { return Ok(()) };
        if stored.header.epoch != claim.epoch || stored.header.status == RunStatus::SetAside {
            info!(%run_id, "the run is not ours any more");
            return Ok(());
        }
        let orchestrator = self.orchestrator_of(&stored.header).await?;
        let end = orchestrator.resume(&self.worker, stored, claim.epoch).await?;
        self.ended(name, end, true).await;
        Ok(())
    }

    /// The orchestrator of a run's contract: one that is wired, else made from the journal's copy.
    pub(crate) async fn orchestrator_of(&self, header: &RunHeader) -> Result<Arc<NodeOrchestrator>, DriveError> {
        match self.by_fingerprint.get(&header.contract_fingerprint) {
            Some(wired) => Ok(Arc::clone(wired)),
            None => NodeOrchestrator::of_snapshot(&self.worker, &self.nodes, header).await.map(Arc::new),
        }
    }
}

/// Lanes that begin with an orchestrator's recovered runs, so that they come before anything new of their entities.
pub(crate) fn lanes_with(recovered: Vec<(RunHeader, Lease)>, limit: usize) -> Lanes<Work> {
    let mut lanes = Lanes::new(limit);
    recovered.into_iter().for_each(|(header, lease)| push_recovered(&mut lanes, header, lease));
    lanes
}

/// Puts a run that was taken over into its entity's lane.
fn push_recovered(lanes: &mut Lanes<Work>, header: RunHeader, lease: Lease) {
    lanes.push(lane_of(header), Work::Recovered(lease));
}

/// Puts a run into its entity's lane that came another way than by a message.
pub(crate) fn push_handed_over(lanes: &mut Lanes<Work>, run: HandedOver) {
    match run {
        HandedOver::TakenOver(header, lease) => push_recovered(lanes, header, lease),
        HandedOver::Retry(header, order) => lanes.push(lane_of(header), Work::Retry(order)),
    }
}

fn lane_of(header: RunHeader) -> String {
    header.entity.unwrap_or_else(|| header.run_id.to_string())
}
