//! A journal with something around each call: whoever wants to count, fail, delay or die before or after a call says
//! so in [`Around`], and the one delegation of the trait is here.
//!
//! A new method of [`Journal`] belongs into [`Wrapped`], in one line; a method with a default body that is missing
//! there would pass by whatever is around the others.

use std::sync::Arc;

use async_trait::async_trait;
use onex_journal::{
    Append, Claim, EntityState, InboxMessage, Journal, JournalError, NewRun, OutboxMessage, RunHeader, RunStatus,
    StoredRun,
};
use onex_node::{RunId, Timestamp};
use uuid::Uuid;

/// A call of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// The method.
    pub name: &'static str,
    /// Whether it writes.
    pub writes: bool,
}

/// What happens around each call.
#[async_trait]
pub trait Around: Send + Sync {
    /// Before the call.
    ///
    /// # Errors
    ///
    /// The call is not made, and this is its answer.
    async fn before(&self, call: Call) -> Result<(), JournalError>;

    /// After the call, whatever its answer.
    ///
    /// # Errors
    ///
    /// The call was made, and this is its answer all the same.
    async fn after(&self, call: Call) -> Result<(), JournalError>;
}

/// A journal with something around it.
pub struct Wrapped<A> {
    inner: Arc<dyn Journal>,
    around: Arc<A>,
}

impl<A: Around> Wrapped<A> {
    /// `around` each call of `inner`.
    pub fn new(inner: Arc<dyn Journal>, around: Arc<A>) -> Self {
        Self { inner, around }
    }

    async fn call<T>(
        &self,
        call: Call,
        work: impl Future<Output = Result<T, JournalError>> + Send,
    ) -> Result<T, JournalError> {
        self.around.before(call).await?;
        let answer = work.await;
        self.around.after(call).await?;
        answer
    }

    async fn write<T>(
        &self,
        name: &'static str,
        work: impl Future<Output = Result<T, JournalError>> + Send,
    ) -> Result<T, JournalError> {
        self.call(Call { name, writes: true }, work).await
    }

    async fn read<T>(
        &self,
        name: &'static str,
        work: impl Future<Output = Result<T, JournalError>> + Send,
    ) -> Result<T, JournalError> {
        self.call(Call { name, writes: false }, work).await
    }
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
        self.write("start", self.inner.start(run)).await
    }

    async fn append(&self, append: Append) -> Result<u64, JournalError> {
        self.write("append", self.inner.append(append)).await
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

    async fn renew(&self, claims: &[Claim], lease_until: Timestamp) -> Result<Vec<RunId>, JournalError> {
        self.write("renew", self.inner.renew(claims, lease_until)).await
    }

    async fn set_aside(&self, run_id: RunId, reason: &str) -> Result<(), JournalError> {
        self.write("set_aside", self.inner.set_aside(run_id, reason)).await
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
