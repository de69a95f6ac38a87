//! Measures what runs cost that wait: each has failed an attempt of both its first effects and waits for the next.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Result;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::journals::Opened;
use crate::workflow::{self, Unreachable};
use crate::{Place, process};

/// Both first effects of each run are tried once.
const ATTEMPTS: usize = 2;
/// So many runs start at once, so that what is measured is waiting, not a queue of starts.
const STARTING: usize = 64;

/// Resident memory while `in_flight` runs wait, and what of it there was before.
pub(crate) async fn row(place: &Place, in_flight: usize) -> Result<Value> {
    let opened = Opened::empty(place).await?;
    let effect = Arc::new(Unreachable::default());
    let orchestrator = Arc::new(workflow::orchestrator(Arc::clone(&effect) as _)?);
    let worker = workflow::worker(opened.journal());
    orchestrator.save(worker.journal.as_ref()).await?;
    let before = process::resident_megabytes();
    let mut runs = Vec::with_capacity(in_flight);
    while runs.len() < in_flight {
        let numbers = runs.len()..(runs.len() + STARTING).min(in_flight);
        runs.extend(numbers.map(|number| {
            let (orchestrator, worker) = (Arc::clone(&orchestrator), worker.clone());
            tokio::spawn(async move { orchestrator.run(&worker, workflow::request(number as u64)).await })
        }));
        while effect.attempts.load(Ordering::Relaxed) < runs.len() * ATTEMPTS {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (resident, most) = (process::resident_megabytes(), process::most_resident_megabytes());
    runs.iter().for_each(tokio::task::JoinHandle::abort);
    join_all(runs).await;
    opened.close().await;
    Ok(json!({
        "bench": "waiting",
        "journal": place.journal.name(),
        "in_flight": in_flight,
        "rss_mb": resident,
        "most_rss_mb": most,
        "rss_before_mb": before,
    }))
}
