//! Two workers on one PostgreSQL journal: one is stopped in the middle of its runs and beyond its leases, the other
//! takes them over, the first wakes up late. Then every run has ended once, and the journal's tables keep what
//! `docs/journal.md` promises.

#![expect(clippy::expect_used, clippy::panic, reason = "a test reports by panicking")]

use onex_tests::process::{Database, Home, Program, Running, block_on, crowd, lines, postgres, sqlite_count, until};
use onex_tests::{ORCHESTRATOR, contract_path, text, workspace};
use rustix::process::Signal;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

const NODES: u32 = 300;

/// Our orchestrator with attempts that outlast the stop: a worker that wakes up must not find that every attempt took
/// too long, open its breaker and fail the runs that are still its own.
fn patient() -> String {
    let text = text(&contract_path(ORCHESTRATOR));
    let patient = text.replace("step_timeout_ms: 3000", "step_timeout_ms: 120000");
    let patient = patient.replace("      timeout_ms: 30000", "      timeout_ms: 600000");
    assert_ne!(patient, text, "the contract has the timeouts that are replaced");
    patient
}

/// A worker in a directory of its own, so that each has a registry of its own, on the shared journal.
fn worker(home: &Home, database: &Database, arguments: &[&str]) -> Program {
    home.write("contracts/orchestrator/contract.yaml", patient());
    home.write("onex.yaml", "journal:\n  postgres:\n    url: env:JOURNAL_URL\nlease_ms: 1500\n");
    let arguments = [&["run", "--config", "onex.yaml", "--log", "info"], arguments].concat();
    home.onex(&arguments).env("JOURNAL_URL", &database.url)
}

/// Stops the worker when some of its runs are under way, however often that takes.
fn stop_in_the_middle(running: &Running, database: &Database) {
    let unfinished = "SELECT json_build_array(count(*))::text FROM onex_runs WHERE status = 'running'";
    until("a moment with unfinished runs", || {
        running.signal(Signal::STOP);
        let found = postgres(&database.url, unfinished)[0].as_u64().expect("a number") > 0;
        if !found {
            running.signal(Signal::CONT);
        }
        found.then_some(())
    });
}

#[test]
fn a_worker_that_wakes_up_late_is_refused_and_each_outcome_is_recorded_once() {
    let (database, first_home, second_home) = (Database::new(), Home::new(), Home::new());
    first_home.write("events.jsonl", lines(&crowd(NODES)));
    let mut first = worker(&first_home, &database, &["--input", "events.jsonl", "--once"]).start();
    first.wait_for_results(5);
    stop_in_the_middle(&first, &database);
    let mut second = worker(&second_home, &database, &[]).start();
    let left = "SELECT json_build_array(count(*) FILTER (WHERE status = 'running'), \
        count(*) FILTER (WHERE epoch > 1 AND status = 'succeeded') > 0)::text FROM onex_runs";
    until("the end of the runs that were taken over", || {
        (postgres(&database.url, left) == json!([0, true])).then_some(())
    });
    first.signal(Signal::CONT);
    first.wait_for_notice("another worker");
    first.end().expect_code(0);
    second.wait_for_notice("taking over runs whose leases have expired");
    second.terminate().expect_code(0);

    let ends = "SELECT json_build_array(count(*), count(*) FILTER (WHERE status = 'succeeded'))::text FROM onex_runs";
    assert_eq!(postgres(&database.url, ends), json!([NODES, NODES]), "every event has one run, and it has ended");
    let outcomes = "SELECT json_build_array(count(*))::text FROM onex_records WHERE kind = 'call_succeeded'";
    assert_eq!(postgres(&database.url, outcomes), json!([2 * NODES]), "two effects of each node");
    let waiting =
        "SELECT json_build_array((SELECT count(*) FROM onex_outbox), (SELECT count(*) FROM onex_inbox))::text";
    assert_eq!(postgres(&database.url, waiting), json!([0, 0]), "outbox and inbox");
    for query in documented("postgres") {
        assert_eq!(rows(&database.url, &query), 0, "{query}");
    }
}

#[test]
fn the_documented_invariants_hold_in_a_sqlite_journal() {
    let home = Home::new();
    home.feed(lines(&crowd(20))).expect_code(0);
    let queries = documented("sqlite");
    assert_eq!(queries.len(), 11, "every query of the page is asked");
    for query in queries {
        assert_eq!(sqlite_count(&home.data_file("journal.db"), &query), 0, "{query}");
    }
}

/// The worker's journal URL is a secret, and a server that is not there has an exit code of its own.
#[test]
fn an_unreachable_journal_ends_the_start_with_its_code_and_without_the_password() {
    let home = Home::new();
    let url = "postgres://onex:hunter2@127.0.0.1:1/onex";
    let ended = home.onex(&["run", "--once"]).env("ONEX_JOURNAL_POSTGRES_URL", url).run().expect_code(3);
    assert!(ended.stderr.contains("PostgreSQL"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
}

/// The queries of `docs/journal.md` for one store.
fn documented(store: &str) -> Vec<String> {
    let page = text(&workspace("docs/journal.md"));
    let blocks = page.split("```sql\n").skip(1).map(|rest| rest.split("```").next().expect("an end").to_owned());
    let marks = ["-- sqlite\n", "-- postgres\n"];
    let own = blocks.filter(|block| match marks.iter().find(|mark| block.starts_with(**mark)) {
        Some(mark) => mark.contains(store),
        None => true,
    });
    let queries: Vec<String> = own.collect::<String>().split(';').map(str::trim).map(str::to_owned).collect();
    let queries = queries.into_iter().filter(|query| query.contains("SELECT"));
    queries.map(|query| if store == "postgres" { prefixed(&query) } else { query }).collect()
}

/// The names of tables as PostgreSQL has them.
fn prefixed(query: &str) -> String {
    let tables = ["runs", "records", "outbox", "orders", "contracts"];
    let mut text = query.to_owned();
    for table in tables {
        for (before, after) in [("FROM ", ""), ("JOIN ", "")] {
            text = text.replace(&format!("{before}{table}{after} "), &format!("{before}onex_{table} AS {table} "));
        }
    }
    text.replace("FROM runs\n", "FROM onex_runs AS runs\n")
}

fn rows(url: &str, query: &str) -> usize {
    block_on(async {
        let mut connection = PgConnection::connect(url).await.expect("the test server answers");
        let rows = sqlx::query(AssertSqlSafe(query.to_owned())).fetch_all(&mut connection).await;
        rows.unwrap_or_else(|error| panic!("{error}: {query}")).len()
    })
}
