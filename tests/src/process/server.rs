//! PostgreSQL: a database of one's own in the shared server, and a server of one's own for tests that stop it.

use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;

use super::{agent::signal, block_on, fresh_node, until, variable};

/// A database in the shared server, dropped with this.
#[derive(Debug)]
pub struct Database {
    /// The URL that the program is given.
    pub url: String,
    name: String,
    maintenance: String,
}

impl Database {
    /// An empty one.
    #[expect(clippy::new_without_default, reason = "making a database is no default")]
    pub fn new() -> Self {
        Self::within(variable("ONEX_TEST_POSTGRES_URL"))
    }

    /// An empty one in the server of this URL.
    pub fn within(maintenance: String) -> Self {
        let name = format!("onex_process_{}", fresh_node().simple());
        let server = maintenance.rsplit_once('/').expect("a URL with a database").0;
        let url = format!("{server}/{name}");
        execute(&maintenance, format!("CREATE DATABASE {name}"));
        Self { url, name, maintenance }
    }

    /// The URL with a password that is not the right one.
    pub fn url_with_password(&self, password: &str) -> String {
        let (user, host) = self.url.split_once('@').expect("user-info");
        let user = user.rsplit_once(':').expect("a password").0;
        format!("{user}:{password}@{host}")
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        execute(&self.maintenance, format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

fn execute(url: &str, statement: String) {
    block_on(async {
        let mut connection = PgConnection::connect(url).await.expect("the test server answers");
        sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.expect("it does as told");
    });
}

/// A server that no other test uses; stopped and removed with this.
#[derive(Debug)]
pub struct PrivateServer {
    /// The URL that the program is given.
    pub url: String,
    data: PathBuf,
    process: Option<Child>,
    _directory: TempDir,
}

/// The password, by which a leak is found.
const PASSWORD: &str = "hunter2-of-the-private-server";

impl PrivateServer {
    /// A fresh cluster, running.
    pub fn start() -> Self {
        Self::start_with("scram-sha-256")
    }

    /// One that asks for no password. To answer it takes an unoptimized client longer than all else that a short
    /// process does.
    pub fn trusting() -> Self {
        Self::start_with("trust")
    }

    fn start_with(authentication: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let data = directory.path().join("data");
        let port = free_port();
        give(directory.path());
        create(&data, &directory.path().join("password"), port, authentication);
        let url = format!("postgres://onex:{PASSWORD}@127.0.0.1:{port}/postgres");
        let mut server = Self { url, data, process: None, _directory: directory };
        server.start_again();
        server
    }

    /// The password in its URL.
    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// Stops it; its data stay.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            signal(&process, Signal::INT);
            until("the end of PostgreSQL", || process.try_wait().expect("a child"));
        }
    }

    /// Starts it over the same data, at the same address.
    pub fn start_again(&mut self) {
        let mut command = program("postgres");
        command.arg("-D").arg(&self.data).stdout(Stdio::null()).stderr(Stdio::null());
        self.process = Some(command.spawn().expect("PostgreSQL starts"));
        until("an answer of PostgreSQL", || block_on(PgConnection::connect(&self.url)).ok());
    }
}

impl Drop for PrivateServer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn create(data: &Path, password: &Path, port: u16, authentication: &str) {
    std::fs::write(password, PASSWORD).expect("a file");
    give(password);
    let mut initdb = program("initdb");
    initdb.arg("--pgdata").arg(data).arg("--pwfile").arg(password);
    initdb.args(["--username=onex", "--encoding=UTF8", "--locale=C", "--no-sync", "--auth", authentication]);
    let made = initdb.output().expect("initdb starts");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let settings = data.join("postgresql.auto.conf");
    let text = format!("listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\nfsync = off\n");
    std::fs::write(settings, text).expect("a file");
}

/// A program of PostgreSQL, as the account that it agrees to run as.
fn program(name: &str) -> Command {
    let mut command = Command::new(Path::new(&variable("ONEX_TEST_POSTGRES_BIN")).join(name));
    command.current_dir("/");
    if let Some((user, group)) = account() {
        command.uid(user).gid(group);
    }
    command
}

/// Hands a file or directory to that account.
fn give(path: &Path) {
    std::fs::set_permissions(path, Permissions::from_mode(0o700)).expect("our own file");
    if let Some((user, group)) = account() {
        chown(path, Some(user), Some(group)).expect("root may");
    }
}

/// The account for root, whom PostgreSQL refuses; none for everybody else.
fn account() -> Option<(u32, u32)> {
    let name = variable("ONEX_TEST_POSTGRES_ACCOUNT");
    (!name.is_empty()).then(|| (ask("-u", &name), ask("-g", &name)))
}

fn ask(option: &str, name: &str) -> u32 {
    let answer = Command::new("id").args([option, name]).output().expect("id starts");
    String::from_utf8_lossy(&answer.stdout).trim().parse().expect("a number")
}

/// A port that was free a moment ago.
pub(super) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}
