//! A journal with something around each call: whoever wants to count, fail, delay or die before or after a call says
//! so in [`Around`], and the one delegation of the trait is here.
//!
//! A new method of [`Journal`] belongs into [`Wrapped`], in one line; one with a default body that is missing there would
//! pass by whatever is around the others.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use async_trait::async_trait;
use onex_journal::{
    Append, Claim, EntityState, InboxMessage, Journal, JournalError, NewRun, OutboxMessage, RunHeader, RunOrder,
    RunStatus, StoredRun,
};
use onex_node::{RunId, Timestamp};
use uuid::Uuid;

/// A call of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// The method.
    pub name: &'static str,
    /// Which write it is, from 0; `None` for a read.
    pub write: Option<usize>,
    /// The run it is about and the epoch it claims to own it at, for an append.
    pub claim: Option<Claim>,
}

/// A write that can be made later by somebody else than its caller.
pub type Postponed = Pin<Box<dyn Future<Output = Result<u64, JournalError>> + Send>>;

/// What happens around each call.
#[async_trait]
pub trait Around: Send + Sync {
    /// Before the call.
    ///
    /// # Errors
    ///
    /// The call is not made, and this is its answer.
    async fn before(&self, call: &Call) -> Result<(), JournalError>;

    /// After the call.
    ///
    /// # Errors
    ///
    /// The call was made, and this is its answer all the same.
    async fn after(&self, call: &Call, succeeded: bool) -> Result<(), JournalError>;

    /// A start or an append, about to be made; whoever keeps it makes it later, and its caller is told that the journal
    /// cannot be used.
    fn postpone(&self, _call: &Call, write: Postponed) -> Option<Postponed> {
        Some(write)
    }
}

/// A journal with something around it.
pub struct Wrapped<A> {
    inner: Arc<dyn Journal>,
    around: Arc<A>,
    writes: AtomicUsize,
    stops_clock: bool,
}

impl<A: Around> Wrapped<A> {
    /// `around` each call of `inner`.
    pub fn new(inner: Arc<dyn Journal>, around: Arc<A>) -> Self {
        Self { inner, around, writes: AtomicUsize::new(0), stops_clock: false }
    }

    /// The same for a journal with threads of its own: to wait for them is no idleness, over which a paused clock
    /// would leap.
    #[must_use]
    pub fn stopping_clock(self) -> Self {
        Self { stops_clock: true, ..self }
    }

    async fn call<T>(
        &self,
        call: Call,
        work: impl Future<Output = Result<T, JournalError>> + Send,
    ) -> Result<T, JournalError> {
        self.around.before(&call).await?;
        let answer = if self.stops_clock { with_clock_stopped(work).await } else { work.await };
        self.around.after(&call, answer.is_ok()).await?;
        answer
    }

    fn write_call(&self, name: &'static str, claim: Option<Claim>) -> Call {
        Call { name, write: Some(self.writes.fetch_add(1, Ordering::SeqCst)), claim }
    }

    async fn write<T>(
        &self,
        name: &'static str,
        work: impl Future<Output = Result<T, JournalError>> + Send,
    ) -> Result<T, JournalError> {
        self.call(self.write_call(name, None), work).await
    }

    /// A write that owns all it needs.
    async fn movable(&self, name: &'static str, claim: Option<Claim>, work: Postponed) -> Result<u64, JournalError> {
        let call = self.write_call(name, claim);
        let work = if self.stops_clock { Box::pin(with_clock_stopped(work)) } else { work };
        match self.around.postpone(&call, work) {
            Some(work) => self.call(call, work).await,
            None => Err(JournalError::Unavailable { source: "the connection dropped, says the test".into() }),
        }
    }

    async fn read<T>(
        &self,
        name: &'static str,
        work: impl Future<Output = Result<T, JournalError>> + Send,
    ) -> Result<T, JournalError> {
        self.call(Call { name, write: None, claim: None }, work).await
    }
}

/// A blocking task keeps tokio from moving a paused clock.
async fn with_clock_stopped<T>(work: impl Future<Output = T>) -> T {
    let (release, held) = mpsc::channel::<()>();
    let hold = tokio::task::spawn_blocking(move || held.recv().is_ok());
    let done = work.await;
    drop(release);
    // It ends as soon as it is released, and has nothing to say.
    let _ = hold.await;
    done
}

#[async_trait]
impl<A: Around> Journal for Wrapped<A> {
    async fn save_contract(&self, fingerprint: &str, canonical: &str) -> Result<(), JournalError> {
        self.write("save_contract", self.inner.save_contract(fingerprint, canonical)).await
    }

    async fn contract(&self, fingerprint: &str) -> Result<Option<String>, JournalError> {
        self.read("contract", self.inner.contract(fingerprint)).await
    }

    async fn start(&self, run: NewRun) -> Result<u64, JournalError> {
        let inner = Arc::clone(&self.inner);
        self.movable("start", None, Box::pin(async move { inner.start(run).await })).await
    }

    async fn append(&self, append: Append) -> Result<u64, JournalError> {
        let claim = Claim { run_id: append.run_id, epoch: append.epoch };
        let inner = Arc::clone(&self.inner);
        self.movable("append", Some(claim), Box::pin(async move { inner.append(append).await })).await
    }

    async fn load(&self, run_id: RunId) -> Result<Option<StoredRun>, JournalError> {
        self.read("load", self.inner.load(run_id)).await
    }

    async fn runs(&self, status: Option<RunStatus>, limit: u32) -> Result<Vec<RunHeader>, JournalError> {
        self.read("runs", self.inner.runs(status, limit)).await
    }

    async fn take_over(
        &self,
        owner: &str,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Claim>, JournalError> {
        self.write("take_over", self.inner.take_over(owner, now, lease_until, limit)).await
    }

    async fn take_over_expired(
        &self,
        owner: &str,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Claim>, JournalError> {
        self.write("take_over_expired", self.inner.take_over_expired(owner, now, lease_until, limit)).await
    }

    async fn claim(
        &self,
        run_id: RunId,
        owner: &str,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<Claim>, JournalError> {
        self.write("claim", self.inner.claim(run_id, owner, now, lease_until)).await
    }

    async fn renew(&self, claims: &[Claim], lease_until: Timestamp) -> Result<Vec<RunId>, JournalError> {
        self.write("renew", self.inner.renew(claims, lease_until)).await
    }

    async fn set_aside(&self, run_id: RunId, reason: &str) -> Result<(), JournalError> {
        self.write("set_aside", self.inner.set_aside(run_id, reason)).await
    }

    async fn order(&self, order: &RunOrder) -> Result<(), JournalError> {
        self.write("order", self.inner.order(order)).await
    }

    async fn orders(&self, owner: &str, limit: u32) -> Result<Vec<RunOrder>, JournalError> {
        self.read("orders", self.inner.orders(owner, limit)).await
    }

    async fn prune(&self, ended_before: Timestamp, limit: u32) -> Result<u64, JournalError> {
        self.write("prune", self.inner.prune(ended_before, limit)).await
    }

    async fn entity_state(&self, reducer: &str, entity: &str) -> Result<Option<EntityState>, JournalError> {
        self.read("entity_state", self.inner.entity_state(reducer, entity)).await
    }

    async fn outbox(&self, limit: u32) -> Result<Vec<OutboxMessage>, JournalError> {
        self.read("outbox", self.inner.outbox(limit)).await
    }

    async fn mark_published(&self, ids: &[Uuid]) -> Result<(), JournalError> {
        self.write("mark_published", self.inner.mark_published(ids)).await
    }

    async fn accept(&self, messages: &[InboxMessage]) -> Result<(), JournalError> {
        self.write("accept", self.inner.accept(messages)).await
    }

    async fn inbox(&self, limit: u32) -> Result<Vec<InboxMessage>, JournalError> {
        self.read("inbox", self.inner.inbox(limit)).await
    }

    async fn forget(&self, ids: &[Uuid]) -> Result<(), JournalError> {
        self.write("forget", self.inner.forget(ids)).await
    }
}
