//! Decides which half answers a call: a committer, which commits calls together, or the readers beside it.

use std::sync::Arc;

use onex_journal::planning::{Answer, Counters, Demand, Planned, Request, Statistics, Store};
use onex_journal::{EntityState, InboxMessage, JournalError, OutboxMessage, RunHeader, RunOrder, RunStatus, StoredRun};
use onex_node::RunId;
use sqlx::PgPool;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::committer::Committer;
use crate::config::PostgresJournalConfig;
use crate::error::Problem;
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
        let (options, commit_options) = (config.options()?, config.commit_options()?);
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
                options: commit_options.clone(),
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

impl Store for PostgresJournal {
    async fn submit(&self, demand: Demand) -> Result<Answer, JournalError> {
        let demand = storable::storable(demand)?;
        let committer = &self.committers[subject(&demand) % self.committers.len()];
        let (reply, answer) = oneshot::channel();
        committer.send(Request { demand, reply }).await.map_err(|_| JournalError::unavailable(Problem::Closed))?;
        answer.await.unwrap_or_else(|_| Err(JournalError::unavailable(Problem::Closed)))
    }

    async fn contract(&self, fingerprint: &str) -> Result<Option<String>, JournalError> {
        read::contract(&self.readers, fingerprint).await
    }

    async fn run(&self, run_id: RunId) -> Result<Option<StoredRun>, JournalError> {
        read::run(&self.readers, run_id).await
    }

    async fn headers(&self, status: Option<RunStatus>, limit: u32) -> Result<Vec<RunHeader>, JournalError> {
        read::headers(&self.readers, status, limit).await
    }

    async fn orders(&self, owner: &str, limit: u32) -> Result<Vec<RunOrder>, JournalError> {
        read::orders(&self.readers, owner, limit).await
    }

    async fn entity_state(&self, reducer: &str, entity: &str) -> Result<Option<EntityState>, JournalError> {
        read::entity_state(&self.readers, reducer, entity).await
    }

    async fn outbox(&self, limit: u32) -> Result<Vec<OutboxMessage>, JournalError> {
        read::outbox(&self.readers, limit).await
    }

    async fn inbox(&self, limit: u32) -> Result<Vec<InboxMessage>, JournalError> {
        read::inbox(&self.readers, limit).await
    }
}
