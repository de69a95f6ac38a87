//! Decides how a row is written: one statement that looks, judges, writes and remembers.
//!
//! `prior` locks the row, so that of two writers the second judges over what the first has left; the
//! judgement is that of `onex_effect::judge`, said in SQL. Two races are left, and both are answered
//! by running the statement again: a row that appeared after the statement's snapshot is not
//! overwritten (`created` meets a conflict and writes nothing), and a key that was committed after it
//! violates the history's unique constraint. Each means that another writer got through.

use onex_effect::{Applied, AppliedOutcome, codes, refused_as_stale};
use onex_event::intent::{PostgresDeregister, RegistrationRecord};
use onex_event::{EventPosition, Timestamp};
use onex_node::{ErrorClass, Failure, IdempotencyKey};
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::failure::{failure, is_lost_race, unreadable};
use crate::row::{column_of_epoch, position};

const UPSERT: &str = "
WITH seen AS (
    SELECT action FROM node_registration_history WHERE idempotency_key = $1
), prior AS (
    SELECT * FROM node_registrations WHERE node_id = $2 FOR UPDATE
), verdict AS (
    SELECT CASE
        WHEN EXISTS (SELECT FROM seen) THEN 'repeated'
        WHEN NOT EXISTS (SELECT FROM prior) THEN 'created'
        WHEN (SELECT CASE WHEN epoch <> $13 THEN $13 > epoch ELSE $14 > event_timestamp END FROM prior) THEN 'replaced'
        WHEN (SELECT state = 'active' AND (epoch <> $13) IS NOT TRUE AND $14 = event_timestamp FROM prior)
            THEN 'unchanged'
        ELSE 'stale'
    END AS word
), written AS (
    INSERT INTO node_registrations (
        node_id, node_name, node_type, node_version, capabilities, endpoints, metadata, health_endpoint, node_role,
        network_id, deployment_id, epoch, event_timestamp, correlation_id, run_id, state, registered_at, updated_at
    )
    SELECT $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 'active', $17, $18
    FROM verdict WHERE word IN ('created', 'replaced')
    ON CONFLICT (node_id) DO UPDATE SET
        node_name = excluded.node_name, node_type = excluded.node_type, node_version = excluded.node_version,
        capabilities = excluded.capabilities, endpoints = excluded.endpoints, metadata = excluded.metadata,
        health_endpoint = excluded.health_endpoint, node_role = excluded.node_role, network_id = excluded.network_id,
        deployment_id = excluded.deployment_id, epoch = excluded.epoch, event_timestamp = excluded.event_timestamp,
        correlation_id = excluded.correlation_id, run_id = excluded.run_id, state = excluded.state,
        updated_at = excluded.updated_at
    WHERE (SELECT word FROM verdict) = 'replaced'
    RETURNING node_id
), recorded AS (
    INSERT INTO node_registration_history (node_id, idempotency_key, action, replaced)
    SELECT $2, $1, word, (SELECT to_jsonb(prior) FROM prior WHERE word = 'replaced')
    FROM verdict WHERE word = 'unchanged' OR EXISTS (SELECT FROM written)
    RETURNING id
)
SELECT word, EXISTS (SELECT FROM recorded) AS recorded, (SELECT action FROM seen) AS action,
    prior.epoch, prior.event_timestamp
FROM verdict LEFT JOIN prior ON TRUE";

const DEREGISTER: &str = "
WITH seen AS (
    SELECT action FROM node_registration_history WHERE idempotency_key = $1
), prior AS (
    SELECT * FROM node_registrations WHERE node_id = $2 FOR UPDATE
), verdict AS (
    SELECT CASE
        WHEN EXISTS (SELECT FROM seen) THEN 'repeated'
        WHEN NOT EXISTS (SELECT FROM prior WHERE state = 'active') THEN 'unchanged'
        WHEN (SELECT CASE WHEN epoch <> $3 THEN $3 < epoch ELSE $4 < event_timestamp END FROM prior) THEN 'stale'
        ELSE 'removed'
    END AS word
), written AS (
    UPDATE node_registrations AS row SET
        state = 'deregistered',
        epoch = coalesce($3, row.epoch),
        event_timestamp = coalesce($4, row.event_timestamp),
        updated_at = coalesce($4, row.updated_at)
    FROM verdict WHERE row.node_id = $2 AND word = 'removed'
    RETURNING row.node_id
), recorded AS (
    INSERT INTO node_registration_history (node_id, idempotency_key, action, replaced)
    SELECT $2, $1, word, (SELECT to_jsonb(prior) FROM prior WHERE word = 'removed')
    FROM verdict WHERE word = 'unchanged' OR EXISTS (SELECT FROM written)
    RETURNING id
)
SELECT word, EXISTS (SELECT FROM recorded) AS recorded, (SELECT action FROM seen) AS action,
    prior.epoch, prior.event_timestamp
FROM verdict LEFT JOIN prior ON TRUE";

/// How often a statement is run again after another writer got through first.
const MAX_RACES: u32 = 16;

/// What the statement found and did.
#[derive(sqlx::FromRow)]
struct Answer {
    word: String,
    recorded: bool,
    action: Option<String>,
    epoch: Option<i64>,
    event_timestamp: Option<Timestamp>,
}

/// What became of one run of a statement.
enum Attempt {
    Settled(Applied),
    Overtaken,
}

/// Writes a node's row.
pub(crate) async fn upsert(
    connection: &mut PgConnection,
    record: &RegistrationRecord,
    key: &IdempotencyKey,
) -> Result<Applied, Failure> {
    for _ in 0..MAX_RACES {
        if let Attempt::Settled(applied) = try_upsert(connection, record, key).await? {
            return Ok(applied);
        }
    }
    Err(too_many_races())
}

/// Marks a node's row as deregistered.
pub(crate) async fn deregister(
    connection: &mut PgConnection,
    intent: &PostgresDeregister,
    key: &IdempotencyKey,
) -> Result<Applied, Failure> {
    for _ in 0..MAX_RACES {
        if let Attempt::Settled(applied) = try_deregister(connection, intent, key).await? {
            return Ok(applied);
        }
    }
    Err(too_many_races())
}

async fn try_upsert(
    connection: &mut PgConnection,
    record: &RegistrationRecord,
    key: &IdempotencyKey,
) -> Result<Attempt, Failure> {
    let query = sqlx::query_as(UPSERT)
        .bind(key.as_str())
        .bind(record.node_id)
        .bind(&record.node_name)
        .bind(record.node_type.as_str())
        .bind(&record.node_version)
        .bind(&record.capabilities)
        .bind(Json(&record.endpoints))
        .bind(&record.metadata)
        .bind(&record.health_endpoint)
        .bind(&record.node_role)
        .bind(&record.network_id)
        .bind(&record.deployment_id)
        .bind(record.position.epoch.map(column_of_epoch).transpose()?)
        .bind(record.position.timestamp)
        .bind(record.correlation_id)
        .bind(record.run_id)
        .bind(record.registered_at)
        .bind(record.updated_at);
    settle("writing the registration", query.fetch_one(connection).await)
}

async fn try_deregister(
    connection: &mut PgConnection,
    intent: &PostgresDeregister,
    key: &IdempotencyKey,
) -> Result<Attempt, Failure> {
    let epoch = intent.position.and_then(|position| position.epoch);
    let query = sqlx::query_as(DEREGISTER)
        .bind(key.as_str())
        .bind(intent.node_id)
        .bind(epoch.map(column_of_epoch).transpose()?)
        .bind(intent.position.map(|position| position.timestamp));
    settle("deregistering the node", query.fetch_one(connection).await)
}

fn settle(act: &str, answered: Result<Answer, sqlx::Error>) -> Result<Attempt, Failure> {
    let answer = match answered {
        Err(error) if is_lost_race(&error) => return Ok(Attempt::Overtaken),
        answered => answered.map_err(|error| failure(act, &error))?,
    };
    let outcome = |word: &str| AppliedOutcome::from_word(word).ok_or_else(|| unreadable("history"));
    match (answer.word.as_str(), answer.recorded) {
        ("repeated", _) => Ok(Attempt::Settled(Applied::before(outcome(answer.action.as_deref().unwrap_or(""))?))),
        ("stale", _) => Err(answer.stored().map_or_else(|| unreadable("position"), |stored| refused_as_stale(&stored))),
        (word, true) => Ok(Attempt::Settled(Applied::now(outcome(word)?))),
        (_, false) => Ok(Attempt::Overtaken),
    }
}

impl Answer {
    fn stored(&self) -> Option<EventPosition> {
        self.event_timestamp.map(|timestamp| position(self.epoch, timestamp))
    }
}

fn too_many_races() -> Failure {
    let message = format!("{MAX_RACES} other writers of this node got through first");
    Failure::new(ErrorClass::Unavailable, codes::NOT_SERVING, message)
}
