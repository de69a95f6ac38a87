//! Decides how the calls of a [`Journal`] become demands, once for every journal that has them planned.

use std::future::Future;

use async_trait::async_trait;
use onex_node::{RunId, Timestamp};
use uuid::Uuid;

use super::request::{Answer, Demand, Planned, Prune, Query, TakeOver};
use super::row::ContractRow;
use crate::{
    Append, Claim, EntityState, InboxMessage, Journal, JournalError, NewRun, OutboxMessage, RunHeader, RunOrder,
    RunStatus, StoredRun,
};

/// Where rows are kept. Whoever implements it is a [`Journal`], and each of these promises what the journal's call
/// of that name does.
pub trait Store: Send + Sync {
    /// Carries a demand out, together with others as it may be, and answers after the commit.
    fn submit(&self, demand: Demand) -> impl Future<Output = Result<Answer, JournalError>> + Send;

    /// See [`Journal::contract`].
    fn contract(&self, fingerprint: &str) -> impl Future<Output = Result<Option<String>, JournalError>> + Send;

    /// See [`Journal::load`].
    fn run(&self, run_id: RunId) -> impl Future<Output = Result<Option<StoredRun>, JournalError>> + Send;

    /// See [`Journal::runs`].
    fn headers(
        &self,
        status: Option<RunStatus>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<RunHeader>, JournalError>> + Send;

    /// See [`Journal::orders`].
    fn orders(&self, owner: &str, limit: u32) -> impl Future<Output = Result<Vec<RunOrder>, JournalError>> + Send;

    /// See [`Journal::entity_state`].
    fn entity_state(
        &self,
        reducer: &str,
        entity: &str,
    ) -> impl Future<Output = Result<Option<EntityState>, JournalError>> + Send;

    /// See [`Journal::outbox`].
    fn outbox(&self, limit: u32) -> impl Future<Output = Result<Vec<OutboxMessage>, JournalError>> + Send;

    /// See [`Journal::inbox`].
    fn inbox(&self, limit: u32) -> impl Future<Output = Result<Vec<InboxMessage>, JournalError>> + Send;
}

fn plan<S: Store>(store: &S, demand: Planned) -> impl Future<Output = Result<Answer, JournalError>> + Send {
    store.submit(Demand::Planned(demand))
}

#[async_trait]
impl<S: Store> Journal for S {
    async fn save_contract(&self, fingerprint: &str, canonical: &str) -> Result<(), JournalError> {
        let contract = ContractRow(fingerprint.to_owned(), canonical.to_owned());
        plan(self, Planned::SaveContract(contract)).await?.done()
    }

    async fn contract(&self, fingerprint: &str) -> Result<Option<String>, JournalError> {
        Store::contract(self, fingerprint).await
    }

    async fn start(&self, run: NewRun) -> Result<u64, JournalError> {
        plan(self, Planned::Start(Box::new(run.into()))).await?.number()
    }

    async fn append(&self, append: Append) -> Result<u64, JournalError> {
        plan(self, Planned::Append(Box::new(append.into()))).await?.number()
    }

    async fn load(&self, run_id: RunId) -> Result<Option<StoredRun>, JournalError> {
        self.run(run_id).await
    }

    async fn runs(&self, status: Option<RunStatus>, limit: u32) -> Result<Vec<RunHeader>, JournalError> {
        self.headers(status, limit).await
    }

    async fn take_over(
        &self,
        owner: &str,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Claim>, JournalError> {
        let lease = TakeOver::one(owner, now.into(), lease_until.into());
        let take_over = TakeOver { limit, with_own: true, ..lease };
        self.submit(Demand::Query(Query::TakeOver(take_over))).await?.claims()
    }

    async fn take_over_expired(
        &self,
        owner: &str,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Claim>, JournalError> {
        let lease = TakeOver::one(owner, now.into(), lease_until.into());
        let take_over = TakeOver { limit, with_own: false, ..lease };
        self.submit(Demand::Query(Query::TakeOver(take_over))).await?.claims()
    }

    async fn claim(
        &self,
        run_id: RunId,
        owner: &str,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<Claim>, JournalError> {
        let lease = TakeOver::one(owner, now.into(), lease_until.into());
        Ok(plan(self, Planned::Claim { run_id, lease }).await?.claims()?.pop())
    }

    async fn renew(&self, claims: &[Claim], lease_until: Timestamp) -> Result<Vec<RunId>, JournalError> {
        let (claims, lease_until) = (claims.to_owned(), lease_until.into());
        plan(self, Planned::Renew { claims, lease_until }).await?.lost()
    }

    async fn set_aside(&self, run_id: RunId, reason: &str) -> Result<(), JournalError> {
        plan(self, Planned::SetAside { run_id, reason: reason.to_owned() }).await?.done()
    }

    async fn order(&self, order: &RunOrder) -> Result<(), JournalError> {
        plan(self, Planned::Order(*order)).await?.done()
    }

    async fn orders(&self, owner: &str, limit: u32) -> Result<Vec<RunOrder>, JournalError> {
        Store::orders(self, owner, limit).await
    }

    async fn prune(&self, ended_before: Timestamp, limit: u32) -> Result<u64, JournalError> {
        let prune = Prune { ended_before: ended_before.into(), limit };
        self.submit(Demand::Query(Query::Prune(prune))).await?.number()
    }

    async fn entity_state(&self, reducer: &str, entity: &str) -> Result<Option<EntityState>, JournalError> {
        Store::entity_state(self, reducer, entity).await
    }

    async fn outbox(&self, limit: u32) -> Result<Vec<OutboxMessage>, JournalError> {
        Store::outbox(self, limit).await
    }

    async fn mark_published(&self, ids: &[Uuid]) -> Result<(), JournalError> {
        plan(self, Planned::MarkPublished(ids.to_owned())).await?.done()
    }

    async fn accept(&self, messages: &[InboxMessage]) -> Result<(), JournalError> {
        plan(self, Planned::Accept(messages.iter().cloned().map(Into::into).collect())).await?.done()
    }

    async fn inbox(&self, limit: u32) -> Result<Vec<InboxMessage>, JournalError> {
        Store::inbox(self, limit).await
    }

    async fn forget(&self, ids: &[Uuid]) -> Result<(), JournalError> {
        plan(self, Planned::Forget(ids.to_owned())).await?.done()
    }
}
