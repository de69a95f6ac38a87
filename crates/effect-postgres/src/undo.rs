//! Decides how a write is taken back. Rare, so it is a transaction of several statements: the first
//! locks the node's row, and each after it sees what was committed before the lock was had.
//!
//! The lines of one node's history form a chain, each holding the row before it. An undo takes a line
//! out of the chain: the last line's `replaced` goes back into the table, any other's goes to the
//! line after it, so that undoing in either order ends in the same place.

use onex_node::{Failure, IdempotencyKey};
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use crate::failure::failure;

const LOCK: &str = "SELECT FROM node_registrations WHERE node_id = $1 FOR UPDATE";

/// The line of the key, and the line after it.
const FIND: &str = "
SELECT line.id, line.replaced IS NULL AS created, (
    SELECT min(later.id) FROM node_registration_history AS later
    WHERE later.node_id = $1 AND later.id > line.id AND later.action IN ('created', 'replaced', 'removed')
) AS later
FROM node_registration_history AS line
WHERE line.node_id = $1 AND line.idempotency_key = $2 AND line.action <> 'unchanged'";

const RELINK: &str = "
UPDATE node_registration_history AS later SET replaced = line.replaced
FROM node_registration_history AS line WHERE line.id = $1 AND later.id = $2";

const TAKE_AWAY: &str = "DELETE FROM node_registrations WHERE node_id = $1";

const RESTORE: &str = "
INSERT INTO node_registrations
SELECT restored.* FROM node_registration_history AS line,
    jsonb_populate_record(NULL::node_registrations, line.replaced) AS restored
WHERE line.id = $1";

const FORGET: &str = "
UPDATE node_registration_history SET idempotency_key = NULL, action = 'undone' WHERE idempotency_key = $1";

#[derive(sqlx::FromRow)]
struct Line {
    id: i64,
    created: bool,
    later: Option<i64>,
}

/// Takes back what the key did to the node, and forgets the key.
pub(crate) async fn undo(connection: &mut PgConnection, node_id: Uuid, key: &IdempotencyKey) -> Result<(), Failure> {
    undo_in_transaction(connection, node_id, key).await.map_err(|error| failure("undoing the registration", &error))
}

async fn undo_in_transaction(
    connection: &mut PgConnection,
    node_id: Uuid,
    key: &IdempotencyKey,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    sqlx::query(LOCK).bind(node_id).execute(&mut *transaction).await?;
    let line = sqlx::query_as(FIND).bind(node_id).bind(key.as_str()).fetch_optional(&mut *transaction).await?;
    if let Some(line) = line {
        take_out(&mut transaction, node_id, &line).await?;
    }
    sqlx::query(FORGET).bind(key.as_str()).execute(&mut *transaction).await?;
    transaction.commit().await
}

async fn take_out(connection: &mut PgConnection, node_id: Uuid, line: &Line) -> Result<(), sqlx::Error> {
    if let Some(later) = line.later {
        sqlx::query(RELINK).bind(line.id).bind(later).execute(connection).await?;
        return Ok(());
    }
    sqlx::query(TAKE_AWAY).bind(node_id).execute(&mut *connection).await?;
    if !line.created {
        sqlx::query(RESTORE).bind(line.id).execute(connection).await?;
    }
    Ok(())
}
