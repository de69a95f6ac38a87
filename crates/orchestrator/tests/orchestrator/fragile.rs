//! A journal for tests of the driver.

use std::future::Future;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use onex_journal::{
    Append, Claim, EntityState, InboxMessage, Journal, JournalError, MemoryJournal, NewRun, OutboxMessage, RunHeader,
    RunOrder, RunStatus, StoredRun,
};
use onex_node::{RunId, Timestamp};
use uuid::Uuid;

/// A journal that goes wrong when told to, notes what is appended, and gives way to others around each write.
#[derive(Default)]
pub(crate) struct Fragile {
    inner: MemoryJournal,
    /// The write that goes wrong, from 0, counting starts and appends; and whether it is written nevertheless.
    pub(crate) wrong: Option<(usize, bool)>,
    /// Kinds of records of each write.
    pub(crate) writes: Mutex<Vec<Vec<String>>>,
}

impl Fragile {
    pub(crate) fn wrong(write: usize, is_written: bool) -> Arc<Self> {
        Arc::new(Self { wrong: Some((write, is_written)), ..Self::default() })
    }

    /// Notes a write; what is to go wrong with it.
    async fn note(&self, kinds: Vec<String>) -> Option<bool> {
        tokio::task::yield_now().await;
        let mut writes = self.writes.lock().expect("no test panics while it holds this");
        writes.push(kinds);
        self.wrong.filter(|(write, _)| *write + 1 == writes.len()).map(|(_, is_written)| is_written)
    }

    async fn write(
        &self,
        kinds: Vec<String>,
        write: impl Future<Output = Result<u64, JournalError>> + Send,
    ) -> Result<u64, JournalError> {
        let wrong = self.note(kinds).await;
        let written = if wrong == Some(false) { Ok(0) } else { write.await };
        tokio::task::yield_now().await;
        match wrong {
            Some(_) => Err(JournalError::Unavailable { source: "the disk is full, says the test".into() }),
            None => written,
        }
    }
}

#[async_trait]
impl Journal for Fragile {
    async fn save_contract(&self, fingerprint: &str, canonical: &str) -> Result<(), JournalError> {
        self.inner.save_contract(fingerprint, canonical).await
    }

    async fn contract(&self, fingerprint: &str) -> Result<Option<String>, JournalError> {
        self.inner.contract(fingerprint).await
    }

    async fn start(&self, run: NewRun) -> Result<u64, JournalError> {
        self.write(vec!["started".to_owned()], self.inner.start(run)).await
    }

    async fn append(&self, append: Append) -> Result<u64, JournalError> {
        let kinds = append.records.iter().map(|record| record.kind.clone()).collect();
        self.write(kinds, self.inner.append(append)).await
    }

    /// Bodies go through text, as in a journal on disk.
    async fn load(&self, run_id: RunId) -> Result<Option<StoredRun>, JournalError> {
        let mut stored = self.inner.load(run_id).await?;
        for record in stored.iter_mut().flat_map(|stored| &mut stored.records) {
            record.body = serde_json::from_str(&record.body.to_string()).expect("JSON");
        }
        Ok(stored)
    }

    async fn runs(&self, status: Option<RunStatus>, limit: u32) -> Result<Vec<RunHeader>, JournalError> {
        self.inner.runs(status, limit).await
    }

    async fn take_over(
        &self,
        owner: &str,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Claim>, JournalError> {
        self.inner.take_over(owner, now, lease_until, limit).await
    }

    async fn take_over_expired(
        &self,
        owner: &str,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Claim>, JournalError> {
        self.inner.take_over_expired(owner, now, lease_until, limit).await
    }

    async fn claim(
        &self,
        run_id: RunId,
        owner: &str,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<Claim>, JournalError> {
        self.inner.claim(run_id, owner, now, lease_until).await
    }

    async fn order(&self, order: &RunOrder) -> Result<(), JournalError> {
        self.inner.order(order).await
    }

    async fn orders(&self, owner: &str, limit: u32) -> Result<Vec<RunOrder>, JournalError> {
        self.inner.orders(owner, limit).await
    }

    async fn prune(&self, ended_before: Timestamp, limit: u32) -> Result<u64, JournalError> {
        self.inner.prune(ended_before, limit).await
    }

    async fn renew(&self, claims: &[Claim], lease_until: Timestamp) -> Result<Vec<RunId>, JournalError> {
        self.inner.renew(claims, lease_until).await
    }

    async fn set_aside(&self, run_id: RunId, reason: &str) -> Result<(), JournalError> {
        self.inner.set_aside(run_id, reason).await
    }

    async fn entity_state(&self, reducer: &str, entity: &str) -> Result<Option<EntityState>, JournalError> {
        self.inner.entity_state(reducer, entity).await
    }

    async fn outbox(&self, limit: u32) -> Result<Vec<OutboxMessage>, JournalError> {
        self.inner.outbox(limit).await
    }

    async fn mark_published(&self, ids: &[Uuid]) -> Result<(), JournalError> {
        self.inner.mark_published(ids).await
    }

    async fn accept(&self, messages: &[InboxMessage]) -> Result<(), JournalError> {
        self.inner.accept(messages).await
    }

    async fn inbox(&self, limit: u32) -> Result<Vec<InboxMessage>, JournalError> {
        self.inner.inbox(limit).await
    }

    async fn forget(&self, ids: &[Uuid]) -> Result<(), JournalError> {
        self.inner.forget(ids).await
    }
}
