//! A journal that goes wrong by a schedule, and a witness of who wrote what: no two workers may write to one run at
//! one epoch.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use onex_journal::{Claim, JournalError};
use onex_node::{RunId, Timestamp};
use onex_orchestrator::Clock;
use tokio::time::{Instant, sleep};

use crate::around::{Around, Call, Postponed};

/// What goes wrong with one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails and leaves nothing, as on a full disk.
    Refused,
    /// It is committed, and the connection drops before anybody is told.
    Unacknowledged,
    /// The connection drops first, and it is committed when somebody has looked and not found it.
    Late,
    /// It takes long.
    Slow(Duration),
    /// The connection drops, and for so long nothing can be written or read.
    Away(Duration),
}

/// What goes wrong, by the number of the write, from 0.
pub type Schedule = BTreeMap<usize, Fault>;

/// Carries a schedule out, for one worker.
pub struct Faults {
    worker: String,
    schedule: Schedule,
    away_until: Mutex<Option<Instant>>,
    late: Mutex<Vec<(Call, Postponed)>>,
    witness: Arc<Witness>,
}

impl Faults {
    /// What goes wrong for a worker.
    pub fn new(worker: &str, schedule: Schedule, witness: &Arc<Witness>) -> Self {
        let (away_until, late) = (Mutex::default(), Mutex::default());
        Self { worker: worker.to_owned(), schedule, away_until, late, witness: Arc::clone(witness) }
    }

    fn fault(&self, call: &Call) -> Option<Fault> {
        self.schedule.get(&call.write?).copied()
    }

    fn check_connection(&self) -> Result<(), JournalError> {
        let until = *locked(&self.away_until);
        if until.is_some_and(|until| Instant::now() < until) { Err(unavailable("nobody answers")) } else { Ok(()) }
    }

    /// What was still on its way arrives.
    async fn land(&self) {
        let late = std::mem::take(&mut *locked(&self.late));
        for (call, write) in late {
            if write.await.is_ok() {
                self.witness.saw(&self.worker, &call);
            }
        }
    }
}

#[async_trait]
impl Around for Faults {
    async fn before(&self, call: &Call) -> Result<(), JournalError> {
        self.check_connection()?;
        if let Some(write) = call.write {
            self.witness.writes.fetch_max(write + 1, Ordering::SeqCst);
            self.land().await;
        }
        match self.fault(call) {
            Some(Fault::Refused) => Err(unavailable("the disk is full")),
            Some(Fault::Away(duration)) => {
                *locked(&self.away_until) = Some(Instant::now() + duration);
                self.check_connection()
            }
            Some(Fault::Slow(duration)) => {
                sleep(duration / 2).await;
                Ok(())
            }
            Some(Fault::Unacknowledged | Fault::Late) | None => Ok(()),
        }
    }

    async fn after(&self, call: &Call, succeeded: bool) -> Result<(), JournalError> {
        if succeeded {
            self.witness.saw(&self.worker, call);
        }
        match self.fault(call) {
            // A write that cannot be postponed is not acknowledged instead.
            Some(Fault::Unacknowledged | Fault::Late) => Err(unavailable("the connection dropped")),
            Some(Fault::Slow(duration)) => {
                sleep(duration / 2).await;
                Ok(())
            }
            Some(Fault::Refused | Fault::Away(_)) | None => Ok(()),
        }
    }

    fn postpone(&self, call: &Call, write: Postponed) -> Option<Postponed> {
        if self.fault(call) != Some(Fault::Late) {
            return Some(write);
        }
        locked(&self.late).push((*call, write));
        None
    }
}

/// Who wrote to which run at which epoch.
#[derive(Debug, Default)]
pub struct Witness {
    owners: Mutex<BTreeMap<(RunId, u64), String>>,
    seen: Mutex<Vec<String>>,
    writes: AtomicUsize,
}

impl Witness {
    /// A panic here would be caught by the task that writes, so what was seen is kept.
    fn saw(&self, worker: &str, call: &Call) {
        let Some(Claim { run_id, epoch }) = call.claim else { return };
        let mut owners = locked(&self.owners);
        let owner = owners.entry((run_id, epoch)).or_insert_with(|| worker.to_owned());
        if owner != worker {
            locked(&self.seen).push(format!("{owner} and {worker} both wrote to run {run_id} at epoch {epoch}"));
        }
    }

    /// The highest number that a write of a worker had, plus one.
    pub fn writes(&self) -> usize {
        self.writes.load(Ordering::SeqCst)
    }

    /// Every double owner.
    pub fn double_owners(&self) -> Vec<String> {
        locked(&self.seen).clone()
    }

    /// The most epochs that one run was written in.
    pub fn epochs(&self) -> usize {
        let mut epochs: BTreeMap<RunId, usize> = BTreeMap::new();
        locked(&self.owners).keys().for_each(|(run_id, _)| *epochs.entry(*run_id).or_default() += 1);
        epochs.into_values().max().unwrap_or(0)
    }
}

/// A clock that follows tokio's paused one.
#[derive(Debug)]
pub struct PausedClock(Instant);

impl PausedClock {
    /// It starts at 1970.
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + self.0.elapsed()
    }
}

fn unavailable(why: &str) -> JournalError {
    JournalError::Unavailable { source: format!("{why}, says the test").into() }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
