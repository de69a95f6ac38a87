//! Decides what is logged: on standard error, for people, with the chatter of libraries left out.

use std::io::{IsTerminal, stderr};

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use crate::exit::Stop;

/// consulrs and rustify log every call, errors with their bodies; sqlx logs every slow statement.
const QUIET: &str = "consulrs=off,rustify=off,sqlx=error,hyper=warn,reqwest=warn";

pub(crate) fn start(filter: Option<&str>) -> Result<(), Stop> {
    let wanted = filter.unwrap_or("info");
    let filter = EnvFilter::try_new(format!("{QUIET},{wanted}"));
    let filter = filter.with_context(|| format!("`--log {wanted}` is no filter")).map_err(Stop::usage)?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_target(false);
    log.with_ansi(stderr().is_terminal()).init();
    Ok(())
}
