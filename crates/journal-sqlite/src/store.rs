//! Decides how decided rows reach the tables: one statement per table and batch, however many rows there are.
//! The rows are one JSON array in one parameter, which SQLite expands.
//!
//! `WHERE true` keeps SQLite from reading `ON CONFLICT` as a join condition. `ORDER BY key` keeps the order of
//! arrival where a table has positions.

use onex_journal::planning::{Queue, Rows};
use serde::Serialize;
use sqlx::SqliteConnection;

/// Writes what a plan came to.
pub(crate) async fn write(connection: &mut SqliteConnection, rows: Rows<'_>) -> Result<(), sqlx::Error> {
    insert(connection, INSERT_CONTRACTS, &rows.contracts).await?;
    insert(connection, INSERT_RUNS, &rows.runs).await?;
    insert(connection, INSERT_RECORDS, &rows.records).await?;
    // Most updates only count on; they are kept from the indexes, which SQLite would write all the same.
    let (progress, updates): (Vec<_>, Vec<_>) = rows.updates.into_iter().partition(|update| update.is_progress());
    insert(connection, UPDATE_PROGRESS, &progress).await?;
    insert(connection, UPDATE_RUNS, &updates).await?;
    insert(connection, UPSERT_STATES, &rows.states).await?;
    insert(connection, SETTLE_ORDERS, &rows.settled_orders).await?;
    insert(connection, INSERT_ORDERS, &rows.orders).await?;
    let Queue { left, entered } = rows.outbox;
    insert(connection, DELETE_OUTBOX, &left).await?;
    insert(connection, INSERT_OUTBOX, &entered).await?;
    let Queue { left, entered } = rows.inbox;
    insert(connection, DELETE_INBOX, &left).await?;
    insert(connection, INSERT_INBOX, &entered).await
}

/// Rows as the JSON text that statements expand.
pub(crate) fn json(rows: &impl Serialize) -> Result<String, sqlx::Error> {
    serde_json::to_string(rows).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

/// Executes a statement over rows, if there are any.
pub(crate) async fn insert<T: Serialize>(
    connection: &mut SqliteConnection,
    statement: &'static str,
    rows: &[T],
) -> Result<(), sqlx::Error> {
    if !rows.is_empty() {
        sqlx::query(statement).bind(json(&rows)?).execute(connection).await?;
    }
    Ok(())
}

const INSERT_CONTRACTS: &str = "\
    INSERT INTO contracts (fingerprint, canonical, saved_at) \
    SELECT value ->> 0, value ->> 1, CAST(unixepoch('subsec') * 1000000 AS INTEGER) FROM jsonb_each(?1) WHERE true \
    ON CONFLICT (fingerprint) DO UPDATE SET saved_at = excluded.saved_at";

const INSERT_RUNS: &str = "\
    INSERT INTO runs (run_id, orchestrator, contract_fingerprint, entity, parent, status, owner, epoch, lease_until, \
        last_sequence, bytes, started_at, ended_at, reason) \
    SELECT value ->> '$[0][0]', value ->> '$[0][1]', value ->> '$[0][2]', value ->> '$[0][3]', value ->> '$[0][4]', \
        value ->> '$[1][0]', value ->> '$[1][1]', value ->> '$[1][2]', value ->> '$[1][3]', value ->> '$[1][4]', \
        value ->> '$[1][5]', value ->> '$[2][0]', value ->> '$[2][1]', value ->> '$[2][2]' \
    FROM jsonb_each(?1) ORDER BY key";

const INSERT_RECORDS: &str = "\
    INSERT INTO run_records (run, sequence, kind, body) \
    SELECT runs.position, value ->> 1, value ->> 2, value ->> 3 \
    FROM jsonb_each(?1) CROSS JOIN runs ON runs.run_id = value ->> 0";

const UPDATE_PROGRESS: &str = "\
    UPDATE runs SET last_sequence = change.value ->> '$[0][1]', bytes = bytes + (change.value ->> '$[0][2]') \
    FROM jsonb_each(?1) AS change WHERE runs.run_id = change.value ->> '$[0][0]'";

const UPDATE_RUNS: &str = "\
    UPDATE runs SET last_sequence = coalesce(change.value ->> '$[0][1]', last_sequence), \
        bytes = bytes + (change.value ->> '$[0][2]'), \
        status = coalesce(change.value ->> '$[1][0]', status), \
        ended_at = coalesce(change.value ->> '$[1][1]', ended_at), \
        reason = coalesce(change.value ->> '$[1][2]', reason), \
        owner = coalesce(change.value ->> '$[2][0]', owner), \
        epoch = coalesce(change.value ->> '$[2][1]', epoch), \
        lease_until = coalesce(change.value ->> '$[2][2]', lease_until) \
    FROM jsonb_each(?1) AS change WHERE runs.run_id = change.value ->> '$[0][0]'";

const UPSERT_STATES: &str = "\
    INSERT INTO entity_states (reducer, entity, version, state) \
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM jsonb_each(?1) WHERE true \
    ON CONFLICT (reducer, entity) DO UPDATE SET version = excluded.version, state = excluded.state";

const SETTLE_ORDERS: &str = "UPDATE orders SET settled = 1 WHERE id IN (SELECT value FROM json_each(?1))";

const INSERT_ORDERS: &str = "\
    INSERT INTO orders (id, run_id, kind, at, settled) \
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM jsonb_each(?1) ORDER BY key";

const DELETE_OUTBOX: &str = "DELETE FROM outbox WHERE id IN (SELECT value FROM json_each(?1))";

const INSERT_OUTBOX: &str = "\
    INSERT INTO outbox (id, topic, key, envelope, run_id) \
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM jsonb_each(?1) WHERE true ORDER BY jsonb_each.key \
    ON CONFLICT DO NOTHING";

const DELETE_INBOX: &str = "DELETE FROM inbox WHERE id IN (SELECT value FROM json_each(?1))";

const INSERT_INBOX: &str = "\
    INSERT INTO inbox (id, topic, key, body) \
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM jsonb_each(?1) WHERE true ORDER BY jsonb_each.key \
    ON CONFLICT DO NOTHING";

#[cfg(test)]
mod tests {
    use sqlx::sqlite::SqliteRow;
    use sqlx::{AssertSqlSafe, Row};

    use super::*;
    use crate::choose::{DELETE_ORDERS, DELETE_RECORDS, DELETE_RUNS, FREE, OLD, TAKE};
    use crate::file;
    use crate::load::{HEADS, ORDERS, VERSIONS};

    const STATEMENTS: [&str; 21] = [
        HEADS,
        VERSIONS,
        INSERT_CONTRACTS,
        INSERT_RUNS,
        INSERT_RECORDS,
        UPDATE_PROGRESS,
        UPDATE_RUNS,
        UPSERT_STATES,
        DELETE_OUTBOX,
        INSERT_OUTBOX,
        DELETE_INBOX,
        INSERT_INBOX,
        SETTLE_ORDERS,
        INSERT_ORDERS,
        ORDERS,
        FREE,
        TAKE,
        OLD,
        DELETE_RECORDS,
        DELETE_ORDERS,
        DELETE_RUNS,
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
            let running_runs_only = scans.iter().all(|step| step.contains("INDEX runs_running"));
            assert!(running_runs_only, "{statement}: {scans:?}");
        }
    }
}
