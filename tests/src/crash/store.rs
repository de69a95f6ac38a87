//! Where the journals of trials are: for each a file, or a database that others have used before.
//!
//! To make the tables anew for every trial takes longer than to die, so a file is a copy of an empty journal, and a
//! database is emptied.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use onex_journal_postgres::{PostgresJournal, PostgresJournalConfig};
use onex_journal_sqlite::SqliteJournal;
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

use crate::invariants::Snapshot;
use crate::process::{Database, PrivateServer, block_on};

/// Where journals come from.
pub enum Store {
    /// Files, each a copy of the one in this directory.
    Sqlite(TempDir),
    /// Databases that nobody uses now, and the server they are in, which outlives them.
    Postgres(Mutex<Vec<Database>>, PrivateServer),
}

/// Journals are of this name in their directories.
const FILE: &str = "journal.db";

impl Store {
    /// Files.
    pub fn sqlite() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(FILE);
        block_on(async { SqliteJournal::open(&path).await.expect("it opens").close().await });
        Self::Sqlite(directory)
    }

    /// Databases in a server of their own.
    pub fn postgres() -> Self {
        Self::Postgres(Mutex::default(), PrivateServer::trusting())
    }

    pub(super) fn lend(&self, directory: &Path) -> Lent<'_> {
        match self {
            Self::Sqlite(empty) => {
                let path = directory.join(FILE);
                std::fs::copy(empty.path().join(FILE), &path).expect("a journal");
                Lent::Sqlite(path)
            }
            Self::Postgres(idle, server) => {
                let database = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let database = database.unwrap_or_else(|| with_tables(&server.url));
                empty(&database);
                Lent::Postgres(Some(database), idle)
            }
        }
    }
}

fn with_tables(server: &str) -> Database {
    let database = Database::within(server.to_owned());
    let config = PostgresJournalConfig::new(database.url.clone().into());
    block_on(async { PostgresJournal::open(config).await.expect("it opens").close().await });
    database
}

fn empty(database: &Database) {
    block_on(async {
        let mut connection = PgConnection::connect(&database.url).await.expect("the test server answers");
        sqlx::query(EMPTY).execute(&mut connection).await.expect("it does as told");
        connection.close().await.expect("closable");
    });
}

const EMPTY: &str = "TRUNCATE onex_contracts, onex_runs, onex_records, onex_entity_states, onex_orders, onex_outbox, \
    onex_inbox";

/// A journal for one trial; a database goes back when it is over.
pub(super) enum Lent<'a> {
    Sqlite(PathBuf),
    Postgres(Option<Database>, &'a Mutex<Vec<Database>>),
}

impl Lent<'_> {
    /// How a process is told of it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Sqlite(path) => path.display().to_string(),
            Self::Postgres(database, _) => database.as_ref().expect("it is not over").url.clone(),
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        match self {
            Self::Sqlite(path) => Snapshot::of_sqlite(path),
            Self::Postgres(..) => Snapshot::of_postgres(&self.name()),
        }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Self::Postgres(database, idle) = self {
            idle.lock().unwrap_or_else(PoisonError::into_inner).extend(database.take());
        }
    }
}
