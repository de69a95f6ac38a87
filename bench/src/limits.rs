//! Measures what the machine itself can do, to hold the engine's figures against: no engine, no journal.

use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::future::try_join_all;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::Place;

/// Small writes to the end of a file, each put on disk before the next.
pub(crate) fn fdatasync(place: &Place, time: Duration) -> Result<Value> {
    let mut file = File::create(place.directory.join("fdatasync")).context("creating a file")?;
    let (begin, mut count) = (Instant::now(), 0_u32);
    while begin.elapsed() < time {
        // A journal's file keeps its length between checkpoints; so does this one.
        if count.is_multiple_of(1024) {
            file = File::options().write(true).open(place.directory.join("fdatasync")).context("opening a file")?;
        }
        file.write_all(&[1; 4096]).context("writing")?;
        rustix::fs::fdatasync(&file).context("fdatasync")?;
        count += 1;
    }
    let per_second = f64::from(count) / begin.elapsed().as_secs_f64();
    Ok(json!({"bench": "limit", "what": "fdatasync", "in_flight": 1, "per_second": per_second}))
}

/// Inserts of one row, each its own commit, on so many connections.
pub(crate) async fn postgres_commit(place: &Place, in_flight: usize, time: Duration) -> Result<Value> {
    let url = place.postgres_url.as_deref().context("no database is named")?;
    let mut first = PgConnection::connect(url).await?;
    sqlx::query("DROP TABLE IF EXISTS bench_commits").execute(&mut first).await?;
    sqlx::query("CREATE TABLE bench_commits (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text NOT NULL)")
        .execute(&mut first)
        .await?;
    let connections = try_join_all((0..in_flight).map(|_| PgConnection::connect(url))).await?;
    let begin = Instant::now();
    let inserts = connections.into_iter().map(|connection| tokio::spawn(insert(connection, begin + time)));
    let counts = try_join_all(inserts).await?.into_iter().collect::<Result<Vec<u64>>>()?;
    let per_second = counts.iter().sum::<u64>() as f64 / begin.elapsed().as_secs_f64();
    sqlx::query("DROP TABLE bench_commits").execute(&mut first).await?;
    Ok(json!({"bench": "limit", "what": "postgres_commit", "in_flight": in_flight, "per_second": per_second}))
}

async fn insert(mut connection: PgConnection, end: Instant) -> Result<u64> {
    let (body, mut count) = ("x".repeat(200), 0);
    while Instant::now() < end {
        sqlx::query("INSERT INTO bench_commits (body) VALUES ($1)").bind(&body).execute(&mut connection).await?;
        count += 1;
    }
    Ok(count)
}
