//! Decides what is logged: on standard error, for people, with the chatter of libraries left out.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

/// consulrs and rustify log every call, errors with their bodies; sqlx logs every slow statement.
const QUIET: &str = "consulrs=off,rustify=off,sqlx=error,hyper=warn,reqwest=warn";

pub(crate) fn start(filter: Option<&str>) {
    let wanted = filter.unwrap_or("info");
    let filter =
        EnvFilter::try_new(format!("{QUIET},{wanted}")).unwrap_or_else(|_| EnvFilter::new(format!("{QUIET},info")));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .with_target(false)
        .init();
}
