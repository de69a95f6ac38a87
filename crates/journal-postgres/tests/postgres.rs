//! The PostgreSQL journal keeps the common promises, and its own: against a real server, in a database that each test
//! makes and drops.

#![expect(clippy::expect_used, reason = "the lint knows test functions, but not what they share")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests find their server in the environment and make names of their own"
)]

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use futures::future::join_all;
use onex_journal::conformance::{SMALL_LIMITS, journal_conformance, limits_conformance};
use onex_journal::{Append, Claim, End, InboxMessage, Journal, JournalError, NewRecord, NewRun, RunStatus, StateWrite};
use onex_journal_postgres::{PostgresJournal, PostgresJournalConfig};
use onex_node::{RunId, Timestamp};
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection};
use uuid::Uuid;

/// A database of its own, dropped by [`Server::remove`].
struct Server {
    options: PgConnectOptions,
    name: String,
}

impl Server {
    async fn start() -> Self {
        let url = std::env::var("ONEX_TEST_POSTGRES_URL")
            .expect("run `cargo xtask services up` and `eval \"$(cargo xtask services env)\"`, or `cargo xtask test`");
        let options = PgConnectOptions::from_str(&url).expect("ONEX_TEST_POSTGRES_URL is a URL");
        let server = Self { options, name: format!("onex_test_{}", Uuid::new_v4().simple()) };
        server.maintain(format!("CREATE DATABASE {}", server.name)).await;
        server
    }

    async fn maintain(&self, statement: String) {
        let mut connection = self.options.clone().connect().await.expect("the test server answers");
        sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.expect("it is allowed");
    }

    async fn remove(self) {
        self.maintain(format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }

    /// A connection beside the journal's.
    async fn connection(&self) -> PgConnection {
        self.options.clone().database(&self.name).connect().await.expect("the database is there")
    }

    /// Patient: these tests ask about order, and a crowd on a busy machine may wait longer than a service should.
    fn config(&self) -> PostgresJournalConfig {
        let url = self.options.clone().database(&self.name).to_url_lossy().to_string();
        let patience = std::time::Duration::from_secs(60);
        PostgresJournalConfig {
            connect_timeout: patience,
            statement_timeout: patience,
            ..PostgresJournalConfig::new(url.into())
        }
    }

    async fn journal(&self) -> PostgresJournal {
        PostgresJournal::open(self.config()).await.expect("it opens")
    }
}

#[tokio::test]
async fn the_postgres_journal_conforms() {
    let server = Server::start().await;
    journal_conformance(&server.journal().await).await;
    server.remove().await;
}

#[tokio::test]
async fn the_postgres_journal_keeps_its_limits() {
    let server = Server::start().await;
    let config = PostgresJournalConfig { limits: SMALL_LIMITS, ..server.config() };
    limits_conformance(&PostgresJournal::open(config).await.expect("it opens")).await;
    server.remove().await;
}

#[tokio::test]
async fn bodies_come_back_as_written_and_names_with_u0000_are_refused() {
    let server = Server::start().await;
    let journal = server.journal().await;
    let body = json!(["text with \u{0}, \", \\ and \u{1f980}", u64::MAX, i64::MIN, 0.1, {"a\u{0}": {"$[0]": null}}]);
    start(&journal, 1).await;
    let record = |kind: &str| vec![NewRecord { kind: kind.to_owned(), body: body.clone() }];
    let (kept, refused) = tokio::join!(
        journal.append(Append { records: record("a"), ..step(1, 1) }),
        journal.append(Append { records: record("a\u{0}"), ..step(1, 1) }),
    );
    assert_eq!(kept.expect("in sequence"), 2);
    assert!(matches!(refused, Err(JournalError::Unstorable { .. })), "{refused:?}");
    let stored = journal.load(run_id(1)).await.expect("readable").expect("there");
    assert_eq!(stored.records[1].body, body);
    server.remove().await;
}

#[tokio::test]
async fn a_refused_request_leaves_its_neighbours_alone() {
    let server = Server::start().await;
    let journal = server.journal().await;
    start(&journal, 2).await;
    start(&journal, 4).await;
    let huge = StateWrite { entity: incompressible(20_000), ..state(0) };
    let (first, stale, unknown, again, second, unstorable) = tokio::join!(
        journal.append(step(2, 1)),
        journal.append(Append { epoch: 7, ..step(2, 2) }),
        journal.append(step(8, 1)),
        journal.start(NewRun::example(run_id(4), "f")),
        journal.append(step(4, 1)),
        journal.append(Append { end: Some(end(vec![huge])), ..step(4, 2) }),
    );
    assert_eq!(first.expect("in sequence"), 2);
    assert!(matches!(stale, Err(JournalError::StaleOwner { given: 7, current: 1, .. })), "{stale:?}");
    assert!(matches!(unknown, Err(JournalError::RunUnknown { .. })), "{unknown:?}");
    assert!(matches!(again, Err(JournalError::RunExists { ended: false, .. })), "{again:?}");
    assert_eq!(second.expect("in sequence"), 2);
    assert!(matches!(unstorable, Err(JournalError::Unavailable { .. })), "no index holds it: {unstorable:?}");
    assert_eq!(journal.append(step(4, 2)).await.expect("nothing of it was kept"), 3);
    server.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_runs_share_commits_and_keep_every_record() {
    let server = Server::start().await;
    let journal = server.journal().await;
    join_all((0..64).map(|number| whole_life(&journal, number, 20))).await;
    let statistics = journal.statistics();
    assert_eq!((statistics.requests, statistics.failures), (64 * 21, 0));
    assert!(statistics.commits * 4 < statistics.requests, "{statistics:?}");
    for number in 0..64 {
        let stored = journal.load(run_id(number)).await.expect("readable").expect("there");
        let sequences: Vec<_> = stored.records.iter().map(|record| record.sequence).collect();
        assert_eq!(sequences, (1..=21).collect::<Vec<_>>());
    }
    server.remove().await;
}

#[tokio::test]
async fn ends_of_one_batch_see_each_others_states() {
    let server = Server::start().await;
    let journal = server.journal().await;
    for number in [2, 4, 6] {
        start(&journal, number).await;
    }
    let ends = [(2, 0), (4, 0), (6, 1)]
        .map(|(number, version)| journal.append(Append { end: Some(end(vec![state(version)])), ..step(number, 1) }));
    let ended = join_all(ends).await;
    assert!(ended[0].is_ok() && ended[2].is_ok(), "{ended:?}");
    assert!(matches!(ended[1], Err(JournalError::StateConflict { expected: 0, current: 1, .. })), "{ended:?}");
    let state = journal.entity_state("reducer", "entity").await.expect("readable").expect("written");
    assert_eq!(state.version, 2);
    server.remove().await;
}

/// Two owners race for the same runs; every run has one owner at a time, and nothing that a former owner writes is
/// kept. Epochs make the history of each run: the records of an epoch are written by its owner only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_owners_race_and_each_run_has_one() {
    let server = Server::start().await;
    let (first, second) = (Arc::new(server.journal().await), Arc::new(server.journal().await));
    join_all((0..RUNS).map(|number| start(&first, number))).await;
    let claims = join_all([race(&first, "a"), race(&second, "b"), race(&second, "c"), race(&first, "d")]).await;
    let mut granted = HashMap::new();
    for claim in claims.iter().flatten() {
        let twice = granted.insert((claim.run_id, claim.epoch), ());
        assert!(twice.is_none(), "epoch {} of run {} was given twice", claim.epoch, claim.run_id);
    }
    for number in 0..RUNS {
        let stored = first.load(run_id(number)).await.expect("readable").expect("there");
        let written: Vec<_> = stored.records.iter().skip(1).map(|record| record.body["epoch"].as_u64()).collect();
        assert!(written.is_sorted(), "a former owner wrote after its successor: {written:?}");
        assert_eq!(stored.records.len() as u64, stored.records.last().expect("the start").sequence);
    }
    server.remove().await;
}

const RUNS: u128 = 40;

/// Takes over whatever it can again and again, since every lease has expired; writes to what it got, at the same time
/// as the others take it away; and tells what it was granted.
async fn race(journal: &PostgresJournal, owner: &str) -> Vec<Claim> {
    let mut granted = Vec::new();
    for round in 0..12_u128 {
        let claims = journal.take_over(owner, at(100), at(50), 15).await.expect("writable");
        let single = journal.claim(run_id(round), owner, at(100), at(50)).await.expect("writable");
        let claims: Vec<_> = claims.into_iter().chain(single).collect();
        join_all(claims.iter().map(|claim| write_as(journal, *claim))).await;
        granted.extend(claims);
    }
    granted
}

async fn write_as(journal: &PostgresJournal, claim: Claim) {
    let Some(stored) = journal.load(claim.run_id).await.expect("readable") else { return };
    let records = vec![NewRecord { kind: "step".to_owned(), body: json!({ "epoch": claim.epoch }) }];
    let expected_sequence = stored.records.len() as u64;
    let append = Append { records, ..Append::example(claim.run_id, claim.epoch, expected_sequence) };
    match journal.append(append).await {
        Ok(_) | Err(JournalError::StaleOwner { .. } | JournalError::SequenceConflict { .. }) => {}
        Err(error) => panic!("a race ends with a typed refusal, not with {error:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_start_the_same_runs_start_each_once() {
    let server = Server::start().await;
    let (first, second) = (server.journal().await, server.journal().await);
    let forward = join_all((0..50).map(|number| first.start(NewRun::example(run_id(number), "f"))));
    let backward = join_all((0..50).rev().map(|number| second.start(NewRun::example(run_id(number), "f"))));
    let (forward, backward) = tokio::join!(forward, backward);
    for (number, (first, second)) in forward.iter().zip(backward.iter().rev()).enumerate() {
        assert!(first.is_ok() != second.is_ok(), "run {number}: {first:?} and {second:?}");
        let refused = if first.is_ok() { second } else { first };
        assert!(matches!(refused, Err(JournalError::RunExists { ended: false, .. })), "{refused:?}");
    }
    server.remove().await;
}

#[tokio::test]
async fn a_lost_connection_fails_what_is_under_way_and_nothing_after() {
    let server = Server::start().await;
    let journal = PostgresJournal::open(PostgresJournalConfig { committers: 1, ..server.config() }).await;
    let journal = journal.expect("it opens");
    start(&journal, 1).await;
    let mut meddler = server.connection().await;
    // The append waits for this lock when its connection is cut.
    sqlx::query("BEGIN").execute(&mut meddler).await.expect("begun");
    sqlx::query("SELECT 1 FROM onex_runs FOR UPDATE").execute(&mut meddler).await.expect("locked");
    let cut = async {
        let blocked = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let mut observer = server.connection().await;
        while sqlx::query(blocked).execute(&mut observer).await.expect("allowed").rows_affected() == 0 {
            tokio::task::yield_now().await;
        }
    };
    let (lost, ()) = tokio::join!(journal.append(step(1, 1)), cut);
    assert!(matches!(lost, Err(JournalError::Unavailable { .. })), "{lost:?}");
    sqlx::query("ROLLBACK").execute(&mut meddler).await.expect("unlocked");
    assert_eq!(journal.append(step(1, 1)).await.expect("the journal connects again"), 2);
    server.remove().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_so() {
    let url = "postgres://onex:hunter2@127.0.0.1:1/onex".into();
    let Err(JournalError::Unavailable { source }) = PostgresJournal::open(PostgresJournalConfig::new(url)).await else {
        panic!("nobody listens there");
    };
    assert!(!format!("{source:?} {source}").contains("hunter2"), "{source:?}");
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_an_equal_one_is_not() {
    let server = Server::start().await;
    server.journal().await.close().await;
    server.journal().await.close().await;
    let later = "INSERT INTO onex_journal_migrations (version, description, success, checksum, execution_time) \
        VALUES (9999, 'of a later version', true, '\\x00', 1)";
    sqlx::query(later).execute(&mut server.connection().await).await.expect("inserted");
    let refused = PostgresJournal::open(server.config()).await;
    assert!(matches!(refused, Err(JournalError::NewerSchema { version: 9999 })), "{refused:?}");
    server.remove().await;
}

#[tokio::test]
async fn a_dropped_callers_write_still_lands_and_a_closed_journal_refuses() {
    let server = Server::start().await;
    let journal = server.journal().await;
    start(&journal, 1).await;
    {
        let mut append = std::pin::pin!(journal.append(step(1, 1)));
        assert!(futures::poll!(append.as_mut()).is_pending(), "queued and not yet answered");
    }
    assert_eq!(journal.append(step(1, 2)).await.expect("the dropped caller's record is there"), 3);
    journal.close().await;
    let refused = journal.append(step(1, 3)).await;
    assert!(matches!(refused, Err(JournalError::Unavailable { .. })), "{refused:?}");
    server.remove().await;
}

#[tokio::test]
async fn a_message_that_leaves_and_comes_again_is_kept() {
    let server = Server::start().await;
    let journal = server.journal().await;
    let message = |number: u128| InboxMessage {
        id: Uuid::from_u128(number),
        topic: "t".to_owned(),
        key: None,
        body: "{}".to_owned(),
    };
    let messages = [message(2), message(4)];
    let (accepted, forgotten, again) = tokio::join!(
        journal.accept(&messages),
        journal.forget(std::slice::from_ref(&messages[0].id)),
        journal.accept(&messages[..1]),
    );
    assert!(accepted.is_ok() && forgotten.is_ok() && again.is_ok());
    assert_eq!(journal.inbox(9).await.expect("readable").len(), 2);
    server.remove().await;
}

async fn whole_life(journal: &PostgresJournal, number: u128, appends: u64) {
    start(journal, number).await;
    for sequence in 1..=appends {
        journal.append(step(number, sequence)).await.expect("in sequence");
    }
}

async fn start(journal: &PostgresJournal, number: u128) {
    journal.start(NewRun::example(run_id(number), "f")).await.expect("it starts");
}

fn step(number: u128, expected_sequence: u64) -> Append {
    Append::example(run_id(number), 1, expected_sequence)
}

fn end(states: Vec<StateWrite>) -> End {
    End { status: RunStatus::Succeeded, at: at(50), outbox: vec![], states }
}

fn state(expected_version: u64) -> StateWrite {
    let (reducer, entity) = ("reducer".to_owned(), "entity".to_owned());
    StateWrite { reducer, entity, expected_version, state: json!("done") }
}

/// A name that no index entry can hold, however it is compressed.
fn incompressible(length: usize) -> String {
    let mut text = String::new();
    while text.len() < length {
        text.push_str(&Uuid::new_v4().simple().to_string());
    }
    text
}

fn run_id(number: u128) -> RunId {
    RunId(Uuid::from_u128(number))
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(seconds, 0).expect("in range")
}
