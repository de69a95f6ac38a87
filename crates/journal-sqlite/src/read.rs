//! Decides how rows become the journal's model again, and names what cannot be understood. Every call reads one
//! committed state: a run never shows records that its header does not know of.

use onex_journal::{
    EntityState, InboxMessage, JournalError, OrderKind, OutboxMessage, Record, RunHeader, RunOrder, RunStatus,
    StoredRun,
};
use onex_node::{RunId, Timestamp};
use serde_json::Value;
use sqlx::{Connection, SqliteConnection};
use uuid::Uuid;

use crate::error::{Problem, failed};

pub(crate) async fn contract(reader: &mut SqliteConnection, fingerprint: &str) -> Result<Option<String>, JournalError> {
    sqlx::query_scalar("SELECT canonical FROM contracts WHERE fingerprint = ?1")
        .bind(fingerprint)
        .fetch_optional(reader)
        .await
        .map_err(failed)
}

pub(crate) async fn run(reader: &mut SqliteConnection, run_id: RunId) -> Result<Option<StoredRun>, JournalError> {
    let mut transaction = reader.begin().await.map_err(failed)?;
    let row: Option<HeaderRow> = sqlx::query_as("SELECT * FROM runs WHERE run_id = ?1")
        .bind(run_id.to_string())
        .fetch_optional(&mut *transaction)
        .await
        .map_err(failed)?;
    let Some(row) = row else { return Ok(None) };
    let records: Vec<(i64, String, String)> =
        sqlx::query_as("SELECT sequence, kind, body FROM records WHERE run_id = ?1 ORDER BY sequence")
            .bind(run_id.to_string())
            .fetch_all(&mut *transaction)
            .await
            .map_err(failed)?;
    let records = records.into_iter().map(|row| record(run_id, row)).collect::<Result<_, _>>()?;
    Ok(Some(StoredRun { header: row.try_into()?, records }))
}

pub(crate) async fn headers(
    reader: &mut SqliteConnection,
    status: Option<RunStatus>,
    limit: u32,
) -> Result<Vec<RunHeader>, JournalError> {
    let query = match status {
        Some(status) => sqlx::query_as("SELECT * FROM runs WHERE status = ?2 ORDER BY position DESC LIMIT ?1")
            .bind(limit)
            .bind(status.as_str()),
        None => sqlx::query_as("SELECT * FROM runs ORDER BY position DESC LIMIT ?1").bind(limit),
    };
    let rows: Vec<HeaderRow> = query.fetch_all(reader).await.map_err(failed)?;
    rows.into_iter().map(RunHeader::try_from).collect()
}

pub(crate) async fn entity_state(
    reader: &mut SqliteConnection,
    reducer: &str,
    entity: &str,
) -> Result<Option<EntityState>, JournalError> {
    let row: Option<(i64, String)> =
        sqlx::query_as("SELECT version, state FROM entity_states WHERE reducer = ?1 AND entity = ?2")
            .bind(reducer)
            .bind(entity)
            .fetch_optional(reader)
            .await
            .map_err(failed)?;
    let Some((version, state)) = row else { return Ok(None) };
    let what = || format!("a state of `{entity}` in `{reducer}`");
    Ok(Some(EntityState { version: count(version, what)?, state: json(&state, what)? }))
}

pub(crate) async fn outbox(reader: &mut SqliteConnection, limit: u32) -> Result<Vec<OutboxMessage>, JournalError> {
    let query = sqlx::query_as("SELECT id, topic, key, envelope FROM outbox ORDER BY position LIMIT ?1");
    let rows: Vec<MessageRow> = query.bind(limit).fetch_all(reader).await.map_err(failed)?;
    let message = |(id, topic, key, envelope): MessageRow| {
        let envelope = json(&envelope, || format!("an outgoing message {id}"))?;
        Ok(OutboxMessage { id: uuid(&id, "an outgoing message")?, topic, key, envelope })
    };
    rows.into_iter().map(message).collect()
}

pub(crate) async fn inbox(reader: &mut SqliteConnection, limit: u32) -> Result<Vec<InboxMessage>, JournalError> {
    let query = sqlx::query_as("SELECT id, topic, key, body FROM inbox ORDER BY position LIMIT ?1");
    let rows: Vec<MessageRow> = query.bind(limit).fetch_all(reader).await.map_err(failed)?;
    let message = |(id, topic, key, body): MessageRow| {
        Ok(InboxMessage { id: uuid(&id, "an accepted message")?, topic, key, body })
    };
    rows.into_iter().map(message).collect()
}

pub(crate) async fn orders(
    reader: &mut SqliteConnection,
    owner: &str,
    limit: u32,
) -> Result<Vec<RunOrder>, JournalError> {
    let query = sqlx::query_as(WAITING_ORDERS).bind(owner).bind(limit);
    let rows: Vec<(String, String, String, i64)> = query.fetch_all(reader).await.map_err(failed)?;
    let order = |(id, run_id, kind, at): (String, String, String, i64)| {
        let run_id = RunId(uuid(&run_id, "a run of an order")?);
        let unknown_kind = || unreadable(format!("an order of run {run_id}"), &kind, "kind of order");
        let kind = OrderKind::parse(&kind).ok_or_else(unknown_kind)?;
        Ok(RunOrder { id: uuid(&id, "an order")?, run_id, kind, at: time(at, run_id)? })
    };
    rows.into_iter().map(order).collect()
}

const WAITING_ORDERS: &str = "\
    SELECT orders.id, orders.run_id, orders.kind, orders.at FROM orders JOIN runs USING (run_id) \
    WHERE orders.settled = 0 AND CASE orders.kind \
        WHEN 'retry' THEN runs.status <> 'running' \
        ELSE runs.status = 'running' AND runs.owner = ?1 END \
    ORDER BY orders.position LIMIT ?2";

type MessageRow = (String, String, Option<String>, String);

#[derive(sqlx::FromRow)]
struct HeaderRow {
    run_id: String,
    orchestrator: String,
    contract_fingerprint: String,
    entity: Option<String>,
    status: String,
    owner: String,
    epoch: i64,
    lease_until: i64,
    parent: Option<String>,
    started_at: i64,
    ended_at: Option<i64>,
    reason: Option<String>,
}

impl TryFrom<HeaderRow> for RunHeader {
    type Error = JournalError;

    fn try_from(row: HeaderRow) -> Result<Self, JournalError> {
        let run_id = RunId(uuid(&row.run_id, "a run")?);
        let unknown_status = || unreadable(format!("a status of run {run_id}"), &row.status, "status");
        Ok(Self {
            run_id,
            status: RunStatus::parse(&row.status).ok_or_else(unknown_status)?,
            epoch: count(row.epoch, || format!("an epoch of run {run_id}"))?,
            lease_until: time(row.lease_until, run_id)?,
            parent: row.parent.map(|parent| uuid(&parent, "a parent")).transpose()?.map(RunId),
            started_at: time(row.started_at, run_id)?,
            ended_at: row.ended_at.map(|micros| time(micros, run_id)).transpose()?,
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

fn uuid(text: &str, what: &str) -> Result<Uuid, JournalError> {
    text.parse().map_err(|_| unreadable(what, text, "uuid"))
}

fn count(number: i64, what: impl FnOnce() -> String) -> Result<u64, JournalError> {
    number.try_into().map_err(|_| unreadable(what(), number, "count"))
}

fn time(micros: i64, run_id: RunId) -> Result<Timestamp, JournalError> {
    Timestamp::from_timestamp_micros(micros)
        .ok_or_else(|| unreadable(format!("a time of run {run_id}"), micros, "time"))
}

fn unreadable(what: impl Into<String>, text: impl ToString, expected: &'static str) -> JournalError {
    JournalError::corrupt(what, Problem::Unreadable { text: text.to_string(), expected })
}
