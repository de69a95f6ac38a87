//! `onex runs`: what the journal holds of runs, and leaving orders for those who carry them.
//!
//! An order is left in the journal, not sent: whoever owns the run takes it up within a second, also after a crash.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use onex_journal::{Journal, JournalError, OrderKind, Record, RunHeader, RunOrder, RunStatus, StoredRun};
use onex_journal_sqlite::SqliteJournal;
use onex_node::RunId;
use onex_orchestrator::Clock;
use onex_runtime::SystemClock;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::arguments::{OrderArguments, RunsArguments, RunsCommand, RunsListArguments, ShowArguments};
use crate::config::Config;
use crate::exit::{Exit, Stop};
use crate::settings::JournalSettings;
use crate::{OrUsage, assemble, output};

pub(crate) async fn runs(arguments: RunsArguments) -> Result<Exit, Stop> {
    match arguments.command {
        RunsCommand::List(arguments) => list(&arguments).await,
        RunsCommand::Show(arguments) => show(&arguments).await,
        RunsCommand::Cancel(arguments) => order(&arguments, OrderKind::Cancel).await,
        RunsCommand::Pause(arguments) => order(&arguments, OrderKind::Pause).await,
        RunsCommand::Resume(arguments) => order(&arguments, OrderKind::Resume).await,
        RunsCommand::Retry(arguments) => order(&arguments, OrderKind::Retry).await,
    }
}

async fn list(arguments: &RunsListArguments) -> Result<Exit, Stop> {
    let config = Config::load(&arguments.place)?;
    let status = arguments.status.as_deref().and_then(RunStatus::parse);
    let headers = match journal(&config, Access::Read).await? {
        Some(journal) => journal.runs(status, arguments.limit).await.map_err(unusable)?,
        None => Vec::new(),
    };
    if arguments.json {
        output::line(serde_json::to_string_pretty(&headers).or_usage()?)?;
    } else if headers.is_empty() {
        output::line("no runs")?;
    } else {
        output::table(["RUN", "STATUS", "ORCHESTRATOR", "ENTITY", "STARTED", "ENDED"], headers.iter().map(cells))?;
    }
    Ok(Exit::Done)
}

fn cells(header: &RunHeader) -> [String; 6] {
    let time = |at: &onex_node::Timestamp| onex_event::rfc3339::text(at);
    [
        header.run_id.to_string(),
        header.status.as_str().to_owned(),
        header.orchestrator.clone(),
        header.entity.clone().unwrap_or_else(|| "-".to_owned()),
        time(&header.started_at),
        header.ended_at.as_ref().map_or_else(|| "-".to_owned(), time),
    ]
}

async fn show(arguments: &ShowArguments) -> Result<Exit, Stop> {
    let config = Config::load(&arguments.place)?;
    let stored = match journal(&config, Access::Read).await? {
        Some(journal) => journal.load(RunId(arguments.run)).await.map_err(unusable)?,
        None => None,
    };
    let stored = stored.ok_or_else(|| anyhow!("the journal knows no run {}", arguments.run)).or_usage()?;
    if arguments.json {
        output::line(serde_json::to_string_pretty(&stored).or_usage()?)?;
    } else {
        print_run(&stored)?;
    }
    Ok(Exit::Done)
}

fn print_run(StoredRun { header, records }: &StoredRun) -> Result<(), Stop> {
    output::line(format!("run {} of {}: {}", header.run_id, header.orchestrator, header.status.as_str()))?;
    header.parent.iter().try_for_each(|parent| output::line(format!("  a step of run {parent}")))?;
    header.reason.iter().try_for_each(|reason| output::line(format!("  set aside: {reason}")))?;
    output::line(format!("  owned by {} at epoch {}", header.owner, header.epoch))?;
    records.iter().try_for_each(|record| output::line(told(record)))
}

/// One record on one line: what happened, to which call, and why.
fn told(record: &Record) -> String {
    let body = &record.body;
    let at = body["at"].as_str().unwrap_or("-");
    let call = body["call"]["step"].as_str().map(|step| {
        let attempt = body["attempt"].as_u64().map(|attempt| format!(" attempt {attempt}")).unwrap_or_default();
        format!("  {step}[{}]{attempt}", body["call"]["call"])
    });
    let failure = body["failure"].as_object().map(|failure| {
        let text = |key: &str| failure.get(key).and_then(Value::as_str).unwrap_or_default();
        format!("  {} {}", text("code"), text("message"))
    });
    let (call, failure) = (call.unwrap_or_default(), failure.unwrap_or_default());
    format!("{:>5}  {at:<30}  {}{call}{failure}", record.sequence, record.kind)
}

async fn order(arguments: &OrderArguments, kind: OrderKind) -> Result<Exit, Stop> {
    let config = Config::load(&arguments.place)?;
    let journal = journal(&config, Access::Order).await?;
    let journal = journal.ok_or_else(|| anyhow!("there is no journal yet, so there are no runs")).or_usage()?;
    let mut exit = Exit::Done;
    for run in &arguments.runs {
        let order = RunOrder { id: new_id(), run_id: RunId(*run), kind, at: SystemClock.now() };
        match journal.order(&order).await {
            Ok(()) => output::line(left(&order, arguments.json))?,
            Err(error @ JournalError::Unavailable { .. }) => return Err(unusable(error)),
            Err(error) => {
                eprintln!("error: {} {error}", error.code());
                exit = Exit::Problems;
            }
        }
    }
    Ok(exit)
}

#[expect(clippy::disallowed_methods, reason = "an order has an id that no other has")]
fn new_id() -> Uuid {
    Uuid::new_v4()
}

/// What the order leads to; of a retry, under which id.
fn left(order: &RunOrder, as_json: bool) -> String {
    let retry = (order.kind == OrderKind::Retry).then_some(order.id);
    if as_json {
        return json!({"run_id": order.run_id, "order_id": order.id, "order": order.kind, "new_run_id": retry})
            .to_string();
    }
    match retry {
        Some(id) => format!("run {id} will do what {} left undone", order.run_id),
        None => format!("run {} will be told", order.run_id),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Order,
}

/// The journal beside the process that owns it; `None` when there is none yet.
async fn journal(config: &Config, access: Access) -> Result<Option<Arc<dyn Journal>>, Stop> {
    match &config.settings.journal {
        JournalSettings::Memory => {
            Err(anyhow!("with `journal: memory` no other process can see the runs; use sqlite or postgres")).or_usage()
        }
        JournalSettings::Sqlite => sqlite(&config.journal_file(), access).await,
        JournalSettings::Postgres(_) => Ok(Some(assemble::journal(config).await?)),
    }
}

async fn sqlite(file: &Path, access: Access) -> Result<Option<Arc<dyn Journal>>, Stop> {
    if !file.exists() {
        return Ok(None);
    }
    let opened = match access {
        Access::Read => SqliteJournal::open_read_only(file).await,
        Access::Order => SqliteJournal::open_for_orders(file).await,
    };
    let opened = opened.with_context(|| format!("cannot open the journal `{}`", file.display()));
    Ok(Some(Arc::new(opened.map_err(Stop::unreachable)?)))
}

fn unusable(error: JournalError) -> Stop {
    Stop::unreachable(anyhow::Error::new(error).context("the journal cannot be used"))
}
