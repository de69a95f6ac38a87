//! Decides how rows become the journal's model again, and names what cannot be understood.

use onex_journal::{
    EntityState, InboxMessage, JournalError, OrderKind, OutboxMessage, Record, RunHeader, RunOrder, RunStatus,
    StoredRun,
};
use onex_node::{RunId, Timestamp};
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

use crate::error::{Problem, failed};

pub(crate) async fn contract(readers: &PgPool, fingerprint: &str) -> Result<Option<String>, JournalError> {
    let query = sqlx::query_scalar("SELECT canonical FROM onex_contracts WHERE fingerprint = $1").bind(fingerprint);
    query.fetch_optional(readers).await.map_err(failed)
}

/// The header first, then as many records as it tells of: what was appended in between is left out.
pub(crate) async fn run(readers: &PgPool, run_id: RunId) -> Result<Option<StoredRun>, JournalError> {
    let Some(row) = header_row(readers, run_id).await? else { return Ok(None) };
    let last_sequence = row.last_sequence;
    let rows: Vec<(i64, String, String)> =
        sqlx::query_as(RECORDS).bind(run_id.0).bind(last_sequence).fetch_all(readers).await.map_err(failed)?;
    let records: Vec<_> = rows.into_iter().map(|row| record(run_id, row)).collect::<Result<_, _>>()?;
    let header: RunHeader = row.try_into()?;
    let expected = count(last_sequence, || format!("a sequence of run {run_id}"))?;
    if records.len() as u64 == expected {
        return Ok(Some(StoredRun { header, records }));
    }
    // It was pruned in between, or the records are not all there.
    match header_row(readers, run_id).await? {
        None => Ok(None),
        Some(_) => {
            Err(JournalError::corrupt(format!("run {run_id}"), Problem::Incomplete { found: records.len(), expected }))
        }
    }
}

async fn header_row(readers: &PgPool, run_id: RunId) -> Result<Option<HeaderRow>, JournalError> {
    let query = sqlx::query_as("SELECT * FROM onex_runs WHERE run_id = $1").bind(run_id.0);
    query.fetch_optional(readers).await.map_err(failed)
}

pub(crate) async fn headers(
    readers: &PgPool,
    status: Option<RunStatus>,
    limit: u32,
) -> Result<Vec<RunHeader>, JournalError> {
    let query = match status {
        // Said in words, so that the index of running runs answers it.
        Some(RunStatus::Running) => sqlx::query_as(RUNNING).bind(i64::from(limit)),
        Some(status) => sqlx::query_as(OF_STATUS).bind(i64::from(limit)).bind(status.as_str()),
        None => sqlx::query_as(OF_ANY_STATUS).bind(i64::from(limit)),
    };
    let rows: Vec<HeaderRow> = query.fetch_all(readers).await.map_err(failed)?;
    rows.into_iter().map(RunHeader::try_from).collect()
}

pub(crate) async fn orders(readers: &PgPool, owner: &str, limit: u32) -> Result<Vec<RunOrder>, JournalError> {
    let query = sqlx::query_as(WAITING_ORDERS).bind(owner).bind(i64::from(limit));
    let rows: Vec<(Uuid, Uuid, String, Timestamp)> = query.fetch_all(readers).await.map_err(failed)?;
    let order = |(id, run_id, kind, at): (Uuid, Uuid, String, Timestamp)| {
        let run_id = RunId(run_id);
        let unknown_kind = || unreadable(format!("an order of run {run_id}"), &kind, "kind of order");
        Ok(RunOrder { id, run_id, kind: OrderKind::parse(&kind).ok_or_else(unknown_kind)?, at })
    };
    rows.into_iter().map(order).collect()
}

pub(crate) async fn entity_state(
    readers: &PgPool,
    reducer: &str,
    entity: &str,
) -> Result<Option<EntityState>, JournalError> {
    let query = sqlx::query_as("SELECT version, state FROM onex_entity_states WHERE reducer = $1 AND entity = $2");
    let row: Option<(i64, String)> = query.bind(reducer).bind(entity).fetch_optional(readers).await.map_err(failed)?;
    let Some((version, state)) = row else { return Ok(None) };
    let what = || format!("a state of `{entity}` in `{reducer}`");
    Ok(Some(EntityState { version: count(version, what)?, state: json(&state, what)? }))
}

pub(crate) async fn outbox(readers: &PgPool, limit: u32) -> Result<Vec<OutboxMessage>, JournalError> {
    let query = sqlx::query_as("SELECT id, topic, key, envelope FROM onex_outbox ORDER BY position LIMIT $1");
    let rows: Vec<MessageRow> = query.bind(i64::from(limit)).fetch_all(readers).await.map_err(failed)?;
    let message = |(id, topic, key, envelope): MessageRow| {
        let envelope = json(&envelope, || format!("an outgoing message {id}"))?;
        Ok(OutboxMessage { id, topic, key, envelope })
    };
    rows.into_iter().map(message).collect()
}

pub(crate) async fn inbox(readers: &PgPool, limit: u32) -> Result<Vec<InboxMessage>, JournalError> {
    let query = sqlx::query_as("SELECT id, topic, key, body FROM onex_inbox ORDER BY position LIMIT $1");
    let rows: Vec<MessageRow> = query.bind(i64::from(limit)).fetch_all(readers).await.map_err(failed)?;
    Ok(rows.into_iter().map(|(id, topic, key, body)| InboxMessage { id, topic, key, body }).collect())
}

type MessageRow = (Uuid, String, Option<String>, String);

#[derive(sqlx::FromRow)]
struct HeaderRow {
    run_id: Uuid,
    orchestrator: String,
    contract_fingerprint: String,
    entity: Option<String>,
    parent: Option<Uuid>,
    status: String,
    owner: String,
    epoch: i64,
    lease_until: Timestamp,
    last_sequence: i64,
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
    reason: Option<String>,
}

impl TryFrom<HeaderRow> for RunHeader {
    type Error = JournalError;

    fn try_from(row: HeaderRow) -> Result<Self, JournalError> {
        let run_id = RunId(row.run_id);
        let unknown_status = || unreadable(format!("a status of run {run_id}"), &row.status, "status");
        Ok(Self {
            run_id,
            status: RunStatus::parse(&row.status).ok_or_else(unknown_status)?,
            epoch: count(row.epoch, || format!("an epoch of run {run_id}"))?,
            lease_until: row.lease_until,
            parent: row.parent.map(RunId),
            started_at: row.started_at,
            ended_at: row.ended_at,
            orchestrator: row.orchestrator,
            contract_fingerprint: row.contract_fingerprint,
            entity: row.entity,
            owner: row.owner,
            reason: row.reason,
        })
    }
}

fn record(run_id: RunId, (sequence, kind, body): (i64, String, String)) -> Result<Record, JournalError> {
    let what = || format!("a record {sequence} of run {run_id}");
    Ok(Record { sequence: count(sequence, what)?, kind, body: json(&body, what)? })
}

fn json(text: &str, what: impl FnOnce() -> String) -> Result<Value, JournalError> {
    serde_json::from_str(text).map_err(|error| JournalError::corrupt(what(), error))
}

fn count(number: i64, what: impl FnOnce() -> String) -> Result<u64, JournalError> {
    number.try_into().map_err(|_| unreadable(what(), number, "count"))
}

fn unreadable(what: impl Into<String>, text: impl ToString, expected: &'static str) -> JournalError {
    JournalError::corrupt(what, Problem::Unreadable { text: text.to_string(), expected })
}

const RECORDS: &str = "\
    SELECT sequence, kind, body FROM onex_records WHERE run_id = $1 AND sequence <= $2 ORDER BY sequence";

const RUNNING: &str = "SELECT * FROM onex_runs WHERE status = 'running' ORDER BY position DESC LIMIT $1";

const OF_STATUS: &str = "SELECT * FROM onex_runs WHERE status = $2 ORDER BY position DESC LIMIT $1";

const OF_ANY_STATUS: &str = "SELECT * FROM onex_runs ORDER BY position DESC LIMIT $1";

const WAITING_ORDERS: &str = "\
    SELECT wish.id, wish.run_id, wish.kind, wish.at FROM onex_orders AS wish JOIN onex_runs AS run USING (run_id) \
    WHERE NOT wish.settled AND CASE wish.kind \
        WHEN 'retry' THEN run.status <> 'running' \
        ELSE run.status = 'running' AND run.owner = $1 END \
    ORDER BY wish.position LIMIT $2";
