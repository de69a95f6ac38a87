//! Decides how a private PostgreSQL is set up: a fresh cluster, loopback only, a password of its
//! own, one superuser `onex` and one database `onex`.
//!
//! All settings are in the cluster's own files, so a test that restarts the server with
//! `pg_ctl -D "$ONEX_TEST_POSTGRES_DATA"` gets the same server back. PostgreSQL refuses to run as
//! root; root hands the cluster to the account `postgres` (see [`account`]).

mod account;
mod install;

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::layout::{Layout, remove_directory};
use super::process::{self, Process, Started};
use super::state::State;
use super::{http, random};
use crate::command;
use account::Account;

/// A running server, as recorded.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Postgres {
    process: Process,
    pub(super) port: u16,
    url: String,
    programs: PathBuf,
    home: PathBuf,
    account: Option<Account>,
}

impl Postgres {
    /// The pid, if the server runs and takes connections.
    pub(super) fn running(&self) -> Option<u32> {
        self.process.current().filter(|_| accepts_connections(self.port))
    }

    /// Stops the server and deletes its data. `INT` closes open connections instead of waiting.
    pub(super) fn remove(&self) -> Result<()> {
        self.process.stop("INT")?;
        remove_directory(&self.home)
    }

    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let account = self.account.as_ref().map_or("", |account| account.name.as_str());
        vec![
            ("ONEX_TEST_POSTGRES_URL", self.url.clone()),
            ("ONEX_TEST_POSTGRES_BIN", self.programs.display().to_string()),
            ("ONEX_TEST_POSTGRES_DATA", data(&self.home).display().to_string()),
            ("ONEX_TEST_POSTGRES_ACCOUNT", account.to_owned()),
        ]
    }
}

/// Makes sure that a server runs, is recorded, and takes connections.
pub(super) fn ensure(layout: &Layout, state: &mut State) -> Result<()> {
    if let Some(recorded) = &state.postgres {
        if let Some(pid) = recorded.running() {
            eprintln!("postgres: already running, pid {pid}, 127.0.0.1:{}", recorded.port);
            return Ok(());
        }
        eprintln!("postgres: the recorded server does not answer, starting a fresh one");
        recorded.remove()?;
    }
    state.postgres = None;
    state.save(layout)?;
    sweep(layout)?;
    start(layout, state).context("starting postgres")
}

fn start(layout: &Layout, state: &mut State) -> Result<()> {
    let programs = install::programs()?;
    let account = Account::for_servers()?;
    let home = account::home(layout, account.as_ref())?;
    let password = random::hexadecimal()?;
    let [port] = random::free_ports()?;
    eprintln!("postgres: creating a cluster with {}", programs.display());
    let cluster = Cluster { programs: &programs, home: &home, account: account.as_ref() };
    cluster.create(&password, port)?;

    let log = layout.postgres_log();
    let mut server = cluster.launch(&log)?;
    let url = format!("postgres://onex:{password}@127.0.0.1:{port}/onex");
    let process = server.process.clone();
    state.postgres = Some(Postgres { process, port, url, programs, home, account });
    state.save(layout)?;
    server.wait(&log, || accepts_connections(port))?;
    eprintln!("postgres: running, pid {}, 127.0.0.1:{port}", server.process.pid);
    Ok(())
}

/// Removes what no state tells of, such as a server whose `state.json` was lost.
pub(super) fn sweep(layout: &Layout) -> Result<()> {
    for home in account::possible_homes(layout) {
        server(&home).stop("INT")?;
        remove_directory(&home)?;
    }
    Ok(())
}

/// The server of the cluster in `home`, whoever started it.
fn server(home: &Path) -> Process {
    let data = data(home);
    Process::from_pid_file("postgres", &data, data.join("postmaster.pid"))
}

fn data(home: &Path) -> PathBuf {
    home.join("data")
}

/// A cluster that does not run yet.
struct Cluster<'a> {
    programs: &'a Path,
    home: &'a Path,
    account: Option<&'a Account>,
}

impl Cluster<'_> {
    fn create(&self, password: &str, port: u16) -> Result<()> {
        let secret = self.home.join("password");
        fs::write(&secret, password).context("writing the password for `initdb`")?;
        account::give(&secret, self.account)?;
        let mut initdb = self.program("initdb");
        initdb.arg("--pgdata").arg(data(self.home)).arg("--pwfile").arg(&secret);
        initdb.args(["--username=onex", "--auth=scram-sha-256"]);
        initdb.args(["--encoding=UTF8", "--locale=C", "--no-instructions"]);
        command::capture(&mut initdb)?;
        fs::remove_file(&secret).context("removing the password for `initdb`")?;
        self.configure(port)?;
        self.create_database()
    }

    fn configure(&self, port: u16) -> Result<()> {
        let path = data(self.home).join("postgresql.conf");
        let mut file = OpenOptions::new().append(true).open(path).context("opening the settings")?;
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\n\
             unix_socket_directories = ''\nmax_connections = 200\n"
        );
        file.write_all(settings.as_bytes()).context("writing the settings")
    }

    /// Single-user mode needs neither a connection nor the client programs.
    fn create_database(&self) -> Result<()> {
        let mut single = self.program("postgres");
        single.arg("--single").arg("-D").arg(data(self.home)).arg("postgres");
        command::capture_with_input(&mut single, "CREATE DATABASE onex\n").map(drop)
    }

    fn launch(&self, log: &Path) -> Result<Started> {
        let mut session = account::command(self.account, Path::new("setsid"));
        session.arg(self.programs.join("postgres")).arg("-D").arg(data(self.home));
        process::detach(&mut session, server(self.home), log)
    }

    fn program(&self, name: &str) -> Command {
        account::command(self.account, &self.programs.join(name))
    }
}

/// Whether a server at `port` would go on to authenticate user `onex`.
fn accepts_connections(port: u16) -> bool {
    greet(port).is_ok_and(|reply| reply == b'R')
}

/// Sends a startup message. `R` asks for the password; `E` means, for one, "still starting up".
fn greet(port: u16) -> std::io::Result<u8> {
    const PROTOCOL_3: [u8; 4] = [0, 3, 0, 0];
    let parameters = b"user\0onex\0database\0onex\0\0";
    let length = u32::try_from(8 + parameters.len()).map_err(std::io::Error::other)?;
    let mut stream = http::connect(port)?;
    stream.write_all(&[&length.to_be_bytes()[..], &PROTOCOL_3, parameters].concat())?;
    // Reading the whole reply lets the connection close without a complaint in the server's log.
    let mut reply = [0; 512];
    match stream.read(&mut reply)? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        _ => Ok(reply[0]),
    }
}
