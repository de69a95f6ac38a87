//! Decides what a run costs that only waits for time to pass: its name and its timers. What it knows is in its journal
//! and is read again when something happens, as after a crash. So ten thousand runs may wait for a backend that is
//! down without filling the memory of a process that is to be there when it is up again.

use std::sync::Arc;
use std::time::Duration;

use onex_journal::JournalError;

use super::DriveError;
use super::drive::Drive;
use crate::event::{Command, Event, Timer};
use crate::state::RunState;

/// Below this the run stays at hand: reading it again would cost more than it saves.
const LONG: Duration = Duration::from_secs(1);

impl Drive<'_> {
    /// Whether the run is about to wait for nothing but a retry that is not due soon.
    pub(super) fn may_rest(&self) -> bool {
        let is_long = |command: &Command| match command {
            Command::Arm { timer: Timer::Retry(_) | Timer::RetryUndo(_), after } => *after >= LONG,
            _ => false,
        };
        self.outgoing.iter().any(is_long) && self.state.only_waits()
    }

    /// What happens next, the run being away until then.
    pub(super) async fn rest(&mut self) -> Result<Event, DriveError> {
        self.state.put_away();
        self.aborts.clear();
        self.held_back.shrink_to_fit();
        self.outgoing.shrink_to_fit();
        let event = self.next_event().await?;
        self.recall().await?;
        Ok(event)
    }

    /// Reads the run again, unless somebody else has taken it over meanwhile.
    async fn recall(&mut self) -> Result<(), DriveError> {
        let run_id = self.run_id;
        let stored = self.worker.journal.load(run_id).await.and_then(|stored| {
            let stored = stored.ok_or(JournalError::RunUnknown { run_id })?;
            let (given, current) = (self.epoch, stored.header.epoch);
            if given == current { Ok(stored) } else { Err(JournalError::StaleOwner { run_id, given, current }) }
        });
        let stored = stored.map_err(|source| DriveError::Journal { run_id, source })?;
        self.state = RunState::new(run_id, Arc::clone(&self.orchestrator.plan));
        self.replay(stored.records)
    }
}
