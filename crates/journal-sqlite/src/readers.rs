//! Decides how many reads run at once and on which connections: a few, all opened with the journal.
//!
//! Not sqlx's pool, because that asks tokio's clock how long connecting takes. Under a paused clock, on which our
//! tests run, waiting for SQLite's threads counts as idleness, the clock leaps, and the pool gives up at once. A
//! file needs nothing else of what a pool does.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use onex_journal::JournalError;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};

use crate::error::{Problem, failed};
use crate::file;

/// How many reads run at once.
const READERS: usize = 3;

/// The connections that only read; none of them is there any more once they are closed.
#[derive(Debug)]
pub(crate) struct Readers {
    connections: Vec<Mutex<Option<SqliteConnection>>>,
    turn: AtomicUsize,
}

/// A connection in use.
pub(crate) type Reader<'a> = MappedMutexGuard<'a, SqliteConnection>;

impl Readers {
    pub(crate) async fn open(path: &Path) -> Result<Self, JournalError> {
        let options = file::reading(path);
        let mut connections = Vec::with_capacity(READERS);
        for _ in 0..READERS {
            connections.push(Mutex::new(Some(options.connect().await.map_err(failed)?)));
        }
        Ok(Self { connections, turn: AtomicUsize::new(0) })
    }

    /// A connection that is free, or the next in turn when it is.
    pub(crate) async fn reader(&self) -> Result<Reader<'_>, JournalError> {
        let free = self.connections.iter().find_map(|connection| connection.try_lock().ok());
        let connection = match free {
            Some(connection) => connection,
            None => self.connections[self.turn.fetch_add(1, Ordering::Relaxed) % READERS].lock().await,
        };
        MutexGuard::try_map(connection, Option::as_mut).map_err(|_| JournalError::unavailable(Problem::Closed))
    }

    /// Waits for the reads that run, refuses further ones, and closes the connections.
    pub(crate) async fn close(&self) {
        for connection in &self.connections {
            if let Some(connection) = connection.lock().await.take()
                && let Err(error) = connection.close().await
            {
                tracing::warn!(%error, "a connection that reads the journal was not closed cleanly");
            }
        }
    }
}
