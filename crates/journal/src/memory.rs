//! The journal of tests and of `journal: memory`: it keeps every promise except durability. What is decided is the
//! other journals' [`planning`](crate::planning); here is only where the rows go.

mod tables;

use async_trait::async_trait;
use onex_node::{RunId, Timestamp};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::planning::{Answer, ContractRow, Plan, Planned, Prune, TakeOver};
use crate::{
    Append, Claim, EntityState, InboxMessage, Journal, JournalError, JournalLimits, NewRun, OutboxMessage, RunHeader,
    RunOrder, RunStatus, StoredRun,
};
use tables::Tables;

/// A journal in memory.
#[derive(Debug, Default)]
pub struct MemoryJournal {
    limits: JournalLimits,
    tables: Mutex<Tables>,
}

impl MemoryJournal {
    /// An empty journal.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty journal with limits of its own.
    pub fn with_limits(limits: JournalLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    async fn carry_out(&self, demand: Planned) -> Result<Answer, JournalError> {
        let mut tables = self.tables.lock().await;
        let mut plan = Plan::new(tables.known(&demand), self.limits);
        let answer = plan.decide(&demand)?;
        tables.write(plan.into_rows(), now());
        Ok(answer)
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn save_contract(&self, fingerprint: &str, canonical: &str) -> Result<(), JournalError> {
        let contract = ContractRow(fingerprint.to_owned(), canonical.to_owned());
        self.carry_out(Planned::SaveContract(contract)).await?.done()
    }

    async fn contract(&self, fingerprint: &str) -> Result<Option<String>, JournalError> {
        Ok(self.tables.lock().await.contract(fingerprint))
    }

    async fn start(&self, run: NewRun) -> Result<u64, JournalError> {
        self.carry_out(Planned::Start(Box::new(run.into()))).await?.number()
    }

    async fn append(&self, append: Append) -> Result<u64, JournalError> {
        self.carry_out(Planned::Append(Box::new(append.into()))).await?.number()
    }

    async fn load(&self, run_id: RunId) -> Result<Option<StoredRun>, JournalError> {
        self.tables.lock().await.load(run_id)
    }

    async fn runs(&self, status: Option<RunStatus>, limit: u32) -> Result<Vec<RunHeader>, JournalError> {
        Ok(self.tables.lock().await.headers(status, limit as usize))
    }

    async fn take_over(
        &self,
        owner: &str,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Claim>, JournalError> {
        let (owner, now, lease_until, with_own) = (owner.to_owned(), now.into(), lease_until.into(), true);
        let take_over = TakeOver { owner, now, lease_until, limit, with_own };
        Ok(self.tables.lock().await.take_over(&take_over))
    }

    async fn claim(
        &self,
        run_id: RunId,
        owner: &str,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<Claim>, JournalError> {
        let lease = TakeOver::one(owner, now.into(), lease_until.into());
        Ok(self.carry_out(Planned::Claim { run_id, lease }).await?.claims()?.pop())
    }

    async fn renew(&self, claims: &[Claim], lease_until: Timestamp) -> Result<Vec<RunId>, JournalError> {
        let (claims, lease_until) = (claims.to_owned(), lease_until.into());
        self.carry_out(Planned::Renew { claims, lease_until }).await?.lost()
    }

    async fn set_aside(&self, run_id: RunId, reason: &str) -> Result<(), JournalError> {
        self.carry_out(Planned::SetAside { run_id, reason: reason.to_owned() }).await?.done()
    }

    async fn order(&self, order: &RunOrder) -> Result<(), JournalError> {
        self.carry_out(Planned::Order(*order)).await?.done()
    }

    async fn orders(&self, owner: &str, limit: u32) -> Result<Vec<RunOrder>, JournalError> {
        Ok(self.tables.lock().await.orders(owner, limit as usize))
    }

    async fn prune(&self, ended_before: Timestamp, limit: u32) -> Result<u64, JournalError> {
        Ok(self.tables.lock().await.prune(Prune { ended_before: ended_before.into(), limit }))
    }

    async fn entity_state(&self, reducer: &str, entity: &str) -> Result<Option<EntityState>, JournalError> {
        self.tables.lock().await.entity_state(reducer, entity)
    }

    async fn outbox(&self, limit: u32) -> Result<Vec<OutboxMessage>, JournalError> {
        self.tables.lock().await.outbox(limit as usize)
    }

    async fn mark_published(&self, ids: &[Uuid]) -> Result<(), JournalError> {
        self.carry_out(Planned::MarkPublished(ids.to_owned())).await?.done()
    }

    async fn accept(&self, messages: &[InboxMessage]) -> Result<(), JournalError> {
        self.carry_out(Planned::Accept(messages.iter().cloned().map(Into::into).collect())).await?.done()
    }

    async fn inbox(&self, limit: u32) -> Result<Vec<InboxMessage>, JournalError> {
        Ok(self.tables.lock().await.inbox(limit as usize))
    }

    async fn forget(&self, ids: &[Uuid]) -> Result<(), JournalError> {
        self.carry_out(Planned::Forget(ids.to_owned())).await?.done()
    }
}

/// The clock of this store, as a database has one; it tells only when a contract was last saved.
#[expect(clippy::disallowed_methods, reason = "it stands for the clock of a database server")]
fn now() -> Timestamp {
    std::time::SystemTime::now().into()
}
