//! Decides how a journal is opened for one figure, and what it tells of its own work.

use std::sync::Arc;

use anyhow::{Context, Result};
use clap::ValueEnum;
use onex_journal::{Journal, MemoryJournal};
use onex_journal_postgres::{PostgresJournal, PostgresJournalConfig};
use onex_journal_sqlite::SqliteJournal;
use sqlx::{Connection, Executor, PgConnection};

use crate::{Place, process};

/// The database that is made for each figure.
const DATABASE: &str = "onex_bench";

/// Which journal.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Kind {
    Memory,
    Sqlite,
    Postgres,
}

impl Kind {
    /// Its name in rows.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// An open journal.
pub(crate) enum Opened {
    Memory(Arc<MemoryJournal>),
    Sqlite(Arc<SqliteJournal>),
    /// The second connection only asks the server how much it wrote.
    Postgres(Arc<PostgresJournal>, PgConnection),
}

/// What was flushed and written so far.
#[derive(Clone, Copy)]
pub(crate) struct Written {
    pub(crate) flushes: u64,
    pub(crate) bytes: u64,
}

impl Opened {
    /// An empty journal.
    pub(crate) async fn empty(place: &Place) -> Result<Self> {
        match place.journal {
            Kind::Memory => Ok(Self::Memory(Arc::new(MemoryJournal::new()))),
            Kind::Sqlite => {
                let journal = SqliteJournal::open(&place.directory.join("journal.db")).await?;
                Ok(Self::Sqlite(Arc::new(journal)))
            }
            Kind::Postgres => {
                let (url, beside) = fresh_database(place).await?;
                let journal = PostgresJournal::open(PostgresJournalConfig::new(url.into())).await?;
                Ok(Self::Postgres(Arc::new(journal), beside))
            }
        }
    }

    /// For a worker.
    pub(crate) fn journal(&self) -> Arc<dyn Journal> {
        match self {
            Self::Memory(journal) => Arc::clone(journal) as Arc<dyn Journal>,
            Self::Sqlite(journal) => Arc::clone(journal) as Arc<dyn Journal>,
            Self::Postgres(journal, _) => Arc::clone(journal) as Arc<dyn Journal>,
        }
    }

    /// What it wrote since it was opened.
    pub(crate) async fn written(&mut self) -> Result<Written> {
        Ok(match self {
            Self::Memory(_) => Written { flushes: 0, bytes: 0 },
            Self::Sqlite(journal) => Written { flushes: journal.statistics().commits, bytes: process::written_bytes() },
            Self::Postgres(journal, beside) => {
                Written { flushes: journal.statistics().commits, bytes: log_position(beside).await? }
            }
        })
    }

    /// Finishes what is queued.
    pub(crate) async fn close(&self) {
        match self {
            Self::Memory(_) => {}
            Self::Sqlite(journal) => journal.close().await,
            Self::Postgres(journal, _) => journal.close().await,
        }
    }
}

/// An empty database on the server, and a connection to it.
async fn fresh_database(place: &Place) -> Result<(String, PgConnection)> {
    let url = place.postgres_url.as_deref().context("no database is named")?;
    let mut server = PgConnection::connect(url).await?;
    server.execute("DROP DATABASE IF EXISTS onex_bench WITH (FORCE)").await?;
    server.execute("CREATE DATABASE onex_bench").await?;
    let (server, _) = url.rsplit_once('/').context("the URL names no database")?;
    let url = format!("{server}/{DATABASE}");
    let beside = PgConnection::connect(&url).await?;
    Ok((url, beside))
}

/// Bytes in the server's log so far.
async fn log_position(connection: &mut PgConnection) -> Result<u64> {
    let position = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint";
    let bytes: i64 = sqlx::query_scalar(position).fetch_one(connection).await?;
    Ok(u64::try_from(bytes)?)
}
