//! Decides what the agent is told. Two keys depend on its version, because Consul renamed one and
//! refuses to start over one that it does not know.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// The first two numbers of a Consul version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    major: u32,
    minor: u32,
}

impl Version {
    /// Reads what `consul version` prints: its first line is `Consul v1.8.7`, maybe with a suffix.
    pub(super) fn parse(printed: &str) -> Result<Self> {
        let word = printed.split_whitespace().find_map(|word| word.strip_prefix('v'));
        let numbers = word.and_then(|word| {
            let mut numbers = word.split('.').map(|part| part.parse().ok());
            Some(Self { major: numbers.next()??, minor: numbers.next()?? })
        });
        numbers.with_context(|| format!("no version in `{}`", printed.trim()))
    }

    fn at_least(self, major: u32, minor: u32) -> bool {
        self >= Self { major, minor }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

/// The ports that the agent opens, each of them free on loopback.
pub(super) struct Ports {
    pub(super) http: u16,
    pub(super) lan: u16,
    pub(super) wan: u16,
    pub(super) server: u16,
}

/// What differs from one start to the next.
pub(super) struct Settings<'a> {
    pub(super) version: Version,
    pub(super) home: &'a Path,
    pub(super) token: &'a str,
    pub(super) ports: Ports,
}

impl Settings<'_> {
    pub(super) fn text(&self) -> String {
        let settings = json!({
            "server": true,
            "bootstrap_expect": 1,
            "node_name": "onex-test",
            "data_dir": self.home.join("data"),
            "pid_file": pid_file(self.home),
            "bind_addr": "127.0.0.1",
            "client_addr": "127.0.0.1",
            "ports": self.ports(),
            "acl": { "enabled": true, "default_policy": "deny", "tokens": self.tokens() },
            "log_level": "WARN",
            "disable_update_check": true,
            "leave_on_terminate": true,
            "enable_local_script_checks": false,
            // Elections and leaving are timed for a network of hosts; here there is one.
            "performance": { "raft_multiplier": 1, "leave_drain_time": "100ms" },
        });
        format!("{settings:#}\n")
    }

    fn ports(&self) -> Value {
        let Ports { http, lan, wan, server } = self.ports;
        let mut ports = json!({
            "http": http, "https": -1, "dns": -1, "grpc": -1,
            "serf_lan": lan, "serf_wan": wan, "server": server,
        });
        if self.version.at_least(1, 14) {
            ports["grpc_tls"] = json!(-1);
        }
        ports
    }

    fn tokens(&self) -> Value {
        let renamed = self.version.at_least(1, 11);
        let management = if renamed { "initial_management" } else { "master" };
        json!({ management: self.token, "agent": self.token })
    }
}

/// Where the agent writes its pid, at every start.
pub(super) fn pid_file(home: &Path) -> PathBuf {
    home.join("consul.pid")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(printed: &str) -> Value {
        let ports = Ports { http: 1, lan: 2, wan: 3, server: 4 };
        let version = Version::parse(printed).unwrap();
        let settings = Settings { version, home: Path::new("/home"), token: "secret", ports };
        serde_json::from_str(&settings.text()).unwrap()
    }

    #[test]
    fn keys_follow_the_version() {
        let old = written("Consul v1.8.7\nProtocol 2 spoken by default");
        assert_eq!(old["acl"]["tokens"]["master"], "secret");
        assert_eq!(old["ports"]["grpc_tls"], Value::Null);

        let new = written("Consul v1.20.1+ce");
        assert_eq!(new["acl"]["tokens"]["initial_management"], "secret");
        assert_eq!(new["ports"]["grpc_tls"], -1);
    }

    #[test]
    fn text_without_a_version_is_refused() {
        assert!(Version::parse("command not found").is_err());
    }
}
