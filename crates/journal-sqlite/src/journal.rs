//! Decides which half answers a call: the writer task, which commits calls together, or the readers beside it.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use onex_journal::{
    Append, Claim, EntityState, InboxMessage, Journal, JournalError, NewRun, OutboxMessage, RunHeader, RunStatus,
    StoredRun,
};
use onex_node::{RunId, Timestamp};
use sqlx::sqlite::SqliteConnectOptions;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::error::{Problem, unavailable};
use crate::readers::Readers;
use crate::request::{AppendRows, Planned, Reply, Request, TakeOver};
use crate::row::{ContractRow, MessageRow};
use crate::statistics::{Counters, Statistics};
use crate::writer::Writer;
use crate::{file, read};

/// How many requests may wait for the writer before callers wait to queue theirs.
const QUEUE_LENGTH: usize = 1024;

/// The journal in one SQLite file.
///
/// # Contract
///
/// - A call whose future is dropped after it was queued is carried out all the same.
/// - Dropping the journal lets the writer finish what is queued in the background; [`SqliteJournal::close`] waits
///   for it.
/// - Times come back in whole microseconds.
#[derive(Debug)]
pub struct SqliteJournal {
    requests: Option<mpsc::Sender<Request>>,
    readers: Readers,
    counters: Arc<Counters>,
    closing: CancellationToken,
    tasks: TaskTracker,
}

impl SqliteJournal {
    /// Opens the journal at `path`, creating it and bringing its schema up to date as needed. Must be called
    /// within a tokio runtime.
    ///
    /// # Errors
    ///
    /// Another process has it open, the file cannot be written, or it is no journal of this or an earlier version.
    pub async fn open(path: &Path) -> Result<Self, JournalError> {
        Self::open_with(path, file::writing(path)).await
    }

    /// Opens the journal at `path` for reading, also while another process writes it. Every write is refused.
    ///
    /// # Errors
    ///
    /// There is no such file or it cannot be read.
    pub async fn open_read_only(path: &Path) -> Result<Self, JournalError> {
        Ok(Self::new(None, Readers::open(path).await?))
    }

    /// Takes no more calls, waits for those that were made, and closes the file. Closing twice is harmless.
    pub async fn close(&self) {
        self.readers.close().await;
        self.closing.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// What the writer did so far.
    pub fn statistics(&self) -> Statistics {
        self.counters.read()
    }

    /// Opens with other options for the connection that writes.
    pub(crate) async fn open_with(path: &Path, options: SqliteConnectOptions) -> Result<Self, JournalError> {
        let lock = file::lock(path)?;
        let connection = file::connect(&options).await?;
        let (sender, requests) = mpsc::channel(QUEUE_LENGTH);
        let journal = Self::new(Some(sender), Readers::open(path).await?);
        let writer = Writer {
            options,
            connection: Some(connection),
            requests,
            closing: journal.closing.clone(),
            counters: Arc::clone(&journal.counters),
            lock,
        };
        journal.tasks.spawn(writer.run());
        Ok(journal)
    }

    fn new(requests: Option<mpsc::Sender<Request>>, readers: Readers) -> Self {
        Self {
            requests,
            readers,
            counters: Arc::default(),
            closing: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }
    }

    async fn plan<T>(&self, request: impl FnOnce(Reply<T>) -> Planned) -> Result<T, JournalError> {
        self.submit(|reply| Request::Planned(request(reply))).await
    }

    async fn submit<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, JournalError> {
        let requests = self.requests.as_ref().ok_or_else(|| unavailable(Problem::ReadOnly))?;
        let (reply, answer) = oneshot::channel();
        requests.send(request(reply)).await.map_err(|_| unavailable(Problem::Closed))?;
        answer.await.unwrap_or_else(|_| Err(unavailable(Problem::Closed)))
    }
}

#[async_trait]
impl Journal for SqliteJournal {
    async fn save_contract(&self, fingerprint: &str, canonical: &str) -> Result<(), JournalError> {
        let contract = ContractRow(fingerprint.to_owned(), canonical.to_owned());
        self.plan(|reply| Planned::SaveContract { contract, reply }).await
    }

    async fn contract(&self, fingerprint: &str) -> Result<Option<String>, JournalError> {
        read::contract(&mut *self.readers.reader().await?, fingerprint).await
    }

    async fn start(&self, run: NewRun) -> Result<u64, JournalError> {
        let run = Box::new(run.into());
        self.plan(|reply| Planned::Start { run, reply }).await
    }

    async fn append(&self, append: Append) -> Result<u64, JournalError> {
        let append = Box::new(AppendRows::from(append));
        self.plan(|reply| Planned::Append { append, reply }).await
    }

    async fn load(&self, run_id: RunId) -> Result<Option<StoredRun>, JournalError> {
        read::run(&mut *self.readers.reader().await?, run_id).await
    }

    async fn runs(&self, status: Option<RunStatus>, limit: u32) -> Result<Vec<RunHeader>, JournalError> {
        read::headers(&mut *self.readers.reader().await?, status, limit).await
    }

    async fn take_over(
        &self,
        owner: &str,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Claim>, JournalError> {
        let take_over = TakeOver { owner: owner.to_owned(), now: now.into(), lease_until: lease_until.into(), limit };
        self.submit(|reply| Request::TakeOver { take_over, reply }).await
    }

    async fn renew(&self, claims: &[Claim], lease_until: Timestamp) -> Result<Vec<RunId>, JournalError> {
        let claims = claims.to_owned();
        self.plan(|reply| Planned::Renew { claims, lease_until: lease_until.into(), reply }).await
    }

    async fn set_aside(&self, run_id: RunId, reason: &str) -> Result<(), JournalError> {
        let reason = reason.to_owned();
        self.plan(|reply| Planned::SetAside { run_id, reason, reply }).await
    }

    async fn entity_state(&self, reducer: &str, entity: &str) -> Result<Option<EntityState>, JournalError> {
        read::entity_state(&mut *self.readers.reader().await?, reducer, entity).await
    }

    async fn outbox(&self, limit: u32) -> Result<Vec<OutboxMessage>, JournalError> {
        read::outbox(&mut *self.readers.reader().await?, limit).await
    }

    async fn mark_published(&self, ids: &[Uuid]) -> Result<(), JournalError> {
        let ids = ids.to_owned();
        self.plan(|reply| Planned::MarkPublished { ids, reply }).await
    }

    async fn accept(&self, messages: &[InboxMessage]) -> Result<(), JournalError> {
        let messages = messages.iter().cloned().map(MessageRow::from).collect();
        self.plan(|reply| Planned::Accept { messages, reply }).await
    }

    async fn inbox(&self, limit: u32) -> Result<Vec<InboxMessage>, JournalError> {
        read::inbox(&mut *self.readers.reader().await?, limit).await
    }

    async fn forget(&self, ids: &[Uuid]) -> Result<(), JournalError> {
        let ids = ids.to_owned();
        self.plan(|reply| Planned::Forget { ids, reply }).await
    }
}
