//! Decides how keys are remembered: one line per key with what it did and what it took the place of.
//!
//! The lines of one entry form a chain, each holding its predecessor's entry. An undo takes a line
//! out of the chain: the last line's `replaced` goes back into the table, any other's goes to the
//! line after it, so that undoing in either order ends in the same place.

use onex_effect::AppliedOutcome;
use onex_node::{Failure, IdempotencyKey};
use sqlx::SqliteConnection;

use crate::failure::{failure, unreadable};

/// The statements of one history table.
pub(crate) struct History {
    pub(crate) seen: &'static str,
    pub(crate) record: &'static str,
    pub(crate) find: &'static str,
    pub(crate) after: &'static str,
    pub(crate) relink: &'static str,
    pub(crate) forget: &'static str,
}

/// What a key changed.
#[derive(sqlx::FromRow)]
pub(crate) struct Line {
    pub(crate) id: i64,
    pub(crate) replaced: Option<String>,
}

impl History {
    /// What the key did, when it was used.
    pub(crate) async fn seen(
        &self,
        connection: &mut SqliteConnection,
        key: &IdempotencyKey,
    ) -> Result<Option<AppliedOutcome>, Failure> {
        let action: Option<String> = sqlx::query_scalar(self.seen)
            .bind(key.as_str())
            .fetch_optional(connection)
            .await
            .map_err(|error| failure("looking for the idempotency key", &error))?;
        let outcome = |action: String| AppliedOutcome::from_word(&action).ok_or_else(|| unreadable("history"));
        action.map(outcome).transpose()
    }

    /// Remembers what the key did to the entry `id`; `replaced` is JSON.
    pub(crate) async fn record(
        &self,
        connection: &mut SqliteConnection,
        id: &str,
        key: &IdempotencyKey,
        outcome: AppliedOutcome,
        replaced: Option<String>,
    ) -> Result<(), Failure> {
        let query = sqlx::query(self.record).bind(id).bind(key.as_str()).bind(outcome.as_str()).bind(replaced);
        query.execute(connection).await.map_err(|error| failure("writing the history", &error))?;
        Ok(())
    }

    /// The line in which the key changed the entry `id`.
    pub(crate) async fn find(
        &self,
        connection: &mut SqliteConnection,
        id: &str,
        key: &IdempotencyKey,
    ) -> Result<Option<Line>, Failure> {
        let query = sqlx::query_as(self.find).bind(id).bind(key.as_str());
        query.fetch_optional(connection).await.map_err(|error| failure("reading the history", &error))
    }

    /// The next line that changed the entry `id`, after `line`.
    pub(crate) async fn after(
        &self,
        connection: &mut SqliteConnection,
        id: &str,
        line: &Line,
    ) -> Result<Option<i64>, Failure> {
        let query = sqlx::query_scalar(self.after).bind(id).bind(line.id);
        query.fetch_optional(connection).await.map_err(|error| failure("reading the history", &error))
    }

    /// Hands what `line` had replaced to the line `after` it.
    pub(crate) async fn relink(
        &self,
        connection: &mut SqliteConnection,
        line: &Line,
        after: i64,
    ) -> Result<(), Failure> {
        let query = sqlx::query(self.relink).bind(&line.replaced).bind(after);
        query.execute(connection).await.map_err(|error| failure("writing the history", &error))?;
        Ok(())
    }

    /// Forgets a key; its line stays, marked as undone.
    pub(crate) async fn forget(&self, connection: &mut SqliteConnection, key: &IdempotencyKey) -> Result<(), Failure> {
        let query = sqlx::query(self.forget).bind(key.as_str());
        query.execute(connection).await.map_err(|error| failure("writing the history", &error))?;
        Ok(())
    }
}
