//! Prints how many runs of four appends per second the journal carries, beside the server's own commits per second by
//! the same client library and a client that commits once per run.
//!
//! `eval "$(cargo xtask services env)"; cargo run --release -p onex-journal-postgres --example throughput [committers]`

#![expect(clippy::print_stdout, reason = "an example that prints")]
#![expect(clippy::expect_used, reason = "an example that ends at the first failure")]
#![expect(clippy::disallowed_methods, reason = "an example reads its environment and makes its own ids")]

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use onex_journal::{Append, End, Journal, NewRecord, NewRun, RunStatus};
use onex_journal_postgres::{PostgresJournal, PostgresJournalConfig};
use onex_node::{RunId, Timestamp};
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

const TIME: Duration = Duration::from_secs(4);

#[tokio::main]
async fn main() {
    let url = std::env::var("ONEX_TEST_POSTGRES_URL").expect("eval \"$(cargo xtask services env)\"");
    let options = PgConnectOptions::from_str(&url).expect("a URL");
    let name = format!("onex_bench_{}", Uuid::new_v4().simple());
    maintain(&options, format!("CREATE DATABASE {name}")).await;
    let options = options.clone().database(&name);
    for connections in [1, 16] {
        commits(&options, connections, 1).await;
    }
    commits(&options, 16, 4).await;
    let mut config = PostgresJournalConfig::new(options.to_url_lossy().to_string().into());
    if let Some(committers) = std::env::args().nth(1) {
        config.committers = committers.parse().expect("a number");
    }
    for in_flight in [1, 16, 64] {
        runs(&config, in_flight).await;
    }
    let postgres = options.database("postgres");
    maintain(&postgres, format!("DROP DATABASE {name} WITH (FORCE)")).await;
}

async fn maintain(options: &PgConnectOptions, statement: String) {
    let mut connection = options.connect().await.expect("the server answers");
    sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.expect("it is allowed");
}

/// What the server does of commits of `rows` one-row inserts each.
async fn commits(options: &PgConnectOptions, connections: usize, rows: usize) {
    maintain(options, "CREATE TABLE IF NOT EXISTS plain (id uuid PRIMARY KEY, body text NOT NULL)".to_owned()).await;
    let body = "x".repeat(300);
    let client = |mut connection: PgConnection| {
        let body = body.clone();
        async move {
            let (begin, mut count) = (Instant::now(), 0);
            while begin.elapsed() < TIME {
                if rows > 1 {
                    sqlx::query("BEGIN").execute(&mut connection).await.expect("begun");
                }
                for _ in 0..rows {
                    let insert = sqlx::query("INSERT INTO plain VALUES ($1, $2)").bind(Uuid::new_v4()).bind(&body);
                    insert.execute(&mut connection).await.expect("inserted");
                }
                if rows > 1 {
                    sqlx::query("COMMIT").execute(&mut connection).await.expect("committed");
                }
                count += 1;
            }
            count
        }
    };
    let tasks = TaskTracker::new();
    let mut running = Vec::new();
    for _ in 0..connections {
        running.push(tasks.spawn(client(options.connect().await.expect("the server answers"))));
    }
    let mut count = 0;
    for task in running {
        count += task.await.expect("it ends");
    }
    println!(
        "{connections:>3} connections, {rows} rows a commit: {:>8.0} commits/s",
        count as f64 / TIME.as_secs_f64()
    );
}

async fn runs(config: &PostgresJournalConfig, in_flight: usize) {
    let journal = Arc::new(PostgresJournal::open(config.clone()).await.expect("it opens"));
    let (tasks, begin) = (TaskTracker::new(), Instant::now());
    let running: Vec<_> = (0..in_flight).map(|_| tasks.spawn(client(Arc::clone(&journal)))).collect();
    let mut times = Vec::new();
    for task in running {
        times.extend(task.await.expect("it ends"));
    }
    times.sort_unstable();
    let (seconds, statistics) = (begin.elapsed().as_secs_f64(), journal.statistics());
    println!(
        "{in_flight:>3} in flight: {:>7.0} runs/s, p50 {:?}, p99 {:?}, {:.1} requests a commit",
        times.len() as f64 / seconds,
        times[times.len() / 2],
        times[times.len() * 99 / 100],
        statistics.requests as f64 / statistics.commits as f64,
    );
    journal.close().await;
}

async fn client(journal: Arc<PostgresJournal>) -> Vec<Duration> {
    let (begin, mut times) = (Instant::now(), Vec::new());
    while begin.elapsed() < TIME {
        let start = Instant::now();
        one_run(&journal).await;
        times.push(start.elapsed());
    }
    times
}

/// A start and three outcomes, the last together with the end.
async fn one_run(journal: &PostgresJournal) {
    let run_id = RunId(Uuid::new_v4());
    journal.start(NewRun::example(run_id, "f")).await.expect("it starts");
    for expected_sequence in 1..=3 {
        let body = json!({"step": "store", "output": {"rows": 1, "etag": "b7f2c1", "text": "x".repeat(200)}});
        let records = vec![NewRecord { kind: "effect_done".to_owned(), body }];
        let (status, at) = (RunStatus::Succeeded, Timestamp::UNIX_EPOCH);
        let end = (expected_sequence == 3).then(|| End { status, at, outbox: vec![], states: vec![] });
        let append = Append { records, end, ..Append::example(run_id, 1, expected_sequence) };
        journal.append(append).await.expect("in sequence");
    }
}
