//! Decides which runs a take-over gives away and which a pruning removes.

use onex_journal::Claim;
use onex_journal::planning::{Prune, TakeOver};
use onex_node::RunId;
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::error::Problem;
use crate::store::{insert, json};

/// Gives runs that are free to an owner, the oldest lease first.
pub(crate) async fn take_over(
    connection: &mut SqliteConnection,
    take_over: &TakeOver,
) -> Result<Vec<Claim>, sqlx::Error> {
    let free: Vec<String> = sqlx::query_scalar(FREE)
        .bind(&take_over.owner)
        .bind(take_over.now.number())
        .bind(i64::from(take_over.limit))
        .bind(take_over.with_own)
        .fetch_all(&mut *connection)
        .await?;
    let taken: Vec<(String, i64)> = sqlx::query_as(TAKE)
        .bind(json(&free)?)
        .bind(&take_over.owner)
        .bind(take_over.lease_until.number())
        .fetch_all(connection)
        .await?;
    let epochs: std::collections::HashMap<_, _> = taken.into_iter().collect();
    free.into_iter().filter_map(|run_id| Some(claim(epochs.get(&run_id).copied()?, run_id))).collect()
}

/// Removes what is old and not needed. Returns how many runs.
pub(crate) async fn prune(connection: &mut SqliteConnection, prune: Prune) -> Result<u64, sqlx::Error> {
    let before = prune.ended_before.number();
    let old: Vec<String> =
        sqlx::query_scalar(OLD).bind(before).bind(i64::from(prune.limit)).fetch_all(&mut *connection).await?;
    for statement in [DELETE_RECORDS, DELETE_ORDERS, DELETE_RUNS] {
        insert(connection, statement, &old).await?;
    }
    sqlx::query(DELETE_CONTRACTS).bind(before).execute(connection).await?;
    Ok(old.len() as u64)
}

fn claim(epoch: i64, run_id: String) -> Result<Claim, sqlx::Error> {
    let unreadable = |text| sqlx::Error::Decode(Box::new(Problem::Unreadable { text, expected: "claim" }));
    let epoch = epoch.try_into().map_err(|_| unreadable(epoch.to_string()))?;
    let run_id = RunId(run_id.parse::<Uuid>().map_err(|_| unreadable(run_id))?);
    Ok(Claim { run_id, epoch })
}

pub(crate) const FREE: &str = "\
    SELECT run_id FROM runs INDEXED BY runs_running \
    WHERE status = 'running' AND (lease_until <= ?2 OR (?4 AND owner = ?1)) AND NOT EXISTS ( \
        SELECT 1 FROM runs AS carrier WHERE carrier.run_id = runs.parent AND carrier.status = 'running') \
    ORDER BY lease_until, position LIMIT ?3";

pub(crate) const TAKE: &str = "\
    UPDATE runs SET epoch = epoch + 1, owner = ?2, lease_until = ?3 \
    WHERE run_id IN (SELECT value FROM json_each(?1)) RETURNING run_id, epoch";

pub(crate) const OLD: &str = "\
    SELECT run_id FROM runs INDEXED BY runs_ended \
    WHERE ended_at < ?1 AND status <> 'set_aside' \
        AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.run_id = runs.run_id) \
        AND NOT EXISTS (SELECT 1 FROM orders \
            WHERE orders.run_id = runs.run_id AND settled = 0 AND kind = 'retry') \
        AND NOT EXISTS (SELECT 1 FROM runs AS child WHERE child.parent = runs.run_id AND child.ended_at IS NULL) \
    ORDER BY ended_at, position LIMIT ?2";

pub(crate) const DELETE_RECORDS: &str = "\
    DELETE FROM run_records WHERE run IN ( \
        SELECT position FROM runs WHERE run_id IN (SELECT value FROM json_each(?1)))";

pub(crate) const DELETE_ORDERS: &str = "DELETE FROM orders WHERE run_id IN (SELECT value FROM json_each(?1))";

pub(crate) const DELETE_RUNS: &str = "DELETE FROM runs WHERE run_id IN (SELECT value FROM json_each(?1))";

/// Reads all runs when a contract is that old, which is seldom; an index on their contracts would cost each start.
pub(crate) const DELETE_CONTRACTS: &str = "\
    DELETE FROM contracts WHERE saved_at < ?1 AND NOT EXISTS ( \
        SELECT 1 FROM runs WHERE runs.contract_fingerprint = contracts.fingerprint)";
