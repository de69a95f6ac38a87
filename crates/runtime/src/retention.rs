//! Decides when what is old is removed from the journal.

use std::time::Duration;

use onex_journal::JournalError;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::runtime::Shared;
use crate::wiring::{WiredOrchestrator, chain};

/// From one removal to the next.
const PAUSE: Duration = Duration::from_secs(3_600);

/// Runs removed by one commit: few, so that nobody waits long for it.
const AT_ONCE: u32 = 500;

impl Shared {
    /// Removes what is older than `retention`, until `ended`.
    pub(crate) async fn keep_pruned(
        &self,
        orchestrators: &[WiredOrchestrator],
        retention: Duration,
        ended: CancellationToken,
    ) {
        loop {
            match self.prune(orchestrators, retention).await {
                Ok(0) => {}
                Ok(runs) => info!(runs, "old runs were removed"),
                Err(error) => warn!(error = chain(&error), "old runs cannot be removed now"),
            }
            tokio::select! {
                () = ended.cancelled() => return,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    /// The contracts that are wired are saved again first: they are in use, whether a run keeps them or not.
    async fn prune(&self, orchestrators: &[WiredOrchestrator], retention: Duration) -> Result<u64, JournalError> {
        let journal = &*self.worker.journal;
        for wired in orchestrators {
            wired.orchestrator.save(journal).await?;
        }
        let ended_before = self.worker.clock.now() - retention;
        let mut removed = 0;
        loop {
            let runs = journal.prune(ended_before, AT_ONCE).await?;
            removed += runs;
            if runs < u64::from(AT_ONCE) {
                return Ok(removed);
            }
        }
    }
}
