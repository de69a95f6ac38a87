//! Decides what a batch has to know before it can be judged, and reads what is not remembered: one query for all its
//! runs, one for all its entities.

use std::collections::HashSet;

use onex_journal::RunStatus;
use onex_journal::planning::{EntityKey, Head, Known, Micros, Planned};
use onex_node::{RunId, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::error::Problem;
use crate::heads::Heads;
use crate::store::json;

/// What the journal knows of everything that `demands` name.
pub(crate) async fn known<'a>(
    connection: &mut SqliteConnection,
    heads: &mut Heads,
    demands: impl Iterator<Item = &'a Planned> + Clone,
) -> Result<Known, sqlx::Error> {
    let mut known = Known::default();
    extend(connection, heads, &mut known, demands.clone().flat_map(Planned::run_ids)).await?;
    let claimed = demands.clone().filter_map(Planned::claimed);
    let parents: Vec<RunId> = claimed.filter_map(|run_id| known.heads.get(&run_id)?.parent).collect();
    extend(connection, heads, &mut known, parents.into_iter()).await?;
    let entities: Vec<_> = demands.clone().flat_map(Planned::states).collect();
    let entities: Vec<_> = entities.into_iter().map(|write| (&write.reducer, &write.entity)).collect();
    known.versions.extend(versions(connection, &entities).await?);
    let orders: Vec<Uuid> = demands.filter_map(Planned::order).collect();
    known.orders = given(connection, &orders).await?;
    Ok(known)
}

/// Adds the runs, as remembered or as stored.
async fn extend(
    connection: &mut SqliteConnection,
    heads: &mut Heads,
    known: &mut Known,
    run_ids: impl Iterator<Item = RunId>,
) -> Result<(), sqlx::Error> {
    let (remembered, unknown) = heads.take(run_ids.filter(|run_id| !known.heads.contains_key(run_id)));
    known.heads.extend(remembered);
    known.heads.extend(stored(connection, &unknown).await?);
    Ok(())
}

async fn stored(connection: &mut SqliteConnection, run_ids: &[RunId]) -> Result<Vec<(RunId, Head)>, sqlx::Error> {
    if run_ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<HeadRow> = sqlx::query_as(HEADS).bind(json(&run_ids)?).fetch_all(connection).await?;
    rows.into_iter().map(HeadRow::head).collect()
}

async fn versions(
    connection: &mut SqliteConnection,
    entities: &[(&String, &String)],
) -> Result<Vec<(EntityKey, u64)>, sqlx::Error> {
    if entities.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(String, String, i64)> =
        sqlx::query_as(VERSIONS).bind(json(&entities)?).fetch_all(connection).await?;
    rows.into_iter().map(|(reducer, entity, version)| Ok(((reducer, entity), count(version)?))).collect()
}

async fn given(connection: &mut SqliteConnection, orders: &[Uuid]) -> Result<HashSet<Uuid>, sqlx::Error> {
    if orders.is_empty() {
        return Ok(HashSet::new());
    }
    let rows: Vec<String> = sqlx::query_scalar(ORDERS).bind(json(&orders)?).fetch_all(connection).await?;
    rows.into_iter().map(uuid).collect()
}

#[derive(sqlx::FromRow)]
struct HeadRow {
    run_id: String,
    epoch: i64,
    status: String,
    last_sequence: i64,
    bytes: i64,
    owner: String,
    lease_until: i64,
    parent: Option<String>,
}

impl HeadRow {
    fn head(self) -> Result<(RunId, Head), sqlx::Error> {
        let unknown = || unreadable(self.status.clone(), "status of a run");
        let head = Head {
            epoch: count(self.epoch)?,
            status: RunStatus::parse(&self.status).ok_or_else(unknown)?,
            sequence: count(self.last_sequence)?,
            bytes: count(self.bytes)?,
            lease_until: time(self.lease_until)?,
            parent: self.parent.map(uuid).transpose()?.map(RunId),
            owner: self.owner,
        };
        Ok((RunId(uuid(self.run_id)?), head))
    }
}

fn count(number: i64) -> Result<u64, sqlx::Error> {
    number.try_into().map_err(|_| unreadable(number.to_string(), "count"))
}

fn uuid(text: String) -> Result<Uuid, sqlx::Error> {
    text.parse().map_err(|_| unreadable(text, "id"))
}

fn time(micros: i64) -> Result<Micros, sqlx::Error> {
    let time = Timestamp::from_timestamp_micros(micros);
    time.map(Micros::from).ok_or_else(|| unreadable(micros.to_string(), "time"))
}

fn unreadable(text: String, expected: &'static str) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(Problem::Unreadable { text, expected }))
}

pub(crate) const HEADS: &str = "\
    SELECT run_id, epoch, status, last_sequence, bytes, owner, lease_until, parent FROM runs \
    WHERE run_id IN (SELECT value FROM json_each(?1))";

pub(crate) const VERSIONS: &str = "\
    SELECT reducer, entity, version FROM entity_states \
    WHERE (reducer, entity) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?1))";

pub(crate) const ORDERS: &str = "SELECT id FROM orders WHERE id IN (SELECT value FROM json_each(?1))";
