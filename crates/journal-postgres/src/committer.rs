//! Decides which requests share a commit: all that are queued when the last commit is done. Nobody waits for company.
//! A lone caller's request is committed at once, and while that is under way the next batch gathers, so batches
//! grow with the load by themselves.
//!
//! There are a few committers, each with a connection: while one waits for the server's disk, another's statement is
//! executed. Requests about one run go to one committer, so committers of one process do not wait for each other.

use std::sync::Arc;
use std::time::Duration;

use onex_journal::planning::{Counters, Request, batch_length};
use onex_journal::{JournalError, JournalLimits};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection};
use tokio::sync::mpsc;
use tokio::task;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::batch::{self, Answers};
use crate::database;
use crate::error::{Meaning, Problem, meaning, shared_failure};

/// Most requests in one commit.
const BATCH_LIMIT: usize = 512;

/// Most bytes in one commit, as far as it has more than one request.
const BATCH_BYTES: usize = 16 * 1024 * 1024;

/// A task that commits. It ends when the journal is closed or dropped, after what was queued by then.
pub(crate) struct Committer {
    /// How to connect.
    pub(crate) options: PgConnectOptions,
    /// How long connecting may take.
    pub(crate) connect_timeout: Duration,
    /// How long a commit may take.
    pub(crate) patience: Duration,
    /// None at first, and after a failure: what became of that connection's statement is not certain.
    pub(crate) connection: Option<PgConnection>,
    /// What is to be done.
    pub(crate) requests: mpsc::Receiver<Request>,
    /// Cancelled when nothing more is to be queued.
    pub(crate) closing: CancellationToken,
    /// What runs may write.
    pub(crate) limits: JournalLimits,
    /// What is counted.
    pub(crate) counters: Arc<Counters>,
}

/// Why nothing of a batch was answered.
enum Failure {
    /// There is no connection.
    Unreachable(JournalError),
    /// The server refused it or was lost.
    Failed(Arc<sqlx::Error>),
    /// The server did not answer.
    Silent,
}

impl Committer {
    pub(crate) async fn run(mut self) {
        let mut queue = Vec::with_capacity(BATCH_LIMIT);
        while self.receive(&mut queue).await {
            while !queue.is_empty() {
                let rest = queue.split_off(batch_length(&queue, BATCH_BYTES));
                self.commit(std::mem::replace(&mut queue, rest)).await;
            }
        }
        if let Some(connection) = self.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "a connection of the journal was not closed cleanly");
        }
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
        match self.try_commit(&requests).await {
            Ok(answers) => requests.into_iter().zip(answers).for_each(|(request, answer)| request.answer(answer)),
            Err(failure) if requests.len() > 1 && failure.is_about_a_request() => self.commit_apart(requests).await,
            Err(failure) => answer_failure(requests, &failure),
        }
        // Whoever was just answered may have more to write: let them queue it first, or they miss every second commit.
        task::yield_now().await;
    }

    /// One of the requests cannot be carried out; its neighbours can.
    async fn commit_apart(&mut self, requests: Vec<Request>) {
        for request in requests {
            match self.try_commit(std::slice::from_ref(&request)).await {
                Ok(mut answers) => {
                    if let Some(answer) = answers.pop() {
                        request.answer(answer);
                    }
                }
                Err(failure) => answer_failure(vec![request], &failure),
            }
        }
    }

    async fn try_commit(&mut self, requests: &[Request]) -> Result<Answers, Failure> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let connecting = database::connect(&self.options, self.connect_timeout);
                connecting.await.map_err(Failure::Unreachable)?
            }
        };
        let outcome = match timeout(self.patience, batch::commit(&mut connection, requests, self.limits)).await {
            Ok(outcome) => outcome.map_err(|error| Failure::Failed(Arc::new(error))),
            Err(_) => Err(Failure::Silent),
        };
        self.counters.count(requests.len(), outcome.is_ok());
        if outcome.as_ref().err().is_none_or(Failure::is_about_a_request) {
            self.connection = Some(connection);
        }
        outcome
    }
}

impl Failure {
    fn is_about_a_request(&self) -> bool {
        matches!(self, Self::Failed(error) if meaning(error) != Meaning::Lost)
    }
}

fn answer_failure(requests: Vec<Request>, failure: &Failure) {
    let count = requests.len();
    match failure {
        Failure::Unreachable(error) => tracing::error!(%error, requests = count, "the journal cannot be reached"),
        Failure::Failed(error) => tracing::error!(%error, requests = count, "a journal transaction failed"),
        Failure::Silent => tracing::error!(requests = count, "the journal does not answer"),
    }
    requests.into_iter().for_each(|request| request.answer(Err(failure.error())));
}

impl Failure {
    fn error(&self) -> JournalError {
        match self {
            Self::Unreachable(error) => JournalError::unavailable(Unreachable(told(error))),
            Self::Failed(error) => shared_failure(error),
            Self::Silent => JournalError::unavailable(Problem::NoAnswer),
        }
    }
}

/// Why there is no connection, for each of those who needed it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unreachable(String);

fn told(error: &JournalError) -> String {
    let cause = std::error::Error::source(error);
    cause.map_or_else(|| error.to_string(), ToString::to_string)
}
