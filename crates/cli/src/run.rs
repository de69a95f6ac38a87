//! `onex run`: from contracts and configuration to a running system, and to its end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use onex_bus::MemoryBus;
use onex_contract::Reading;
use onex_orchestrator::{MAX_STEPS, Worker};
use onex_runtime::{
    DeadLetterFile, Ingress, Runtime, RuntimeParts, Stopped, SystemClock, WiredOrchestrator, WiringReport, discover,
};
use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

use crate::arguments::RunArguments;
use crate::config::Config;
use crate::exit::{Exit, Stop};
use crate::settings::JournalSettings;
use crate::tally::Tally;
use crate::{OrUsage, assemble, builtin, feed, owner};

/// The event that lines of `--input` carry.
const INPUT_EVENT: &str = "NodeIntrospectionEvent";
/// How long a lease holds; longer than any pause of a healthy process.
const LEASE: Duration = Duration::from_secs(30);

pub(crate) async fn run(arguments: RunArguments) -> Result<Exit, Stop> {
    let config = Config::load(&arguments.place)?;
    if let Some(input) = arguments.input.as_deref().filter(|input| *input != Path::new("-")) {
        std::fs::metadata(input).with_context(|| format!("cannot read `{}`", input.display())).or_usage()?;
    }
    let (orchestrators, nodes) = match wire(&arguments, &config)? {
        Some(wired) => wired,
        None => return Ok(Exit::Problems),
    };
    let retention = retention(&config)?;
    let tally = Arc::new(Tally::default());
    let letters = Arc::new(DeadLetterFile::open(config.make_data_dir()?).or_usage()?);
    let parts = RuntimeParts {
        bus: Arc::new(MemoryBus::new()),
        worker: worker(&config).await?,
        nodes,
        orchestrators,
        dead_letters: Arc::clone(&letters),
        observer: Arc::clone(&tally) as _,
        max_in_flight: arguments.max_in_flight as usize,
    };
    let runtime = Runtime::start(parts).await.context("the runtime cannot start").map_err(Stop::unreachable)?;
    if let Some(retention) = retention {
        runtime.keep_ended_runs_for(retention);
    }
    let ended = work(&runtime, &arguments, &letters, &tally).await;
    let stopped = stop(runtime, &arguments).await;
    info!("{}", tally.summary());
    ended?;
    Ok(match stopped {
        Stopped::GraceExpired { running } => {
            warn!(running, "some work still ran; it goes on after the next start");
            Exit::DrainedTooLate
        }
        Stopped::Drained if arguments.once && !tally.is_clean() => Exit::Problems,
        Stopped::Drained => Exit::Done,
    })
}

async fn worker(config: &Config) -> Result<Worker, Stop> {
    let (lease, limits) = (lease(config)?, assemble::run_limits(config));
    let journal = assemble::journal(config).await?;
    Ok(Worker { limits, ..Worker::new(journal, Arc::new(SystemClock), &owner::owner(config), lease) })
}

fn lease(config: &Config) -> Result<Duration, Stop> {
    match config.settings.lease_ms {
        Some(0) => Err(Stop::usage(anyhow!("`lease_ms` has to be more than 0"))),
        Some(milliseconds) => Ok(Duration::from_millis(milliseconds)),
        None => Ok(LEASE),
    }
}

/// Workers save their contracts every hour; what is kept for less than two could be removed in between.
fn retention(config: &Config) -> Result<Option<Duration>, Stop> {
    match config.settings.retention_hours {
        Some(0 | 1) => Err(Stop::usage(anyhow!("`retention_hours` has to be at least 2"))),
        hours => Ok(hours.map(|hours| Duration::from_secs(u64::from(hours) * 3_600))),
    }
}

/// Finds, checks and wires; `None` when contracts are refused. Reports on standard error, a line per contract.
fn wire(
    arguments: &RunArguments,
    config: &Config,
) -> Result<Option<(Vec<WiredOrchestrator>, onex_node::NodeRegistry)>, Stop> {
    let built_in = builtin::readings();
    let roots = roots(arguments);
    let found = if roots.is_empty() { None } else { Some(discover(&roots).or_usage()?) };
    let readings: Vec<&Reading> = found.as_ref().map_or_else(|| built_in.iter().collect(), |found| found.readings());
    let nodes = assemble::nodes(assemble::backends(config)?, &readings, &built_in)?;
    let (report, orchestrators) =
        WiringReport::within(&readings, &nodes, config.settings.run_limits.steps.unwrap_or(MAX_STEPS));
    report.entries.iter().for_each(|entry| eprintln!("{entry}"));
    note_lost_checkpoints(&readings, &config.settings.journal);
    if report.has_refusals() && !arguments.keep_going {
        eprintln!("error: contracts were refused; `onex check` shows why, `--keep-going` starts without them");
        return Ok(None);
    }
    if orchestrators.is_empty() {
        let searched: Vec<_> = roots.iter().map(|root| root.display().to_string()).collect();
        return Err(Stop::usage(anyhow!("no orchestrator was wired from {}", searched.join(", "))));
    }
    Ok(Some((orchestrators, nodes)))
}

/// Contracts that ask for checkpoints or persistence, where the journal keeps nothing beyond the process.
fn note_lost_checkpoints(readings: &[&Reading], journal: &JournalSettings) {
    if !matches!(journal, JournalSettings::Memory) {
        return;
    }
    let contracts = readings.iter().filter_map(|reading| reading.contract.as_ref());
    for contract in contracts.filter(|contract| contract.asks_for_a_durable_journal()) {
        let name = &contract.name;
        eprintln!("note: `{name}` asks for checkpoints, and with `journal: memory` no run survives a restart");
    }
}

/// Where to look: what was named, else `./contracts`, else nowhere.
fn roots(arguments: &RunArguments) -> Vec<PathBuf> {
    let default = PathBuf::from("contracts");
    if arguments.contracts.is_empty() && default.is_dir() { vec![default] } else { arguments.contracts.clone() }
}

/// Feeds the input, then waits: with `--once` until everything is done, else until told to stop.
async fn work(
    runtime: &Runtime,
    arguments: &RunArguments,
    letters: &DeadLetterFile,
    tally: &Tally,
) -> Result<(), Stop> {
    let fed_and_done = async {
        if let Some(input) = &arguments.input {
            let no_topic = || anyhow!("`--input` needs a wired contract that runs on `{INPUT_EVENT}`");
            let ingress: Ingress = runtime.ingress(INPUT_EVENT).ok_or_else(no_topic).or_usage()?;
            info!(topic = ingress.topic(), "taking in {}", input.display());
            feed::feed(input, &ingress, letters, tally).await.map_err(Stop::unreachable)?;
        }
        if arguments.once {
            runtime.drained().await;
        } else {
            std::future::pending::<()>().await;
        }
        Ok(())
    };
    tokio::select! {
        result = fed_and_done => result,
        () = told_to_stop() => Ok(()),
        () = tally.deaf.cancelled() => Err(Stop { exit: Exit::Problems, error: anyhow!("standard output was closed") }),
    }
}

/// Drains; a second signal ends it at once, and the journal keeps what still ran.
async fn stop(runtime: Runtime, arguments: &RunArguments) -> Stopped {
    tokio::select! {
        stopped = runtime.stop(Duration::from_secs(arguments.grace)) => stopped,
        () = told_to_stop() => Stopped::GraceExpired { running: 0 },
    }
}

async fn told_to_stop() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => info!("interrupted, draining"),
        _ = terminate.recv() => info!("told to terminate, draining"),
    }
}
