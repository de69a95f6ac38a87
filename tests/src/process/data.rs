//! Asking databases from outside. A query gives one column of JSON text in one row, made by the database's own
//! JSON functions, so that one function per database is enough.

use std::path::Path;

use serde_json::Value;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

/// Runs a future to its end.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future)
}

/// What a query over a SQLite file gives.
pub fn sqlite(file: &Path, query: &'static str) -> Value {
    assert!(file.exists(), "missing: {}", file.display());
    block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let mut connection = options.connect().await.expect("a SQLite file");
        let text: Option<String> = sqlx::query_scalar(query).fetch_one(&mut connection).await.expect("one row");
        connection.close().await.expect("closable");
        parsed(text)
    })
}

/// How many rows a query over a SQLite file gives.
pub fn sqlite_count(file: &Path, query: &str) -> usize {
    assert!(file.exists(), "missing: {}", file.display());
    block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let mut connection = options.connect().await.expect("a SQLite file");
        let rows = sqlx::query(AssertSqlSafe(query.to_owned())).fetch_all(&mut connection).await;
        connection.close().await.expect("closable");
        rows.unwrap_or_else(|error| panic!("{error}: {query}")).len()
    })
}

/// What a query over a PostgreSQL database gives; its column is cast to text.
pub fn postgres(url: &str, query: &'static str) -> Value {
    block_on(async {
        let mut connection = sqlx::PgConnection::connect(url).await.expect("the test server answers");
        let text: Option<String> = sqlx::query_scalar(query).fetch_one(&mut connection).await.expect("one row");
        parsed(text)
    })
}

/// An aggregate over no rows is NULL.
fn parsed(text: Option<String>) -> Value {
    text.map_or(Value::Null, |text| serde_json::from_str(&text).expect("the query gives JSON"))
}
