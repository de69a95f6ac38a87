//! The PostgreSQL registry keeps the promises of every registry backend, and its own: against a real
//! server, in a database that each test makes and drops.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test reports by panicking")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests find their server in the environment and make names of their own"
)]

use std::net::TcpListener;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use onex_effect::conformance::{Family, Fixture, registry_conformance};
use onex_effect::{Applied, AppliedOutcome, RegistryBackend};
use onex_effect_postgres::{PostgresConfig, PostgresRegistry};
use onex_event::intent::{PostgresDeregister, PostgresUpsertRegistration, RegistrationRecord};
use onex_event::{EventPosition, NodeKind, RegistrationIntent, rfc3339};
use onex_node::{ErrorClass, IdempotencyKey};
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection};
use tokio::time::Instant;
use uuid::Uuid;

/// A database of its own, dropped by [`Server::remove`].
struct Server {
    options: PgConnectOptions,
    name: String,
    seed: Uuid,
}

impl Server {
    async fn start() -> Self {
        let url = std::env::var("ONEX_TEST_POSTGRES_URL")
            .expect("run `cargo xtask services up` and `eval \"$(cargo xtask services env)\"`, or `cargo xtask test`");
        let options = PgConnectOptions::from_str(&url).expect("ONEX_TEST_POSTGRES_URL is a URL");
        let seed = Uuid::new_v4();
        let name = format!("onex_test_{}", seed.simple());
        let server = Self { options, name, seed };
        server.maintain(format!("CREATE DATABASE {}", server.name)).await;
        server
    }

    async fn maintain(&self, statement: String) {
        let mut connection = self.options.clone().connect().await.expect("the test server answers");
        sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    }

    async fn remove(self) {
        self.maintain(format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }

    /// A connection beside the registry's.
    async fn connection(&self) -> PgConnection {
        self.options.clone().database(&self.name).connect().await.unwrap()
    }

    async fn run(&self, statement: &'static str) {
        sqlx::query(statement).execute(&mut self.connection().await).await.unwrap();
    }

    fn config(&self) -> PostgresConfig {
        self.config_of(self.options.clone())
    }

    fn config_of(&self, options: PgConnectOptions) -> PostgresConfig {
        PostgresConfig::new(options.database(&self.name).to_url_lossy().to_string().into())
    }

    /// Patient: what these tests ask about is order and history, and a crowd
    /// on a busy machine may wait longer for its turn than a service should.
    fn registry(&self) -> PostgresRegistry {
        let mut config = self.config();
        config.acquire_timeout = Duration::from_secs(60);
        config.connect_timeout = Duration::from_secs(60);
        PostgresRegistry::new(config).unwrap()
    }

    fn nowhere(&self) -> PostgresRegistry {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        PostgresRegistry::new(self.config_of(self.options.clone().host("127.0.0.1").port(port))).unwrap()
    }
}

const WRONG_PASSWORD: &str = "wr0ng-p4ssword";

#[async_trait]
impl Fixture for Server {
    fn family(&self) -> Family {
        Family::Table
    }

    fn seed(&self) -> Uuid {
        self.seed
    }

    fn backend(&self) -> Arc<dyn RegistryBackend> {
        Arc::new(self.registry())
    }

    fn unreachable(&self) -> Arc<dyn RegistryBackend> {
        Arc::new(self.nowhere())
    }

    fn bad_credentials(&self) -> Option<Arc<dyn RegistryBackend>> {
        let config = self.config_of(self.options.clone().password(WRONG_PASSWORD));
        Some(Arc::new(PostgresRegistry::new(config).unwrap()))
    }

    fn secrets(&self) -> Vec<String> {
        let url = self.options.to_url_lossy();
        let password = url.password().expect("the test server asks for a password");
        vec![WRONG_PASSWORD.to_owned(), password.to_owned()]
    }
}

fn registration(node_id: Uuid, epoch: u64) -> RegistrationIntent {
    let timestamp = rfc3339::parse("2026-01-01T00:00:00Z").unwrap();
    let record = RegistrationRecord {
        node_id,
        node_name: None,
        node_type: NodeKind::Compute,
        node_version: "1.0.0".to_owned(),
        capabilities: json!({}),
        endpoints: [].into(),
        metadata: json!({}),
        health_endpoint: None,
        node_role: None,
        network_id: None,
        deployment_id: None,
        position: EventPosition { epoch: Some(epoch), timestamp },
        correlation_id: node_id,
        registered_at: timestamp,
        updated_at: timestamp,
        run_id: None,
    };
    PostgresUpsertRegistration { correlation_id: node_id, record }.into()
}

fn key(epoch: u64) -> IdempotencyKey {
    IdempotencyKey::from(format!("run/{epoch}").as_str())
}

async fn apply(registry: &PostgresRegistry, epoch: u64) -> Applied {
    registry.apply(&registration(Uuid::nil(), epoch), &key(epoch)).await.unwrap()
}

async fn stored_epoch(registry: &PostgresRegistry) -> Option<u64> {
    registry.entries().await.unwrap().pop()?.position?.epoch
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_promises_of_every_backend() {
    let server = Server::start().await;
    registry_conformance(&server).await;
    server.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn undoing_in_either_order_ends_in_the_same_place() {
    let server = Server::start().await;
    let registry = server.registry();
    for order in [[1, 2, 3], [3, 2, 1], [2, 1, 3], [2, 3, 1]] {
        for epoch in 0..=3 {
            apply(&registry, epoch).await;
        }
        for epoch in order {
            registry.undo(&registration(Uuid::nil(), epoch), &key(epoch)).await.unwrap();
        }
        assert_eq!(stored_epoch(&registry).await, Some(0), "undone in the order {order:?}");
        registry.undo(&registration(Uuid::nil(), 0), &key(0)).await.unwrap();
        assert_eq!(stored_epoch(&registry).await, None, "undone in the order {order:?}");
    }
    server.remove().await;
}

/// Writers, removers and undoers of one node at once, over several pools: nothing fails but the stale,
/// and the history tells one unbroken story.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_of_writers_leaves_an_unbroken_history() {
    let server = Server::start().await;
    let registries: Vec<_> = (0..3).map(|_| server.registry()).collect();
    for round in 0..20_u64 {
        let node = Uuid::from_u128(round.into());
        let work = (1..=24_u64).map(|epoch| act(&registries[epoch as usize % 3], node, epoch));
        let mut failures = join_all(work).await.into_iter().filter_map(Result::err);
        let odd = failures.find(|failure| failure.code != "ONEX4004");
        assert_eq!(odd, None, "round {round}");
    }
    let broken: i64 = sqlx::query_scalar(BROKEN_LINKS).fetch_one(&mut server.connection().await).await.unwrap();
    assert_eq!(broken, 0, "each line replaced what the line before it left");
    server.remove().await;
}

/// Lines whose `replaced` epoch is not smaller than that of the line after them, and rows that are not
/// what the last line left.
const BROKEN_LINKS: &str = "
SELECT count(*) FROM (
    SELECT action, replaced ->> 'epoch' AS epoch,
        lead(replaced ->> 'epoch') OVER node AS later, lead(action) OVER node AS after
    FROM node_registration_history WHERE action IN ('created', 'replaced', 'removed')
    WINDOW node AS (PARTITION BY node_id ORDER BY id)
) AS line WHERE after = 'created' OR (after IS NOT NULL AND later IS NULL) OR later::bigint < epoch::bigint";

async fn act(registry: &PostgresRegistry, node_id: Uuid, epoch: u64) -> Result<(), onex_node::Failure> {
    let key = IdempotencyKey::from(format!("{node_id}/{epoch}").as_str());
    match epoch % 8 {
        7 => {
            let intent = PostgresDeregister { correlation_id: node_id, node_id, position: None };
            registry.apply(&intent.into(), &key).await.map(drop)
        }
        6 => {
            registry.apply(&registration(node_id, epoch), &key).await?;
            registry.undo(&registration(node_id, epoch), &key).await
        }
        _ => {
            let intent = registration(node_id, epoch);
            let (first, second) = tokio::join!(registry.apply(&intent, &key), registry.apply(&intent, &key));
            first.and(second).map(drop)
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_migrate_at_once() {
    let server = Server::start().await;
    let registries: Vec<_> = (0..8).map(|_| server.registry()).collect();
    for ready in join_all(registries.iter().map(PostgresRegistry::ready)).await {
        ready.unwrap();
    }
    server.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_of_another_version_is_refused() {
    let server = Server::start().await;
    server.registry().ready().await.unwrap();
    server.run("INSERT INTO onex_registry_migrations VALUES (9999, 'newer', now(), TRUE, '\\x00', 1)").await;
    let refused = server.registry().ready().await.unwrap_err();
    assert_eq!((refused.class, refused.code.as_str()), (ErrorClass::Validation, "ONEX4008"), "{refused:?}");
    server.remove().await;
}

/// A role that may use the table but not change the schema is enough once the schema is there.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_role_may_not_do_is_an_authorization_failure() {
    let server = Server::start().await;
    server.registry().ready().await.unwrap();
    let role = server.name.clone();
    server.maintain(format!("CREATE ROLE {role} LOGIN PASSWORD '{WRONG_PASSWORD}'")).await;
    let options = server.options.clone().username(&role).password(WRONG_PASSWORD);
    let registry = PostgresRegistry::new(server.config_of(options)).unwrap();
    let refused = registry.check().await.unwrap_err();
    assert_eq!(refused.class, ErrorClass::Authorization, "{refused:?}");
    for table in ["node_registrations", "node_registration_history", "onex_registry_migrations"] {
        let grant = AssertSqlSafe(format!("GRANT ALL ON {table} TO {role}"));
        sqlx::query(grant).execute(&mut server.connection().await).await.unwrap();
    }
    registry.check().await.unwrap();
    registry.close().await;
    let name = server.name.clone();
    server.maintain(format!("DROP DATABASE {name} WITH (FORCE)")).await;
    server.maintain(format!("DROP ROLE {role}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_server_is_known_soon() {
    let server = Server::start().await;
    let started = Instant::now();
    let refused = server.nowhere().check().await.unwrap_err();
    assert_eq!(refused.class, ErrorClass::Connection, "{refused:?}");
    assert!(started.elapsed() < Duration::from_secs(1), "known after {:?}", started.elapsed());
    server.remove().await;
}

/// The pool's connections die with the database; the next call has to find out, not to wait.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_away_is_known_soon() {
    let server = Server::start().await;
    let registry = server.registry();
    registry.check().await.unwrap();
    server.maintain(format!("DROP DATABASE {} WITH (FORCE)", server.name)).await;
    let started = Instant::now();
    let refused = registry.check().await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(1), "known after {:?}: {refused:?}", started.elapsed());
    server.maintain(format!("CREATE DATABASE {}", server.name)).await;
    server.remove().await;
}

/// The same with a server that dies: the pool holds connections that broke, and new ones are refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_and_comes_back() {
    let server = Server::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap();
    let target = (server.options.get_host().to_owned(), server.options.get_port());
    let options = server.options.clone().host("127.0.0.1").port(place.port());
    let registry = PostgresRegistry::new(server.config_of(options)).unwrap();
    let proxy = tokio::spawn(forward(listener, target.clone()));
    join_all((0..4).map(|_| registry.check())).await.into_iter().for_each(|checked| checked.unwrap());
    proxy.abort();
    proxy.await.unwrap_err();
    let started = Instant::now();
    for _ in 0..4 {
        let refused = registry.check().await.unwrap_err();
        assert_eq!(refused.class, ErrorClass::Connection, "{refused:?}");
    }
    assert!(started.elapsed() < Duration::from_secs(2), "four calls took {:?}", started.elapsed());
    let proxy = tokio::spawn(forward(tokio::net::TcpListener::bind(place).await.unwrap(), target));
    registry.check().await.unwrap();
    registry.close().await;
    proxy.abort();
    server.remove().await;
}

/// Forwards every connection until it is aborted, and breaks all of them then.
async fn forward(listener: tokio::net::TcpListener, target: (String, u16)) {
    let mut pairs = tokio::task::JoinSet::new();
    while let Ok((mut near, _)) = listener.accept().await {
        let target = target.clone();
        pairs.spawn(async move {
            let mut far = tokio::net::TcpStream::connect(target).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_server_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server::start().await;
    let port = silent.local_addr().unwrap().port();
    let mut config = server.config_of(server.options.clone().host("127.0.0.1").port(port));
    config.connect_timeout = Duration::from_millis(300);
    let registry = PostgresRegistry::new(config).unwrap();
    let refused = registry.check().await.unwrap_err();
    assert_eq!(refused.class, ErrorClass::Connection, "{refused:?}");
    assert!(refused.message.ends_with("within 300 ms"), "{refused:?}");
    server.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_waits_too_long_is_a_timeout() {
    let server = Server::start().await;
    let mut config = server.config();
    config.statement_timeout = Duration::from_millis(200);
    let registry = PostgresRegistry::new(config).unwrap();
    apply(&registry, 1).await;
    let mut blocker = server.connection().await;
    sqlx::query("BEGIN").execute(&mut blocker).await.unwrap();
    sqlx::query("SELECT FROM node_registrations FOR UPDATE").execute(&mut blocker).await.unwrap();
    let refused = registry.apply(&registration(Uuid::nil(), 2), &key(2)).await.unwrap_err();
    assert_eq!(refused.class, ErrorClass::Timeout, "{refused:?}");
    sqlx::query("COMMIT").execute(&mut blocker).await.unwrap();
    assert_eq!(apply(&registry, 2).await, Applied::now(AppliedOutcome::Replaced));
    server.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_dropped_leaves_nothing_half_done() {
    let server = Server::start().await;
    let registry = server.registry();
    apply(&registry, 1).await;
    let mut blocker = server.connection().await;
    sqlx::query("BEGIN").execute(&mut blocker).await.unwrap();
    sqlx::query("SELECT FROM node_registrations FOR UPDATE").execute(&mut blocker).await.unwrap();
    let (second, third) = (registration(Uuid::nil(), 2), registration(Uuid::nil(), 1));
    let (second_key, third_key) = (key(2), key(1));
    let dropped = tokio::time::timeout(Duration::from_millis(200), registry.apply(&second, &second_key));
    let undone = tokio::time::timeout(Duration::from_millis(200), registry.undo(&third, &third_key));
    let (dropped, undone) = tokio::join!(dropped, undone);
    assert!(dropped.is_err() && undone.is_err(), "both wait for the lock");
    sqlx::query("COMMIT").execute(&mut blocker).await.unwrap();
    apply(&registry, 2).await;
    assert_eq!(stored_epoch(&registry).await, Some(2));
    server.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_columns_cannot_hold_is_not_tried_again() {
    let server = Server::start().await;
    let registry = server.registry();
    let too_large = registry.apply(&registration(Uuid::nil(), u64::MAX), &key(1)).await.unwrap_err();
    assert_eq!((too_large.class, too_large.code.as_str()), (ErrorClass::Validation, "ONEX4003"));
    let RegistrationIntent::PostgresUpsertRegistration(mut intent) = registration(Uuid::nil(), 1) else {
        panic!("a registration is an upsert");
    };
    intent.record.node_name = Some("a\0b".to_owned());
    let refused = registry.apply(&RegistrationIntent::from(*intent), &key(1)).await.unwrap_err();
    assert_eq!(refused.class, ErrorClass::Validation, "{refused:?}");
    server.remove().await;
}
