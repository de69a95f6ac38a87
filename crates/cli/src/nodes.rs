//! `onex nodes`: what the registry holds.

use std::sync::Arc;

use anyhow::{Context, anyhow};
use onex_effect::{RegistryBackend, RegistryEntry};
use onex_effect_embedded::EmbeddedRegistry;

use crate::arguments::{ListArguments, NodesArguments, NodesCommand};
use crate::config::Config;
use crate::exit::{Exit, Stop};
use crate::{OrUsage, assemble, output};

pub(crate) async fn nodes(arguments: NodesArguments) -> Result<Exit, Stop> {
    match arguments.command {
        NodesCommand::List(arguments) => list(&arguments).await,
    }
}

async fn list(arguments: &ListArguments) -> Result<Exit, Stop> {
    let config = Config::load(&arguments.place)?;
    let mut entries = match backend(arguments, &config).await? {
        Some(backend) => backend
            .entries()
            .await
            .with_context(|| format!("cannot ask `{}`", backend.name()))
            .map_err(Stop::unreachable)?,
        None => Vec::new(),
    };
    // The embedded registry holds a catalogue beside the table; a node is listed once.
    let has_rows = entries.iter().any(is_row);
    entries.retain(|entry| !has_rows || is_row(entry));
    if arguments.json {
        output::line(serde_json::to_string_pretty(&entries).or_usage()?)?;
    } else {
        print_table(&entries)?;
    }
    Ok(Exit::Done)
}

/// Whether an entry is a row of the table, whose id is the node's, and not a service of a catalogue.
fn is_row(entry: &RegistryEntry) -> bool {
    entry.node_id.is_some_and(|node_id| entry.id == node_id.to_string())
}

/// The backend that was named, else the first that holds the table; `None` when the embedded one has no file yet.
async fn backend(arguments: &ListArguments, config: &Config) -> Result<Option<Arc<dyn RegistryBackend>>, Stop> {
    let backends = assemble::backends(config)?;
    let is_wanted = |backend: &&Arc<dyn RegistryBackend>| match &arguments.backend {
        Some(name) => backend.name() == name,
        None => backend.handles("postgres.upsert_registration"),
    };
    let wanted = backends.iter().find(is_wanted).or_else(|| backends.first().filter(|_| arguments.backend.is_none()));
    let wanted = wanted
        .ok_or_else(|| anyhow!("backend `{}` is not configured", arguments.backend.as_deref().unwrap_or("table")));
    let wanted = wanted.or_usage()?;
    if wanted.name() != "embedded" {
        return Ok(Some(Arc::clone(wanted)));
    }
    if !config.registry_file().exists() {
        return Ok(None);
    }
    let opened = EmbeddedRegistry::open_existing(&config.registry_file()).await;
    Ok(Some(Arc::new(opened.context("cannot open the registry").map_err(Stop::unreachable)?)))
}

fn print_table(entries: &[RegistryEntry]) -> Result<(), Stop> {
    if entries.is_empty() {
        return output::line("no nodes are registered");
    }
    let shown = |text: Option<&str>| text.unwrap_or("-").to_owned();
    let rows = entries.iter().map(|entry| {
        [
            entry.node_id.map_or_else(|| entry.id.clone(), |node_id| node_id.to_string()),
            shown(entry.node_type.as_deref()),
            shown(entry.node_version.as_deref()),
            entry.state.as_str().to_owned(),
            shown(entry.node_name.as_deref()),
            shown(entry.health_endpoint.as_deref().or(entry.address.as_deref())),
        ]
    });
    output::table(["NODE", "TYPE", "VERSION", "STATE", "NAME", "HEALTH"], rows)
}
