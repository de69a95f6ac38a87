//! Decides what a batch has to know before it can be judged, and reads it: one query for all its runs, one for
//! all its entities.
//!
//! Nothing is kept from one batch to the next. The two queries are primary-key look-ups in pages that are in
//! memory anyway and cost far less than the flush that follows; a cache would have to be undone with every failed
//! commit and would make the lock on the file a condition of correctness instead of a courtesy.

use onex_journal::RunStatus;
use onex_node::RunId;
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::error::Problem;
use crate::plan::{EntityKey, Head, Known};
use crate::request::{Planned, StateWriteRow};
use crate::store::json;

/// What the journal knows of everything that `requests` name.
pub(crate) async fn known<'a>(
    connection: &mut SqliteConnection,
    requests: impl Iterator<Item = &'a Planned> + Clone,
) -> Result<Known, sqlx::Error> {
    let mut run_ids = Vec::new();
    requests.clone().for_each(|request| name_runs(request, &mut run_ids));
    let entities: Vec<_> = requests.flat_map(states).map(|write| (&write.row.0, &write.row.1)).collect();
    let mut known = Known::default();
    if !run_ids.is_empty() {
        known.heads.extend(heads(connection, &run_ids).await?);
    }
    if !entities.is_empty() {
        known.versions.extend(versions(connection, &entities).await?);
    }
    Ok(known)
}

fn name_runs(request: &Planned, run_ids: &mut Vec<RunId>) {
    match request {
        Planned::Start { run, .. } => run_ids.push(run.run_id),
        Planned::Append { append, .. } => run_ids.push(append.run_id),
        Planned::Renew { claims, .. } => run_ids.extend(claims.iter().map(|claim| claim.run_id)),
        Planned::SetAside { run_id, .. } => run_ids.push(*run_id),
        Planned::SaveContract { .. }
        | Planned::MarkPublished { .. }
        | Planned::Accept { .. }
        | Planned::Forget { .. } => {}
    }
}

fn states(request: &Planned) -> &[StateWriteRow] {
    match request {
        Planned::Append { append, .. } => append.end.as_ref().map_or(&[], |end| &end.states),
        _ => &[],
    }
}

async fn heads(connection: &mut SqliteConnection, run_ids: &[RunId]) -> Result<Vec<(RunId, Head)>, sqlx::Error> {
    let rows: Vec<(String, i64, String, i64)> =
        sqlx::query_as(HEADS).bind(json(&run_ids)?).fetch_all(connection).await?;
    rows.into_iter().map(head).collect()
}

async fn versions(
    connection: &mut SqliteConnection,
    entities: &[(&String, &String)],
) -> Result<Vec<(EntityKey, u64)>, sqlx::Error> {
    let rows: Vec<(String, String, i64)> =
        sqlx::query_as(VERSIONS).bind(json(&entities)?).fetch_all(connection).await?;
    rows.into_iter().map(|(reducer, entity, version)| Ok(((reducer, entity), count(version)?))).collect()
}

fn head((run_id, epoch, status, sequence): (String, i64, String, i64)) -> Result<(RunId, Head), sqlx::Error> {
    let status = RunStatus::parse(&status).ok_or_else(|| unreadable(status, "status of a run"))?;
    let head = Head { epoch: count(epoch)?, status, sequence: count(sequence)? };
    Ok((RunId(run_id.parse::<Uuid>().map_err(|_| unreadable(run_id, "run id"))?), head))
}

fn count(number: i64) -> Result<u64, sqlx::Error> {
    number.try_into().map_err(|_| unreadable(number.to_string(), "count"))
}

fn unreadable(text: String, expected: &'static str) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(Problem::Unreadable { text, expected }))
}

pub(crate) const HEADS: &str = "\
    SELECT run_id, epoch, status, last_sequence FROM runs WHERE run_id IN (SELECT value FROM json_each(?1))";

pub(crate) const VERSIONS: &str = "\
    SELECT reducer, entity, version FROM entity_states \
    WHERE (reducer, entity) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?1))";
