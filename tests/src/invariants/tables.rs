//! Reads a journal's tables, as `docs/journal.md` describes them. The queries are the same for every database but for
//! the tables' prefix: identifiers and JSON as text, numbers as `BIGINT`.

use std::path::Path;

use serde_json::Value;
use sqlx::{ConnectOptions, Connection};

use super::{Outgoing, Record, Run, Snapshot};
use crate::process::block_on;

/// One query per table.
struct Queries {
    contracts: &'static str,
    runs: &'static str,
    records: &'static str,
    outbox: &'static str,
    inbox: &'static str,
    states: &'static str,
}

/// The queries over tables whose names begin so.
macro_rules! queries {
    ($prefix:literal) => {
        Queries {
            contracts: concat!("SELECT fingerprint FROM ", $prefix, "contracts"),
            runs: concat!(
                "SELECT CAST(run_id AS TEXT), contract_fingerprint, status, CAST(epoch AS BIGINT), ",
                "CAST(last_sequence AS BIGINT), CAST(bytes AS BIGINT), ",
                "CAST(CASE WHEN ended_at IS NULL THEN 0 ELSE 1 END AS BIGINT) FROM ",
                $prefix,
                "runs"
            ),
            records: concat!(
                "SELECT CAST(run_id AS TEXT), CAST(sequence AS BIGINT), kind, body FROM ",
                $prefix,
                "records ORDER BY run_id, sequence"
            ),
            outbox: concat!(
                "SELECT CAST(id AS TEXT), envelope, CAST(run_id AS TEXT) FROM ",
                $prefix,
                "outbox ORDER BY position"
            ),
            inbox: concat!("SELECT CAST(count(*) AS BIGINT) FROM ", $prefix, "inbox"),
            states: concat!("SELECT reducer, entity, CAST(version AS BIGINT), state FROM ", $prefix, "entity_states"),
        }
    };
}

const SQLITE: Queries = queries!("");
const POSTGRES: Queries = queries!("onex_");

type RunRow = (String, String, String, i64, i64, i64, i64);
type RecordRow = (String, i64, String, String);

/// What the queries give.
struct Rows {
    contracts: Vec<(String,)>,
    runs: Vec<RunRow>,
    records: Vec<RecordRow>,
    outbox: Vec<(String, String, Option<String>)>,
    inbox: i64,
    states: Vec<(String, String, i64, String)>,
}

/// Runs the queries in one transaction; a macro, because sqlx has no name for "any connection" that needs no driver.
macro_rules! rows {
    ($connection:expr, $queries:expr) => {{
        let mut transaction = $connection.begin().await.expect("a transaction");
        let rows = Rows {
            contracts: sqlx::query_as($queries.contracts).fetch_all(&mut *transaction).await.expect("contracts"),
            runs: sqlx::query_as($queries.runs).fetch_all(&mut *transaction).await.expect("runs"),
            records: sqlx::query_as($queries.records).fetch_all(&mut *transaction).await.expect("records"),
            outbox: sqlx::query_as($queries.outbox).fetch_all(&mut *transaction).await.expect("outbox"),
            inbox: sqlx::query_scalar($queries.inbox).fetch_one(&mut *transaction).await.expect("inbox"),
            states: sqlx::query_as($queries.states).fetch_all(&mut *transaction).await.expect("states"),
        };
        transaction.rollback().await.expect("nothing was written");
        rows
    }};
}

impl Snapshot {
    /// What is in a journal of SQLite.
    pub fn of_sqlite(path: &Path) -> Self {
        block_on(Self::of_sqlite_now(path))
    }

    /// The same within a runtime.
    pub async fn of_sqlite_now(path: &Path) -> Self {
        assert!(path.exists(), "missing: {}", path.display());
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
        let mut connection = options.connect().await.expect("a SQLite file");
        let rows = rows!(connection, SQLITE);
        connection.close().await.expect("closable");
        Self::of_rows(rows)
    }

    /// What is in a journal of PostgreSQL.
    pub fn of_postgres(url: &str) -> Self {
        block_on(async {
            let mut connection = sqlx::PgConnection::connect(url).await.expect("the test server answers");
            let rows = rows!(connection, POSTGRES);
            connection.close().await.expect("closable");
            Self::of_rows(rows)
        })
    }

    fn of_rows(rows: Rows) -> Self {
        let runs = rows.runs.into_iter().map(|row| (row.0.parse().expect("an id"), run(row)));
        let mut snapshot = Self {
            contracts: rows.contracts.into_iter().map(|(fingerprint,)| fingerprint).collect(),
            runs: runs.collect(),
            outbox: rows.outbox.into_iter().map(outgoing).collect(),
            inbox: rows.inbox,
            states: rows
                .states
                .into_iter()
                .map(|(reducer, entity, version, state)| ((reducer, entity), (version, json(&state))))
                .collect(),
        };
        for (run_id, sequence, kind, body) in rows.records {
            let run = snapshot.runs.get_mut(&run_id.parse().expect("an id")).expect("a record belongs to a run");
            run.size += i64::try_from(body.len()).expect("small");
            run.records.push(Record { sequence, kind, body: json(&body) });
        }
        snapshot
    }
}

fn run((_, fingerprint, status, epoch, last_sequence, bytes, has_ended_at): RunRow) -> Run {
    let has_ended_at = has_ended_at == 1;
    Run { fingerprint, status, epoch, last_sequence, bytes, size: 0, has_ended_at, records: Vec::new() }
}

fn outgoing((id, envelope, run_id): (String, String, Option<String>)) -> Outgoing {
    let run_id = run_id.map(|run_id| run_id.parse().expect("an id"));
    Outgoing { id: id.parse().expect("an id"), envelope: json(&envelope), run_id }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}
