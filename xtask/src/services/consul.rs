//! Decides how a private Consul agent is set up: one server, loopback only, access control on and
//! closed by default, and one management token.
//!
//! Access control is on because production has it on: an effect that forgets its token must fail
//! in the tests. The agent's settings are a file, so a test that restarts it with
//! `consul agent -config-file "$ONEX_TEST_CONSUL_CONFIG"` gets the same agent back.

mod install;
mod settings;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::layout::{Layout, remove_directory};
use super::process::{self, Process, Started};
use super::state::State;
use super::{http, random};
use install::Program;
use settings::{Ports, Settings};

/// `TERM` would make the agent leave its cluster first, which takes five seconds.
const STOP_SIGNAL: &str = "INT";

/// A running agent, as recorded.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Consul {
    process: Process,
    pub(super) http_port: u16,
    token: String,
    program: PathBuf,
    home: PathBuf,
}

impl Consul {
    /// The pid, if the agent runs, has a leader, and knows the token.
    pub(super) fn running(&self) -> Option<u32> {
        self.process.current().filter(|_| answers(self.http_port, &self.token))
    }

    /// Stops the agent and deletes its data.
    pub(super) fn remove(&self) -> Result<()> {
        self.process.stop(STOP_SIGNAL)?;
        remove_directory(&self.home)
    }

    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("ONEX_TEST_CONSUL_ADDR", format!("http://127.0.0.1:{}", self.http_port)),
            ("ONEX_TEST_CONSUL_TOKEN", self.token.clone()),
            ("ONEX_TEST_CONSUL_BIN", self.program.display().to_string()),
            ("ONEX_TEST_CONSUL_CONFIG", config(&self.home).display().to_string()),
        ]
    }
}

/// Makes sure that an agent runs, is recorded, and accepts its token.
pub(super) fn ensure(layout: &Layout, state: &mut State) -> Result<()> {
    if let Some(recorded) = &state.consul {
        if let Some(pid) = recorded.running() {
            eprintln!("consul: already running, pid {pid}, 127.0.0.1:{}", recorded.http_port);
            return Ok(());
        }
        eprintln!("consul: the recorded agent does not answer, starting a fresh one");
        recorded.remove()?;
    }
    state.consul = None;
    state.save(layout)?;
    sweep(layout)?;
    start(layout, state).context("starting consul")
}

fn start(layout: &Layout, state: &mut State) -> Result<()> {
    let program = Program::obtain(layout)?;
    let token = random::uuid_shaped()?;
    let [http_port, lan, wan, server] = random::free_ports()?;
    let home = layout.consul_home();
    let ports = Ports { http: http_port, lan, wan, server };
    let settings = Settings { version: program.version, home: &home, token: &token, ports };
    write(&home, &settings)?;
    eprintln!("consul: starting {} {}", program.path.display(), program.version);

    let log = layout.consul_log();
    let mut agent = launch(&program.path, &home, &log)?;
    state.consul =
        Some(Consul { process: agent.process.clone(), http_port, token: token.clone(), program: program.path, home });
    state.save(layout)?;
    agent.wait(&log, || answers(http_port, &token))?;
    eprintln!("consul: running, pid {}, 127.0.0.1:{http_port}", agent.process.pid);
    Ok(())
}

/// Removes what no state tells of, such as an agent whose `state.json` was lost.
pub(super) fn sweep(layout: &Layout) -> Result<()> {
    let home = layout.consul_home();
    agent(&home).stop(STOP_SIGNAL)?;
    remove_directory(&home)
}

/// The agent with the settings in `home`, whoever started it.
fn agent(home: &Path) -> Process {
    Process::from_pid_file("consul", &config(home), settings::pid_file(home))
}

fn config(home: &Path) -> PathBuf {
    home.join("agent.json")
}

fn write(home: &Path, settings: &Settings<'_>) -> Result<()> {
    fs::create_dir_all(home).with_context(|| format!("creating {}", home.display()))?;
    fs::write(config(home), settings.text()).context("writing the agent's settings")
}

fn launch(program: &Path, home: &Path, log: &Path) -> Result<Started> {
    let mut session = Command::new("setsid");
    session.arg(program).args(["agent", "-config-file"]).arg(config(home));
    process::detach(&mut session, agent(home), log)
}

/// Whether a leader is elected and the token is known. Both take a moment after the port opens.
fn answers(port: u16, token: &str) -> bool {
    let get = |path| http::get(port, path, token).ok().filter(|answer| answer.status == 200);
    get("/v1/status/leader").is_some_and(|leader| leader.body.contains(':'))
        && get("/v1/acl/token/self").is_some()
        && get("/v1/agent/self").is_some()
}
