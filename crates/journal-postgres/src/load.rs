//! Decides what a batch has to know before it can be judged, and reads it under locks. Runs are locked in the order of
//! their ids and before entities, so that two batches wait for each other in one direction only.

use onex_journal::RunStatus;
use onex_journal::planning::{EntityKey, Head, Known, Planned};
use onex_node::{RunId, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::Problem;

/// What the journal knows of everything that `demands` name.
pub(crate) async fn known(connection: &mut PgConnection, demands: &[&Planned]) -> Result<Known, sqlx::Error> {
    let mut known = Known::default();
    let named = demands.iter().flat_map(|demand| demand.run_ids()).map(|run_id| run_id.0);
    let claimed: Vec<Uuid> = demands.iter().filter_map(|demand| demand.claimed()).map(|run_id| run_id.0).collect();
    let mut run_ids: Vec<Uuid> = named.collect();
    run_ids.extend(parents(connection, &claimed).await?);
    known.heads.extend(heads(connection, &run_ids).await?);
    let states = demands.iter().flat_map(|demand| demand.states());
    let entities: Vec<_> = states.map(|write| (write.reducer.as_str(), write.entity.as_str())).collect();
    known.versions.extend(versions(connection, &entities).await?);
    let orders: Vec<Uuid> = demands.iter().filter_map(|demand| demand.order()).collect();
    known.orders.extend(given(connection, &orders).await?);
    Ok(known)
}

/// A run's parent never changes, so it may be read before the lock.
async fn parents(connection: &mut PgConnection, run_ids: &[Uuid]) -> Result<Vec<Uuid>, sqlx::Error> {
    if run_ids.is_empty() {
        return Ok(Vec::new());
    }
    let query = "SELECT parent FROM onex_runs WHERE run_id = ANY($1) AND parent IS NOT NULL";
    sqlx::query_scalar(query).bind(run_ids).fetch_all(connection).await
}

async fn heads(connection: &mut PgConnection, run_ids: &[Uuid]) -> Result<Vec<(RunId, Head)>, sqlx::Error> {
    if run_ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<HeadRow> = sqlx::query_as(HEADS).bind(run_ids).fetch_all(connection).await?;
    rows.into_iter().map(HeadRow::head).collect()
}

async fn versions(
    connection: &mut PgConnection,
    entities: &[(&str, &str)],
) -> Result<Vec<(EntityKey, u64)>, sqlx::Error> {
    if entities.is_empty() {
        return Ok(Vec::new());
    }
    let (reducers, entities): (Vec<&str>, Vec<&str>) = entities.iter().copied().unzip();
    let query = sqlx::query_as(VERSIONS).bind(reducers).bind(entities);
    let rows: Vec<(String, String, i64)> = query.fetch_all(connection).await?;
    rows.into_iter().map(|(reducer, entity, version)| Ok(((reducer, entity), count(version)?))).collect()
}

async fn given(connection: &mut PgConnection, orders: &[Uuid]) -> Result<Vec<Uuid>, sqlx::Error> {
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query_scalar("SELECT id FROM onex_orders WHERE id = ANY($1)").bind(orders).fetch_all(connection).await
}

#[derive(sqlx::FromRow)]
struct HeadRow {
    run_id: Uuid,
    epoch: i64,
    status: String,
    last_sequence: i64,
    bytes: i64,
    owner: String,
    lease_until: Timestamp,
    parent: Option<Uuid>,
}

impl HeadRow {
    fn head(self) -> Result<(RunId, Head), sqlx::Error> {
        let unknown = || unreadable(self.status.clone(), "status of a run");
        let head = Head {
            epoch: count(self.epoch)?,
            status: RunStatus::parse(&self.status).ok_or_else(unknown)?,
            sequence: count(self.last_sequence)?,
            bytes: count(self.bytes)?,
            owner: self.owner,
            lease_until: self.lease_until.into(),
            parent: self.parent.map(RunId),
        };
        Ok((RunId(self.run_id), head))
    }
}

pub(crate) fn count(number: i64) -> Result<u64, sqlx::Error> {
    number.try_into().map_err(|_| unreadable(number.to_string(), "count"))
}

fn unreadable(text: String, expected: &'static str) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(Problem::Unreadable { text, expected }))
}

const HEADS: &str = "\
    SELECT run_id, epoch, status, last_sequence, bytes, owner, lease_until, parent FROM onex_runs \
    WHERE run_id = ANY($1) ORDER BY run_id FOR UPDATE";

const VERSIONS: &str = "\
    SELECT reducer, entity, version FROM onex_entity_states \
    WHERE (reducer, entity) IN (SELECT * FROM unnest($1, $2)) ORDER BY reducer, entity FOR UPDATE";
