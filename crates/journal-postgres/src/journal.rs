//! Decides which half answers a call: a committer, which commits calls together, or the readers beside it.

use std::sync::Arc;

use async_trait::async_trait;
use onex_journal::planning::{
    Answer, ContractRow, Counters, Demand, Planned, Prune, Query, Request, Statistics, TakeOver,
};
use onex_journal::{
    Append, Claim, EntityState, InboxMessage, Journal, JournalError, NewRun, OutboxMessage, RunHeader, RunOrder,
    RunStatus, StoredRun,
};
use onex_node::{RunId, Timestamp};
use sqlx::PgPool;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::committer::Committer;
use crate::config::PostgresJournalConfig;
use crate::error::{Problem, unavailable};
use crate::{database, read, storable};

/// How many requests may wait for a committer before callers wait to queue theirs.
const QUEUE_LENGTH: usize = 1024;

/// The journal in a PostgreSQL database that others may use at the same time.
///
/// # Contract
///
/// - A call whose future is dropped after it was queued is carried out all the same.
/// - Dropping the journal lets the committers finish what is queued in the background; [`PostgresJournal::close`]
///   waits for it.
#[derive(Debug)]
pub struct PostgresJournal {
    committers: Vec<mpsc::Sender<Request>>,
    readers: PgPool,
    counters: Arc<Counters>,
    closing: CancellationToken,
    tasks: TaskTracker,
}

impl PostgresJournal {
    /// Connects and brings the schema up to date as needed. Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// The URL cannot be read, the server cannot be reached or refuses, or [`JournalError::NewerSchema`].
    pub async fn open(config: PostgresJournalConfig) -> Result<Self, JournalError> {
        let options = config.options()?;
        database::prepare(&config).await?;
        let mut journal = Self {
            committers: Vec::new(),
            readers: database::readers(&config, &options),
            counters: Arc::default(),
            closing: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        for _ in 0..config.committers.max(1) {
            let (sender, requests) = mpsc::channel(QUEUE_LENGTH);
            journal.committers.push(sender);
            let committer = Committer {
                options: options.clone(),
                connect_timeout: config.connect_timeout,
                patience: config.patience(),
                connection: None,
                requests,
                closing: journal.closing.clone(),
                limits: config.limits,
                counters: Arc::clone(&journal.counters),
            };
            journal.tasks.spawn(committer.run());
        }
        Ok(journal)
    }

    /// Takes no more calls, waits for those that were made, and closes the connections. Closing twice is harmless.
    pub async fn close(&self) {
        self.closing.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.readers.close().await;
    }

    /// What the committers did so far.
    pub fn statistics(&self) -> Statistics {
        self.counters.read()
    }

    async fn plan(&self, demand: Planned) -> Result<Answer, JournalError> {
        self.submit(Demand::Planned(demand)).await
    }

    async fn submit(&self, demand: Demand) -> Result<Answer, JournalError> {
        storable::check(&demand)?;
        let committer = &self.committers[subject(&demand) % self.committers.len()];
        let (reply, answer) = oneshot::channel();
        committer.send(Request { demand, reply }).await.map_err(|_| unavailable(Problem::Closed))?;
        answer.await.unwrap_or_else(|_| Err(unavailable(Problem::Closed)))
    }
}

/// A number for what a demand is about, the same for all demands about one run.
fn subject(demand: &Demand) -> usize {
    let id = match demand {
        Demand::Planned(Planned::MarkPublished(ids) | Planned::Forget(ids)) => ids.first().copied(),
        Demand::Planned(Planned::Accept(messages)) => messages.first().map(|message| message.0),
        Demand::Planned(planned) => planned.run_ids().first().map(|run_id| run_id.0),
        Demand::Query(_) => None,
    };
    let folded = id.map_or(0, |id| id.as_u64_pair().0 ^ id.as_u64_pair().1);
    (folded ^ (folded >> 32)) as usize & 0xffff
}

#[async_trait]
impl Journal for PostgresJournal {
    async fn save_contract(&self, fingerprint: &str, canonical: &str) -> Result<(), JournalError> {
        let contract = ContractRow(fingerprint.to_owned(), canonical.to_owned());
        self.plan(Planned::SaveContract(contract)).await?.done()
    }

    async fn contract(&self, fingerprint: &str) -> Result<Option<String>, JournalError> {
        read::contract(&self.readers, fingerprint).await
    }

    async fn start(&self, run: NewRun) -> Result<u64, JournalError> {
        self.plan(Planned::Start(Box::new(run.into()))).await?.number()
    }

    async fn append(&self, append: Append) -> Result<u64, JournalError> {
        self.plan(Planned::Append(Box::new(append.into()))).await?.number()
    }

    async fn load(&self, run_id: RunId) -> Result<Option<StoredRun>, JournalError> {
        read::run(&self.readers, run_id).await
    }

    async fn runs(&self, status: Option<RunStatus>, limit: u32) -> Result<Vec<RunHeader>, JournalError> {
        read::headers(&self.readers, status, limit).await
    }

    async fn take_over(
        &self,
        owner: &str,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Claim>, JournalError> {
        let take_over = TakeOver { owner: owner.to_owned(), now: now.into(), lease_until: lease_until.into(), limit };
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
        Ok(self.plan(Planned::Claim { run_id, lease }).await?.claims()?.pop())
    }

    async fn renew(&self, claims: &[Claim], lease_until: Timestamp) -> Result<Vec<RunId>, JournalError> {
        let (claims, lease_until) = (claims.to_owned(), lease_until.into());
        self.plan(Planned::Renew { claims, lease_until }).await?.lost()
    }

    async fn set_aside(&self, run_id: RunId, reason: &str) -> Result<(), JournalError> {
        // The reason may quote anything; a mark in place of what cannot be kept is better than no reason.
        let reason = reason.replace('\0', "\u{fffd}");
        self.plan(Planned::SetAside { run_id, reason }).await?.done()
    }

    async fn order(&self, order: &RunOrder) -> Result<(), JournalError> {
        self.plan(Planned::Order(*order)).await?.done()
    }

    async fn orders(&self, owner: &str, limit: u32) -> Result<Vec<RunOrder>, JournalError> {
        read::orders(&self.readers, owner, limit).await
    }

    async fn prune(&self, ended_before: Timestamp, limit: u32) -> Result<u64, JournalError> {
        let prune = Prune { ended_before: ended_before.into(), limit };
        self.submit(Demand::Query(Query::Prune(prune))).await?.number()
    }

    async fn entity_state(&self, reducer: &str, entity: &str) -> Result<Option<EntityState>, JournalError> {
        read::entity_state(&self.readers, reducer, entity).await
    }

    async fn outbox(&self, limit: u32) -> Result<Vec<OutboxMessage>, JournalError> {
        read::outbox(&self.readers, limit).await
    }

    async fn mark_published(&self, ids: &[Uuid]) -> Result<(), JournalError> {
        self.plan(Planned::MarkPublished(ids.to_owned())).await?.done()
    }

    async fn accept(&self, messages: &[InboxMessage]) -> Result<(), JournalError> {
        self.plan(Planned::Accept(messages.iter().cloned().map(Into::into).collect())).await?.done()
    }

    async fn inbox(&self, limit: u32) -> Result<Vec<InboxMessage>, JournalError> {
        read::inbox(&self.readers, limit).await
    }

    async fn forget(&self, ids: &[Uuid]) -> Result<(), JournalError> {
        self.plan(Planned::Forget(ids.to_owned())).await?.done()
    }
}
