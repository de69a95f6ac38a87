//! Decides which runs a take-over gives away and which a pruning removes. What somebody else has locked is passed
//! over: it is being written to, and the next call finds it.

use onex_journal::Claim;
use onex_journal::planning::{Prune, TakeOver};
use onex_node::{RunId, Timestamp};
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use crate::load::count;

/// Gives runs that are free to an owner, the oldest lease first.
pub(crate) async fn take_over(connection: &mut PgConnection, take_over: &TakeOver) -> Result<Vec<Claim>, sqlx::Error> {
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(TAKE_OVER)
        .bind(&take_over.owner)
        .bind(Timestamp::from(take_over.now))
        .bind(Timestamp::from(take_over.lease_until))
        .bind(i64::from(take_over.limit))
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(|(run_id, epoch)| Ok(Claim { run_id: RunId(run_id), epoch: count(epoch)? })).collect()
}

/// Removes what is old and not needed. Returns how many runs.
pub(crate) async fn prune(connection: &mut PgConnection, prune: Prune) -> Result<u64, sqlx::Error> {
    let before = Timestamp::from(prune.ended_before);
    let mut transaction = connection.begin().await?;
    let old: Vec<Uuid> =
        sqlx::query_scalar(LOCK_OLD).bind(before).bind(i64::from(prune.limit)).fetch_all(&mut *transaction).await?;
    // Judged again now that they are locked: an order may have come in between.
    let removed: Vec<Uuid> = sqlx::query_scalar(DELETE_RUNS).bind(&old).fetch_all(&mut *transaction).await?;
    for statement in [DELETE_RECORDS, DELETE_ORDERS] {
        sqlx::query(statement).bind(&removed).execute(&mut *transaction).await?;
    }
    sqlx::query(DELETE_CONTRACTS).bind(before).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(removed.len() as u64)
}

const TAKE_OVER: &str = "\
    WITH free AS ( \
        SELECT run_id, lease_until, position FROM onex_runs AS run \
        WHERE status = 'running' AND (owner = $1 OR lease_until <= $2) AND NOT EXISTS ( \
            SELECT 1 FROM onex_runs AS carrier WHERE carrier.run_id = run.parent AND carrier.status = 'running') \
        ORDER BY lease_until, position LIMIT $4 FOR UPDATE SKIP LOCKED), \
    taken AS ( \
        UPDATE onex_runs AS run SET epoch = run.epoch + 1, owner = $1, lease_until = $3 \
        FROM free WHERE run.run_id = free.run_id \
        RETURNING run.run_id, run.epoch, free.lease_until AS was_until, free.position AS place) \
    SELECT run_id, epoch FROM taken ORDER BY was_until, place";

const LOCK_OLD: &str = "\
    SELECT run_id FROM onex_runs AS run \
    WHERE ended_at < $1 AND status <> 'set_aside' \
        AND NOT EXISTS (SELECT 1 FROM onex_outbox AS message WHERE message.run_id = run.run_id) \
        AND NOT EXISTS (SELECT 1 FROM onex_orders AS wish \
            WHERE wish.run_id = run.run_id AND NOT wish.settled AND wish.kind = 'retry') \
        AND NOT EXISTS (SELECT 1 FROM onex_runs AS child \
            WHERE child.parent = run.run_id AND child.ended_at IS NULL) \
    ORDER BY ended_at, position LIMIT $2 FOR UPDATE SKIP LOCKED";

const DELETE_RUNS: &str = "\
    DELETE FROM onex_runs AS run WHERE run_id = ANY($1) \
        AND NOT EXISTS (SELECT 1 FROM onex_orders AS wish \
            WHERE wish.run_id = run.run_id AND NOT wish.settled AND wish.kind = 'retry') \
    RETURNING run_id";

const DELETE_RECORDS: &str = "DELETE FROM onex_records WHERE run_id = ANY($1)";

const DELETE_ORDERS: &str = "DELETE FROM onex_orders WHERE run_id = ANY($1)";

/// Reads all runs when a contract is that old, which is seldom; an index on their contracts would cost each start.
const DELETE_CONTRACTS: &str = "\
    DELETE FROM onex_contracts AS contract WHERE saved_at < $1 AND NOT EXISTS ( \
        SELECT 1 FROM onex_runs AS run WHERE run.contract_fingerprint = contract.fingerprint)";
