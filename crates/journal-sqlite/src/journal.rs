//! Decides which half answers a call: the writer task, which commits calls together, or the readers beside it.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use onex_journal::planning::{Answer, Counters, Demand, Request, Statistics, Store};
use onex_journal::{
    EntityState, InboxMessage, JournalError, JournalLimits, OutboxMessage, RunHeader, RunOrder, RunStatus, StoredRun,
};
use onex_node::RunId;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::error::Problem;
use crate::heads::Heads;
use crate::readers::Readers;
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
        Self::open_limited(path, JournalLimits::default()).await
    }

    /// Opens the journal at `path` with other limits than the usual.
    ///
    /// # Errors
    ///
    /// As [`SqliteJournal::open`].
    pub async fn open_limited(path: &Path, limits: JournalLimits) -> Result<Self, JournalError> {
        Self::open_with(path, file::writing(path), limits).await
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
    pub(crate) async fn open_with(
        path: &Path,
        options: SqliteConnectOptions,
        limits: JournalLimits,
    ) -> Result<Self, JournalError> {
        let lock = file::lock(path)?;
        Self::writing(path, options, limits, Some(lock)).await
    }

    /// Opens the journal at `path` beside the process that owns it, to leave it orders.
    ///
    /// # Contract
    ///
    /// [`onex_journal::Journal::order`] is the only write that is made: the owner holds the runs.
    ///
    /// # Errors
    ///
    /// There is no such file, it cannot be written, or it is no journal of this version.
    pub async fn open_for_orders(path: &Path) -> Result<Self, JournalError> {
        let options = file::writing(path).create_if_missing(false);
        Self::writing(path, options, JournalLimits::default(), None).await
    }

    async fn writing(
        path: &Path,
        options: SqliteConnectOptions,
        limits: JournalLimits,
        lock: Option<File>,
    ) -> Result<Self, JournalError> {
        let connection = file::connect(&options).await?;
        let (sender, requests) = mpsc::channel(QUEUE_LENGTH);
        let journal = Self::new(Some(sender), Readers::open(path).await?);
        let writer = Writer {
            options,
            connection: Some((connection, Heads::default())),
            requests,
            closing: journal.closing.clone(),
            limits,
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
}

impl Store for SqliteJournal {
    async fn submit(&self, demand: Demand) -> Result<Answer, JournalError> {
        let requests = self.requests.as_ref().ok_or_else(|| JournalError::unavailable(Problem::ReadOnly))?;
        let (reply, answer) = oneshot::channel();
        requests.send(Request { demand, reply }).await.map_err(|_| JournalError::unavailable(Problem::Closed))?;
        answer.await.unwrap_or_else(|_| Err(JournalError::unavailable(Problem::Closed)))
    }

    async fn contract(&self, fingerprint: &str) -> Result<Option<String>, JournalError> {
        read::contract(&mut *self.readers.reader().await?, fingerprint).await
    }

    async fn run(&self, run_id: RunId) -> Result<Option<StoredRun>, JournalError> {
        read::run(&mut *self.readers.reader().await?, run_id).await
    }

    async fn headers(&self, status: Option<RunStatus>, limit: u32) -> Result<Vec<RunHeader>, JournalError> {
        read::headers(&mut *self.readers.reader().await?, status, limit).await
    }

    async fn orders(&self, owner: &str, limit: u32) -> Result<Vec<RunOrder>, JournalError> {
        read::orders(&mut *self.readers.reader().await?, owner, limit).await
    }

    async fn entity_state(&self, reducer: &str, entity: &str) -> Result<Option<EntityState>, JournalError> {
        read::entity_state(&mut *self.readers.reader().await?, reducer, entity).await
    }

    async fn outbox(&self, limit: u32) -> Result<Vec<OutboxMessage>, JournalError> {
        read::outbox(&mut *self.readers.reader().await?, limit).await
    }

    async fn inbox(&self, limit: u32) -> Result<Vec<InboxMessage>, JournalError> {
        read::inbox(&mut *self.readers.reader().await?, limit).await
    }
}
