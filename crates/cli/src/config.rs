//! Decides where a setting comes from: the environment before the file before the default, and a flag
//! before all of them.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use figment::Figment;
use figment::providers::{Env, Format, Yaml};

use crate::arguments::Place;
use crate::exit::Stop;
use crate::settings::Settings;

/// Every key that is also an environment variable: `ONEX_` and the key in upper case, `_` for `.`.
const KEYS: [&str; 31] = [
    "bus",
    "journal",
    "journal.postgres.url",
    "journal.postgres.committers",
    "journal.postgres.readers",
    "journal.postgres.connect_timeout_ms",
    "journal.postgres.statement_timeout_ms",
    "journal_limits.records_per_run",
    "journal_limits.bytes_per_record",
    "journal_limits.bytes_per_run",
    "run_limits.steps",
    "run_limits.step_payload_bytes",
    "run_limits.run_payload_bytes",
    "run_limits.items",
    "run_limits.depth",
    "owner",
    "lease_ms",
    "retention_hours",
    "data_dir",
    "registry.backends.consul.address",
    "registry.backends.consul.token",
    "registry.backends.consul.datacenter",
    "registry.backends.consul.ca_file",
    "registry.backends.consul.cert_file",
    "registry.backends.consul.key_file",
    "registry.backends.consul.connect_timeout_ms",
    "registry.backends.consul.request_timeout_ms",
    "registry.backends.postgres.url",
    "registry.backends.postgres.pool_size",
    "registry.backends.postgres.statement_timeout_ms",
    "registry.backends.embedded.path",
];

/// Settings with the directory they hold for.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) settings: Settings,
    pub(crate) data_dir: PathBuf,
}

impl Config {
    /// Reads file and environment.
    pub(crate) fn load(place: &Place) -> Result<Self, Stop> {
        let mut figment = Figment::new();
        if let Some(file) = &place.config {
            std::fs::metadata(file)
                .with_context(|| format!("cannot read `{}`", file.display()))
                .map_err(Stop::usage)?;
            figment = figment.merge(Yaml::file_exact(file));
        }
        let figment = figment.merge(Env::prefixed("ONEX_").filter_map(|name| {
            let name = name.as_str().to_ascii_lowercase();
            KEYS.iter().find(|key| key.replace('.', "_") == name).map(|key| (*key).into())
        }));
        let settings: Settings = figment.extract().map_err(|error| Stop::usage(anyhow!("{}", told(error))))?;
        let data_dir = place.data_dir.clone().or_else(|| settings.data_dir.clone());
        Ok(Self { data_dir: data_dir.unwrap_or_else(|| PathBuf::from(".onex")), settings })
    }

    /// The embedded registry's file.
    pub(crate) fn registry_file(&self) -> PathBuf {
        let named = self.settings.registry.backends.embedded.as_ref().and_then(|embedded| embedded.path.clone());
        named.unwrap_or_else(|| self.data_dir.join("registry.db"))
    }

    /// The journal's file.
    pub(crate) fn journal_file(&self) -> PathBuf {
        self.data_dir.join("journal.db")
    }

    /// Makes the data directory.
    pub(crate) fn make_data_dir(&self) -> Result<&Path, Stop> {
        let made = std::fs::create_dir_all(&self.data_dir);
        made.with_context(|| format!("cannot make the data directory `{}`", self.data_dir.display()))
            .map_err(Stop::usage)?;
        Ok(&self.data_dir)
    }
}

/// What is wrong with the configuration, each key with where it was read.
fn told(error: figment::Error) -> String {
    let problems = error.into_iter().map(|problem| {
        let key = problem.path.iter().filter(|part| *part != "default").cloned().collect::<Vec<_>>().join(".");
        let from_environment = problem.metadata.as_ref().is_some_and(|metadata| metadata.source.is_none());
        let place = match (from_environment, problem.metadata.as_ref().and_then(|metadata| metadata.source.as_ref())) {
            (true, _) => format!(" (environment variable ONEX_{})", key.to_ascii_uppercase().replace('.', "_")),
            (false, Some(source)) => format!(" ({source})"),
            (false, None) => String::new(),
        };
        match key.is_empty() {
            true => format!("{}{place}", problem.kind),
            false => format!("`{key}`: {}{place}", problem.kind),
        }
    });
    format!("the configuration cannot be used: {}", problems.collect::<Vec<_>>().join("; "))
}
