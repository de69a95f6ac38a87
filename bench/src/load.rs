//! Decides how the engine is loaded: so many callers, each starting its next run when the last has ended, for some
//! seconds after a warm-up of a fifth of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures::future::try_join_all;
use onex_journal::RunStatus;
use onex_orchestrator::{NodeOrchestrator, Worker};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::journals::Opened;
use crate::workflow::{self, Nothing};
use crate::{Place, process};

struct Load {
    orchestrator: NodeOrchestrator,
    worker: Worker,
    next: AtomicU64,
}

/// Durable runs of the six steps.
pub(crate) async fn row(place: &Place, in_flight: usize, time: Duration) -> Result<Value> {
    let mut opened = Opened::empty(place).await?;
    let orchestrator = workflow::orchestrator(Arc::new(Nothing))?;
    let worker = workflow::worker(opened.journal());
    orchestrator.save(worker.journal.as_ref()).await?;
    let load = Arc::new(Load { orchestrator, worker, next: AtomicU64::new(0) });
    load.run(in_flight, time / 5).await?;
    let (before, worked, begin) = (opened.written().await?, process::processor_seconds(), Instant::now());
    let mut latencies = load.run(in_flight, time).await?;
    let (seconds, worked) = (begin.elapsed().as_secs_f64(), process::processor_seconds() - worked);
    let after = opened.written().await?;
    opened.close().await;
    latencies.sort_unstable();
    let runs = latencies.len() as f64;
    Ok(json!({
        "bench": "engine",
        "journal": place.journal.name(),
        "in_flight": in_flight,
        "runs_per_second": runs / seconds,
        "p50_ms": percentile(&latencies, 50),
        "p99_ms": percentile(&latencies, 99),
        "rss_mb": process::most_resident_megabytes(),
        "flushes_per_run": (after.flushes - before.flushes) as f64 / runs,
        "cpu_us_per_run": worked * 1e6 / runs,
        "bytes_per_run": (after.bytes - before.bytes) as f64 / runs,
    }))
}

impl Load {
    /// How long each run took.
    async fn run(self: &Arc<Self>, in_flight: usize, time: Duration) -> Result<Vec<Duration>> {
        let end = Instant::now() + time;
        let caller = |_| -> JoinHandle<Result<Vec<Duration>>> { tokio::spawn(Arc::clone(self).call(end)) };
        let callers = try_join_all((0..in_flight).map(caller)).await?;
        Ok(callers.into_iter().collect::<Result<Vec<_>>>()?.concat())
    }

    async fn call(self: Arc<Self>, end: Instant) -> Result<Vec<Duration>> {
        let mut latencies = Vec::new();
        while Instant::now() < end {
            let request = workflow::request(self.next.fetch_add(1, Ordering::Relaxed));
            let begin = Instant::now();
            let ended = self.orchestrator.run(&self.worker, request).await?;
            latencies.push(begin.elapsed());
            ensure!(ended.outcome.status == RunStatus::Succeeded, "a run ended as {:?}", ended.outcome);
        }
        Ok(latencies)
    }
}

/// Milliseconds that so many of a hundred runs did not exceed.
fn percentile(sorted: &[Duration], hundredths: usize) -> f64 {
    let position = (sorted.len() * hundredths / 100).min(sorted.len().saturating_sub(1));
    sorted.get(position).map_or(0.0, |latency| latency.as_secs_f64() * 1000.0)
}
