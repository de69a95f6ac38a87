//! Decides how decided rows reach the tables: one statement per table and batch, however many rows there are.
//! The rows are one JSON array in one parameter, which SQLite expands.
//!
//! `WHERE true` keeps SQLite from reading `ON CONFLICT` as a join condition. `ORDER BY key` keeps the order of
//! arrival where a table has positions.

use onex_journal::Claim;
use onex_node::RunId;
use serde::Serialize;
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::error::Problem;
use crate::plan::{Queue, Rows};
use crate::request::TakeOver;

/// Writes what a plan came to.
pub(crate) async fn write(connection: &mut SqliteConnection, rows: Rows) -> Result<(), sqlx::Error> {
    insert(connection, INSERT_CONTRACTS, &rows.contracts).await?;
    insert(connection, INSERT_RUNS, &rows.runs).await?;
    insert(connection, INSERT_RECORDS, &rows.records).await?;
    insert(connection, UPDATE_PROGRESS, &rows.progress).await?;
    insert(connection, UPDATE_CHANGES, &rows.changes).await?;
    insert(connection, UPSERT_STATES, &rows.states).await?;
    let Queue { left, entered } = rows.outbox;
    insert(connection, DELETE_OUTBOX, &left).await?;
    insert(connection, INSERT_OUTBOX, &entered).await?;
    let Queue { left, entered } = rows.inbox;
    insert(connection, DELETE_INBOX, &left).await?;
    insert(connection, INSERT_INBOX, &entered).await
}

/// Gives runs that are free to an owner, oldest first.
pub(crate) async fn take_over(
    connection: &mut SqliteConnection,
    take_over: &TakeOver,
) -> Result<Vec<Claim>, sqlx::Error> {
    let mut rows: Vec<(i64, String, i64)> = sqlx::query_as(TAKE_OVER)
        .bind(&take_over.owner)
        .bind(take_over.now.0)
        .bind(take_over.lease_until.0)
        .bind(i64::from(take_over.limit))
        .fetch_all(connection)
        .await?;
    rows.sort_unstable();
    rows.into_iter().map(|(_, run_id, epoch)| claim(run_id, epoch)).collect()
}

/// Rows as the JSON text that statements expand.
pub(crate) fn json(rows: &impl Serialize) -> Result<String, sqlx::Error> {
    serde_json::to_string(rows).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

async fn insert<T: Serialize>(
    connection: &mut SqliteConnection,
    statement: &'static str,
    rows: &[T],
) -> Result<(), sqlx::Error> {
    if !rows.is_empty() {
        sqlx::query(statement).bind(json(&rows)?).execute(connection).await?;
    }
    Ok(())
}

fn claim(run_id: String, epoch: i64) -> Result<Claim, sqlx::Error> {
    let unreadable = |text| sqlx::Error::Decode(Box::new(Problem::Unreadable { text, expected: "claim" }));
    let epoch = epoch.try_into().map_err(|_| unreadable(epoch.to_string()))?;
    let run_id = RunId(run_id.parse::<Uuid>().map_err(|_| unreadable(run_id))?);
    Ok(Claim { run_id, epoch })
}

const INSERT_CONTRACTS: &str = "\
    INSERT INTO contracts (fingerprint, canonical) \
    SELECT value ->> 0, value ->> 1 FROM jsonb_each(?1) WHERE true \
    ON CONFLICT DO NOTHING";

const INSERT_RUNS: &str = "\
    INSERT INTO runs (run_id, orchestrator, contract_fingerprint, entity, status, owner, epoch, lease_until, \
        last_sequence, started_at) \
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, 'running', value ->> 4, 1, value ->> 5, 1, value ->> 6 \
    FROM jsonb_each(?1) ORDER BY key";

const INSERT_RECORDS: &str = "\
    INSERT INTO records (run_id, sequence, kind, body) \
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM jsonb_each(?1)";

const UPDATE_PROGRESS: &str = "\
    UPDATE runs SET last_sequence = progress.value ->> 1 FROM jsonb_each(?1) AS progress \
    WHERE runs.run_id = progress.value ->> 0";

const UPDATE_CHANGES: &str = "\
    UPDATE runs SET status = coalesce(change.value ->> 1, status), \
        lease_until = coalesce(change.value ->> 2, lease_until), \
        ended_at = coalesce(change.value ->> 3, ended_at), \
        reason = coalesce(change.value ->> 4, reason) \
    FROM jsonb_each(?1) AS change WHERE runs.run_id = change.value ->> 0";

const UPSERT_STATES: &str = "\
    INSERT INTO entity_states (reducer, entity, version, state) \
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM jsonb_each(?1) WHERE true \
    ON CONFLICT (reducer, entity) DO UPDATE SET version = excluded.version, state = excluded.state";

const DELETE_OUTBOX: &str = "DELETE FROM outbox WHERE id IN (SELECT value FROM json_each(?1))";

const INSERT_OUTBOX: &str = "\
    INSERT INTO outbox (id, topic, key, envelope) \
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM jsonb_each(?1) WHERE true ORDER BY jsonb_each.key \
    ON CONFLICT DO NOTHING";

const DELETE_INBOX: &str = "DELETE FROM inbox WHERE id IN (SELECT value FROM json_each(?1))";

const INSERT_INBOX: &str = "\
    INSERT INTO inbox (id, topic, key, body) \
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM jsonb_each(?1) WHERE true ORDER BY jsonb_each.key \
    ON CONFLICT DO NOTHING";

const TAKE_OVER: &str = "\
    UPDATE runs SET epoch = epoch + 1, owner = ?1, lease_until = ?3 \
    WHERE position IN ( \
        SELECT position FROM runs INDEXED BY runs_running \
        WHERE status = 'running' AND (owner = ?1 OR lease_until <= ?2) ORDER BY position LIMIT ?4) \
    RETURNING position, run_id, epoch";

#[cfg(test)]
mod tests {
    use sqlx::sqlite::SqliteRow;
    use sqlx::{AssertSqlSafe, Row};

    use super::*;
    use crate::file;
    use crate::load::{HEADS, VERSIONS};

    const STATEMENTS: [&str; 13] = [
        HEADS,
        VERSIONS,
        INSERT_CONTRACTS,
        INSERT_RUNS,
        INSERT_RECORDS,
        UPDATE_PROGRESS,
        UPDATE_CHANGES,
        UPSERT_STATES,
        DELETE_OUTBOX,
        INSERT_OUTBOX,
        DELETE_INBOX,
        INSERT_INBOX,
        TAKE_OVER,
    ];

    #[tokio::test]
    async fn no_statement_reads_a_whole_table() {
        let directory = tempfile::tempdir().expect("a directory");
        let options = file::writing(&directory.path().join("journal.db"));
        let mut connection = file::connect(&options).await.expect("it opens");
        for statement in STATEMENTS {
            let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
            let plan = sqlx::query(explain).fetch_all(&mut connection).await.expect("it is understood");
            let steps = plan.iter().map(|row: &SqliteRow| row.get::<String, _>("detail"));
            let scans: Vec<_> = steps.filter(|step| step.starts_with("SCAN") && !step.contains("VIRTUAL")).collect();
            let running_runs_only = scans.iter().all(|step| step.contains("COVERING INDEX runs_running"));
            assert!(running_runs_only, "{statement}: {scans:?}");
        }
    }
}
