//! The shape of `onex.yaml`. Unknown keys are refused; secrets are given by reference.

use std::path::PathBuf;

use anyhow::{Context, bail};
use onex_journal::JournalLimits;
use secrecy::SecretString;
use serde::Deserialize;

/// `onex.yaml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Which bus carries events.
    pub(crate) bus: BusKind,
    /// Where runs are written down.
    pub(crate) journal: JournalSettings,
    /// What one run may write down.
    pub(crate) journal_limits: JournalLimits,
    /// What one run may use.
    pub(crate) run_limits: RunLimitSettings,
    /// The name that this worker holds its runs in.
    pub(crate) owner: Option<String>,
    /// Milliseconds after which the runs of a worker that is gone are taken over.
    pub(crate) lease_ms: Option<u64>,
    /// Hours after their end that runs are kept; for ever when absent.
    pub(crate) retention_hours: Option<u32>,
    /// Directory for the journal, the embedded registry and dead letters.
    pub(crate) data_dir: Option<PathBuf>,
    /// The registry.
    pub(crate) registry: RegistrySettings,
}

/// `bus`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BusKind {
    /// Within this process.
    #[default]
    Memory,
}

/// `journal`: a word, or `postgres` with its settings below it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum JournalSettings {
    /// A file in the data directory; survives everything but the disk.
    #[default]
    Sqlite,
    /// Nowhere; for trying things out.
    Memory,
    /// A database that several workers share.
    Postgres(PostgresJournalSettings),
}

/// `journal.postgres`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PostgresJournalSettings {
    /// `postgres://user:password@host:port/database`, or where to find it.
    pub(crate) url: Reference,
    /// Connections that commit.
    #[serde(default)]
    pub(crate) committers: Option<usize>,
    /// Most connections that read.
    #[serde(default)]
    pub(crate) readers: Option<u32>,
    /// Milliseconds a connection may take.
    #[serde(default)]
    pub(crate) connect_timeout_ms: Option<u64>,
    /// Milliseconds one statement may run.
    #[serde(default)]
    pub(crate) statement_timeout_ms: Option<u64>,
}

/// `run_limits`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RunLimitSettings {
    /// Most steps of a graph.
    pub(crate) steps: Option<usize>,
    /// Most bytes of one step's output.
    pub(crate) step_payload_bytes: Option<u64>,
    /// Most bytes of a run's input and outputs together.
    pub(crate) run_payload_bytes: Option<u64>,
    /// Most items of a list that a step is carried out for.
    pub(crate) items: Option<u32>,
    /// Most workflows above one that is a step.
    pub(crate) depth: Option<u32>,
}

/// `registry`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RegistrySettings {
    /// Its backends; the embedded one when none is named.
    pub(crate) backends: BackendSettings,
}

/// `registry.backends`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct BackendSettings {
    /// A Consul agent, for `consul.*` intents.
    pub(crate) consul: Option<ConsulSettings>,
    /// A PostgreSQL database, for `postgres.*` intents.
    pub(crate) postgres: Option<PostgresSettings>,
    /// One SQLite file, for whatever the others do not take.
    pub(crate) embedded: Option<EmbeddedSettings>,
}

/// `registry.backends.consul`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsulSettings {
    /// `http://host:port` or `https://host:port`.
    pub(crate) address: String,
    /// ACL token.
    #[serde(default)]
    pub(crate) token: Option<Reference>,
    /// Datacenter the agent has to be in.
    #[serde(default)]
    pub(crate) datacenter: Option<String>,
    /// PEM file of a certificate authority to trust.
    #[serde(default)]
    pub(crate) ca_file: Option<PathBuf>,
    /// PEM file of the client's certificate chain.
    #[serde(default)]
    pub(crate) cert_file: Option<PathBuf>,
    /// PEM file of the client's key.
    #[serde(default)]
    pub(crate) key_file: Option<PathBuf>,
    /// Milliseconds a connection may take.
    #[serde(default)]
    pub(crate) connect_timeout_ms: Option<u64>,
    /// Milliseconds a request may take.
    #[serde(default)]
    pub(crate) request_timeout_ms: Option<u64>,
}

/// `registry.backends.postgres`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PostgresSettings {
    /// `postgres://user:password@host:port/database`, or where to find it.
    pub(crate) url: Reference,
    /// Most connections at once.
    #[serde(default)]
    pub(crate) pool_size: Option<u32>,
    /// Milliseconds one statement may run.
    #[serde(default)]
    pub(crate) statement_timeout_ms: Option<u64>,
}

/// `registry.backends.embedded`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct EmbeddedSettings {
    /// The file; `registry.db` in the data directory when absent.
    pub(crate) path: Option<PathBuf>,
}

/// A secret, or where it is: `env:NAME`, `file:PATH`, else the text itself.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Reference(String);

impl std::fmt::Debug for Reference {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Reference(..)")
    }
}

impl Reference {
    /// The secret.
    pub(crate) fn resolve(&self, key: &str) -> anyhow::Result<SecretString> {
        let text = match self.0.split_once(':') {
            Some(("env", name)) => from_environment(name).with_context(|| format!("`{key}` refers to `env:{name}`"))?,
            Some(("file", path)) => {
                std::fs::read_to_string(path).with_context(|| format!("`{key}` refers to `file:{path}`"))?
            }
            _ => self.0.clone(),
        };
        let text = text.trim();
        if text.is_empty() {
            bail!("`{key}` is empty");
        }
        Ok(SecretString::from(text))
    }
}

#[expect(clippy::disallowed_methods, reason = "the binary reads the environment for everybody")]
fn from_environment(name: &str) -> anyhow::Result<String> {
    std::env::var(name).with_context(|| format!("environment variable `{name}` is not set"))
}
