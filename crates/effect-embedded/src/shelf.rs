//! Decides how a registration, a removal and an undo go, for both tables alike. Each runs within one
//! transaction that the caller opened for writing, so nothing changes between the look and the write.

use onex_effect::{Applied, AppliedOutcome, RemovalVerdict, Stored, Verdict, judge, judge_removal, refused_as_stale};
use onex_event::EventPosition;
use onex_node::{ErrorClass, Failure, IdempotencyKey};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::SqliteConnection;

use crate::failure::unreadable;
use crate::history::History;

/// One table with its history.
pub(crate) trait Shelf {
    /// A row, which is also what the history keeps of it.
    type Row: Serialize + DeserializeOwned + Send + Sync;

    /// The history's statements.
    const HISTORY: History;

    /// Where a row stands.
    fn stored(row: &Self::Row) -> Stored;

    /// What `new` becomes when it replaces `old`.
    fn replacing(new: Self::Row, old: &Self::Row) -> Self::Row;

    /// What stays of a row that is taken out of service at `position`.
    fn removed(row: &Self::Row, position: Option<&EventPosition>) -> Option<Self::Row>;

    /// The row of `id`.
    fn load(
        connection: &mut SqliteConnection,
        id: &str,
    ) -> impl Future<Output = Result<Option<Self::Row>, Failure>> + Send;

    /// Writes a row over whatever is there.
    fn store(connection: &mut SqliteConnection, row: &Self::Row) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Takes a row away.
    fn delete(connection: &mut SqliteConnection, id: &str) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Registers `row` as `id`.
pub(crate) async fn register<S: Shelf>(
    connection: &mut SqliteConnection,
    id: &str,
    row: S::Row,
    key: &IdempotencyKey,
) -> Result<Applied, Failure> {
    if let Some(outcome) = S::HISTORY.seen(connection, key).await? {
        return Ok(Applied::before(outcome));
    }
    let old = S::load(connection, id).await?;
    let stored = old.as_ref().map(S::stored);
    let outcome = match (judge(&S::stored(&row).position, stored.as_ref()), &old) {
        (Verdict::Keep, _) => AppliedOutcome::Unchanged,
        (Verdict::Stale, _) => return Err(stale(stored)),
        (Verdict::Create | Verdict::Replace, None) => {
            S::store(connection, &row).await?;
            AppliedOutcome::Created
        }
        (Verdict::Create | Verdict::Replace, Some(old)) => {
            S::store(connection, &S::replacing(row, old)).await?;
            AppliedOutcome::Replaced
        }
    };
    remember::<S>(connection, id, key, outcome, old.as_ref()).await
}

/// Takes `id` out of service.
pub(crate) async fn remove<S: Shelf>(
    connection: &mut SqliteConnection,
    id: &str,
    position: Option<&EventPosition>,
    key: &IdempotencyKey,
) -> Result<Applied, Failure> {
    if let Some(outcome) = S::HISTORY.seen(connection, key).await? {
        return Ok(Applied::before(outcome));
    }
    let old = S::load(connection, id).await?;
    let stored = old.as_ref().map(S::stored);
    let outcome = match (judge_removal(position, stored.as_ref()), &old) {
        (RemovalVerdict::Stale, _) => return Err(stale(stored)),
        (RemovalVerdict::Nothing, _) | (RemovalVerdict::Remove, None) => AppliedOutcome::Unchanged,
        (RemovalVerdict::Remove, Some(old)) => {
            match S::removed(old, position) {
                Some(row) => S::store(connection, &row).await?,
                None => S::delete(connection, id).await?,
            }
            AppliedOutcome::Removed
        }
    };
    remember::<S>(connection, id, key, outcome, old.as_ref()).await
}

/// Takes back what the key did to `id`.
pub(crate) async fn undo<S: Shelf>(
    connection: &mut SqliteConnection,
    id: &str,
    key: &IdempotencyKey,
) -> Result<(), Failure> {
    if let Some(line) = S::HISTORY.find(connection, id, key).await? {
        match (S::HISTORY.after(connection, id, &line).await?, &line.replaced) {
            (Some(after), _) => S::HISTORY.relink(connection, &line, after).await?,
            (None, None) => S::delete(connection, id).await?,
            (None, Some(replaced)) => {
                let row = serde_json::from_str(replaced).map_err(|_| unreadable("history"))?;
                S::store(connection, &row).await?;
            }
        }
    }
    S::HISTORY.forget(connection, key).await
}

async fn remember<S: Shelf>(
    connection: &mut SqliteConnection,
    id: &str,
    key: &IdempotencyKey,
    outcome: AppliedOutcome,
    old: Option<&S::Row>,
) -> Result<Applied, Failure> {
    let replaced = old.filter(|_| outcome != AppliedOutcome::Unchanged).map(serde_json::to_string);
    let replaced = replaced.transpose().map_err(|_| unreadable("row"))?;
    S::HISTORY.record(connection, id, key, outcome, replaced).await?;
    Ok(Applied::now(outcome))
}

fn stale(stored: Option<Stored>) -> Failure {
    let internal = || Failure::new(ErrorClass::Internal, onex_effect::codes::REFUSED, "stale without a stored row");
    stored.map_or_else(internal, |stored| refused_as_stale(&stored.position))
}
