//! Decides which requests share a commit: all that are queued when the last commit is done. Nobody waits for
//! company. A lone caller's request is committed at once, and while that is flushed the next batch gathers, so
//! batches grow with the load by themselves.

use std::fs::File;
use std::sync::Arc;

use onex_journal::JournalLimits;
use onex_journal::planning::{Counters, Request, batch_length};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::mpsc;
use tokio::task;
use tokio_util::sync::CancellationToken;

use crate::batch::Batch;
use crate::heads::Heads;

/// Most requests in one transaction.
const BATCH_LIMIT: usize = 512;

/// Most bytes in one transaction, as far as it has more than one request.
const BATCH_BYTES: usize = 16 * 1024 * 1024;

/// The one task that writes. It ends when the journal is closed or dropped, after what was queued by then.
pub(crate) struct Writer {
    /// How to open the file again.
    pub(crate) options: SqliteConnectOptions,
    /// None after a failure: what became of that connection's transaction is not certain.
    pub(crate) connection: Option<(SqliteConnection, Heads)>,
    /// What is to be done.
    pub(crate) requests: mpsc::Receiver<Request>,
    /// Cancelled when nothing more is to be queued.
    pub(crate) closing: CancellationToken,
    /// What runs may write.
    pub(crate) limits: JournalLimits,
    /// What is counted.
    pub(crate) counters: Arc<Counters>,
    /// Keeps other processes out as long as this one may write.
    pub(crate) lock: Option<File>,
}

impl Writer {
    pub(crate) async fn run(mut self) {
        let mut queue = Vec::with_capacity(BATCH_LIMIT);
        while self.receive(&mut queue).await {
            while !queue.is_empty() {
                let rest = queue.split_off(batch_length(&queue, BATCH_BYTES));
                self.commit(std::mem::replace(&mut queue, rest)).await;
            }
        }
        if let Some((connection, _)) = self.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the journal was not closed cleanly");
        }
        drop(self.lock);
    }

    /// Waits for requests and takes all there are, up to the limit. False when there will be no more.
    async fn receive(&mut self, queue: &mut Vec<Request>) -> bool {
        loop {
            tokio::select! {
                biased;
                () = self.closing.cancelled(), if !self.requests.is_closed() => self.requests.close(),
                received = self.requests.recv_many(queue, BATCH_LIMIT) => return received > 0,
            }
        }
    }

    async fn commit(&mut self, requests: Vec<Request>) {
        let count = requests.len();
        let mut batch = Batch::new(requests, self.limits);
        let outcome = self.try_commit(&mut batch).await.map_err(Arc::new);
        self.counters.count(count, outcome.is_ok());
        if let Err(error) = &outcome {
            self.connection = None;
            tracing::error!(%error, requests = count, "a journal transaction failed");
        }
        batch.settle(outcome.as_ref().map(|&()| ()));
        // Whoever was just answered may have more to write: let them queue it first, or they miss every second commit.
        task::yield_now().await;
    }

    async fn try_commit(&mut self, batch: &mut Batch) -> Result<(), sqlx::Error> {
        let (connection, heads) = match &mut self.connection {
            Some(connected) => connected,
            none => none.insert((self.options.connect().await?, Heads::default())),
        };
        batch.commit(connection, heads).await
    }
}
