//! Puts the crates together as the configuration says: backends, nodes, journal.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use onex_contract::Reading;
use onex_effect::{BreakerSettings, RegistryBackend, RegistryEffect};
use onex_effect_consul::{ConsulConfig, ConsulRegistry};
use onex_effect_embedded::EmbeddedRegistry;
use onex_effect_postgres::{PostgresConfig, PostgresRegistry};
use onex_journal::{Journal, JournalLimits, MemoryJournal};
use onex_journal_postgres::{PostgresJournal, PostgresJournalConfig};
use onex_journal_sqlite::SqliteJournal;
use onex_node::NodeRegistry;
use onex_orchestrator::RunLimits;
use onex_reducer::RegistrationReducer;
use secrecy::SecretSlice;

use crate::OrUsage;
use crate::builtin::{EFFECT, REDUCER};
use crate::config::Config;
use crate::exit::Stop;
use crate::settings::{ConsulSettings, JournalSettings, PostgresJournalSettings, PostgresSettings};

/// The registry's backends in the order they are asked; the embedded one last.
pub(crate) fn backends(config: &Config) -> Result<Vec<Arc<dyn RegistryBackend>>, Stop> {
    let named = &config.settings.registry.backends;
    let mut backends: Vec<Arc<dyn RegistryBackend>> = Vec::new();
    if let Some(settings) = &named.postgres {
        let registry = PostgresRegistry::new(postgres_config(settings).or_usage()?);
        backends.push(Arc::new(registry.context("registry.backends.postgres cannot be used").or_usage()?));
    }
    if let Some(settings) = &named.consul {
        let registry = ConsulRegistry::new(&consul_config(settings).or_usage()?);
        backends.push(Arc::new(registry.context("registry.backends.consul cannot be used").or_usage()?));
    }
    if named.embedded.is_some() || backends.is_empty() {
        backends.push(Arc::new(EmbeddedRegistry::lazy(&config.registry_file())));
    }
    Ok(backends)
}

fn postgres_config(settings: &PostgresSettings) -> anyhow::Result<PostgresConfig> {
    let mut config = PostgresConfig::new(settings.url.resolve("registry.backends.postgres.url")?);
    config.pool_size = settings.pool_size.unwrap_or(config.pool_size);
    config.statement_timeout = settings.statement_timeout_ms.map_or(config.statement_timeout, Duration::from_millis);
    Ok(config)
}

fn consul_config(settings: &ConsulSettings) -> anyhow::Result<ConsulConfig> {
    let mut config = ConsulConfig::new(&settings.address);
    config.token = settings.token.as_ref().map(|token| token.resolve("registry.backends.consul.token")).transpose()?;
    config.datacenter.clone_from(&settings.datacenter);
    config.connect_timeout = settings.connect_timeout_ms.map_or(config.connect_timeout, Duration::from_millis);
    config.request_timeout = settings.request_timeout_ms.map_or(config.request_timeout, Duration::from_millis);
    config.ca_certificate = settings.ca_file.as_deref().map(pem).transpose()?;
    config.client_certificate = settings.cert_file.as_deref().map(pem).transpose()?;
    config.client_key = settings.key_file.as_deref().map(pem).transpose()?.map(SecretSlice::from);
    Ok(config)
}

fn pem(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))
}

/// The nodes of this binary over these backends. Their tables and breaker settings come from their contracts:
/// the ones that were found, else the ones inside the binary.
pub(crate) fn nodes(
    backends: Vec<Arc<dyn RegistryBackend>>,
    found: &[&Reading],
    built_in: &[Reading],
) -> Result<NodeRegistry, Stop> {
    let reducer = contract_of(REDUCER, found, built_in)?;
    let machine = reducer
        .state_machine
        .clone()
        .ok_or_else(|| anyhow!("the contract `{REDUCER}` has no state_machine"))
        .or_usage()?;
    let breaker = contract_of(EFFECT, found, built_in)?
        .error_handling
        .as_ref()
        .and_then(|handling| handling.circuit_breaker.clone());
    let effect = RegistryEffect::new(backends, breaker_settings(breaker.as_ref()));
    Ok(NodeRegistry::new()
        .with_reducer(REDUCER, Arc::new(RegistrationReducer::new(machine)))
        .with_effect(EFFECT, Arc::new(effect)))
}

fn contract_of<'r>(
    name: &str,
    found: &[&'r Reading],
    built_in: &'r [Reading],
) -> Result<&'r onex_contract::Contract, Stop> {
    let sound = found.iter().copied().chain(built_in).filter(|reading| !reading.has_errors());
    let contract = sound.filter_map(|reading| reading.contract.as_ref()).find(|contract| contract.name == name);
    contract.ok_or_else(|| anyhow!("the contract `{name}` is missing")).or_usage()
}

fn breaker_settings(declared: Option<&onex_contract::CircuitBreaker>) -> BreakerSettings {
    let defaults = BreakerSettings::default();
    declared.map_or(defaults, |declared| BreakerSettings {
        enabled: declared.enabled,
        failure_threshold: declared.failure_threshold.unwrap_or(defaults.failure_threshold),
        reset_timeout: declared.reset_timeout_ms.map_or(defaults.reset_timeout, Duration::from_millis),
    })
}

/// The journal.
pub(crate) async fn journal(config: &Config) -> Result<Arc<dyn Journal>, Stop> {
    let limits = config.settings.journal_limits;
    match &config.settings.journal {
        JournalSettings::Memory => Ok(Arc::new(MemoryJournal::with_limits(limits))),
        JournalSettings::Sqlite => {
            let file = config.journal_file();
            let opened = SqliteJournal::open_limited(&file, limits).await;
            let context = || format!("cannot open the journal `{}`", file.display());
            Ok(Arc::new(opened.with_context(context).map_err(Stop::unreachable)?))
        }
        JournalSettings::Postgres(settings) => {
            let opened = PostgresJournal::open(journal_config(settings, limits).or_usage()?).await;
            Ok(Arc::new(opened.context("cannot open the journal in PostgreSQL").map_err(Stop::unreachable)?))
        }
    }
}

fn journal_config(settings: &PostgresJournalSettings, limits: JournalLimits) -> anyhow::Result<PostgresJournalConfig> {
    let defaults = PostgresJournalConfig::new(settings.url.resolve("journal.postgres.url")?);
    Ok(PostgresJournalConfig {
        committers: settings.committers.unwrap_or(defaults.committers),
        readers: settings.readers.unwrap_or(defaults.readers),
        connect_timeout: settings.connect_timeout_ms.map_or(defaults.connect_timeout, Duration::from_millis),
        statement_timeout: settings.statement_timeout_ms.map_or(defaults.statement_timeout, Duration::from_millis),
        limits,
        ..defaults
    })
}

/// What a run may use.
pub(crate) fn run_limits(config: &Config) -> RunLimits {
    let (settings, defaults) = (&config.settings.run_limits, RunLimits::default());
    RunLimits {
        step_payload_bytes: settings.step_payload_bytes.unwrap_or(defaults.step_payload_bytes),
        run_payload_bytes: settings.run_payload_bytes.unwrap_or(defaults.run_payload_bytes),
        items: settings.items.unwrap_or(defaults.items),
        depth: settings.depth.unwrap_or(defaults.depth),
    }
}
