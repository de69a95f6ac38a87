//! Consul: what its catalogue holds of a test's own nodes, and an agent of one's own for tests that stop it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use super::server::free_port;
use super::{block_on, until, variable};

/// An agent that answers.
#[derive(Clone, Debug)]
pub struct Agent {
    /// `http://host:port`.
    pub address: String,
    /// A token that may do everything.
    pub token: String,
}

impl Agent {
    /// The one that all tests share.
    pub fn shared() -> Self {
        Self { address: variable("ONEX_TEST_CONSUL_ADDR"), token: variable("ONEX_TEST_CONSUL_TOKEN") }
    }

    /// What it answers to a GET.
    pub fn get(&self, path: &str) -> Value {
        self.try_get(path).unwrap_or_else(|| panic!("Consul does not answer `{path}`"))
    }

    fn try_get(&self, path: &str) -> Option<Value> {
        block_on(async {
            let client = reqwest::Client::new();
            let request = client.get(format!("{}{path}", self.address)).header("X-Consul-Token", &self.token);
            request.send().await.ok()?.error_for_status().ok()?.json().await.ok()
        })
    }

    fn put(&self, path: &str) {
        block_on(async {
            let client = reqwest::Client::new();
            let request = client.put(format!("{}{path}", self.address)).header("X-Consul-Token", &self.token);
            // Cleaning up, maybe of an agent that is stopped: nothing depends on it.
            let _ = request.send().await;
        });
    }
}

/// What the catalogue holds of one test's nodes; they are taken out with this.
#[derive(Debug)]
pub struct Catalogue {
    agent: Agent,
    nodes: Vec<Uuid>,
}

impl Catalogue {
    /// A view on these nodes.
    pub fn new(agent: &Agent, nodes: impl IntoIterator<Item = Uuid>) -> Self {
        Self { agent: agent.clone(), nodes: nodes.into_iter().collect() }
    }

    /// Services of these nodes as the catalogue has them, by node.
    pub fn services(&self) -> BTreeMap<Uuid, Value> {
        let kinds = self.agent.get("/v1/catalog/services");
        let kinds = kinds.as_object().expect("an object").keys().filter(|kind| kind.starts_with("onex-"));
        let services = kinds.flat_map(|kind| self.of_kind(kind));
        services.filter_map(|service| Some((self.node_of(&service)?, service))).collect()
    }

    /// Waits until the agent has told the catalogue of exactly that many, then gives them.
    pub fn wait_for(&self, count: usize) -> BTreeMap<Uuid, Value> {
        until(&format!("{count} services in the catalogue"), || {
            Some(self.services()).filter(|services| services.len() == count)
        })
    }

    fn of_kind(&self, kind: &str) -> Vec<Value> {
        let services = self.agent.get(&format!("/v1/catalog/service/{kind}"));
        services.as_array().expect("an array").clone()
    }

    fn node_of(&self, service: &Value) -> Option<Uuid> {
        let id = service["ServiceID"].as_str()?;
        self.nodes.iter().copied().find(|node| id.ends_with(&node.to_string()))
    }
}

impl Drop for Catalogue {
    fn drop(&mut self) {
        let Some(services) = self.agent.try_get("/v1/agent/services") else { return };
        let ids = services.as_object().into_iter().flat_map(|services| services.keys());
        for id in ids.filter(|id| self.nodes.iter().any(|node| id.ends_with(&node.to_string()))) {
            self.agent.put(&format!("/v1/agent/service/deregister/{id}"));
        }
    }
}

/// An agent that no other test uses; ended and removed with this.
#[derive(Debug)]
pub struct PrivateAgent {
    /// How to reach it.
    pub agent: Agent,
    process: Option<Child>,
    directory: TempDir,
}

impl PrivateAgent {
    /// A fresh one, running, with the settings of the shared one but for ports and directories.
    pub fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let port = free_port();
        std::fs::write(directory.path().join("agent.json"), settings(directory.path(), port)).expect("a file");
        let agent = Agent { address: format!("http://127.0.0.1:{port}"), token: variable("ONEX_TEST_CONSUL_TOKEN") };
        let mut private = Self { agent, process: None, directory };
        private.start_again();
        private
    }

    /// Stops it; its data stay. `INT` does not make it leave its cluster.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            signal(&process, Signal::CONT);
            signal(&process, Signal::INT);
            until("the end of Consul", || process.try_wait().expect("a child"));
        }
    }

    /// Starts it over the same data, at the same address.
    pub fn start_again(&mut self) {
        let mut command = Command::new(variable("ONEX_TEST_CONSUL_BIN"));
        command.args(["agent", "-config-file"]).arg(self.directory.path().join("agent.json"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.process = Some(command.spawn().expect("Consul starts"));
        until("a Consul that knows its token", || {
            self.agent.try_get("/v1/acl/token/self").and(self.agent.try_get("/v1/agent/self"))
        });
    }

    /// Lets it accept connections and answer nothing.
    pub fn pause(&self) {
        signal(self.process.as_ref().expect("it runs"), Signal::STOP);
    }

    /// Lets it go on.
    pub fn resume(&self) {
        signal(self.process.as_ref().expect("it runs"), Signal::CONT);
    }
}

impl Drop for PrivateAgent {
    fn drop(&mut self) {
        self.stop();
    }
}

fn settings(home: &Path, port: u16) -> String {
    let shared = crate::text(Path::new(&variable("ONEX_TEST_CONSUL_CONFIG")));
    let mut settings: Value = serde_json::from_str(&shared).expect("JSON");
    settings["data_dir"] = json!(home.join("data"));
    settings["pid_file"] = json!(home.join("consul.pid"));
    settings["ports"]["http"] = json!(port);
    for unused in ["serf_lan", "serf_wan", "server"] {
        settings["ports"][unused] = json!(free_port());
    }
    settings.to_string()
}

/// Sends a signal to a child.
pub(super) fn signal(process: &Child, signal: Signal) {
    let pid = i32::try_from(process.id()).ok().and_then(Pid::from_raw).expect("a pid");
    kill_process(pid, signal).expect("it runs");
}
