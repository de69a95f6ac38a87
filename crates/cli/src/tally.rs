//! Counts how runs ended and writes published events to standard output, one JSON object a line.

use std::io::{Write, stdout};
use std::sync::atomic::{AtomicUsize, Ordering};

use onex_journal::{OutboxMessage, RunStatus};
use onex_runtime::{DeadLetter, Observer, RunReport};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// What happened while the program ran.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) succeeded: AtomicUsize,
    pub(crate) partial: AtomicUsize,
    pub(crate) failed: AtomicUsize,
    pub(crate) cancelled: AtomicUsize,
    pub(crate) recovered: AtomicUsize,
    pub(crate) rejected: AtomicUsize,
    /// Standard output is gone: nobody would see the results.
    pub(crate) deaf: CancellationToken,
}

impl Tally {
    /// Whether every run succeeded and nothing was rejected.
    pub(crate) fn is_clean(&self) -> bool {
        [&self.partial, &self.failed, &self.cancelled, &self.rejected]
            .iter()
            .all(|count| count.load(Ordering::SeqCst) == 0)
            && !self.deaf.is_cancelled()
    }

    /// One line for people.
    pub(crate) fn summary(&self) -> String {
        let count = |count: &AtomicUsize| count.load(Ordering::SeqCst);
        let (failed, cancelled) = (count(&self.failed), count(&self.cancelled));
        let runs = count(&self.succeeded) + count(&self.partial) + failed + cancelled;
        let (succeeded, partial, rejected) = (count(&self.succeeded), count(&self.partial), count(&self.rejected));
        let cancelled = if cancelled > 0 { format!(", {cancelled} cancelled") } else { String::new() };
        let mut summary = format!(
            "{runs} runs: {succeeded} succeeded, {partial} partial, {failed} failed{cancelled}; {rejected} messages rejected"
        );
        if count(&self.recovered) > 0 {
            summary.push_str(&format!("; {} of the runs were begun by an earlier process", count(&self.recovered)));
        }
        summary
    }
}

impl Observer for Tally {
    fn published(&self, message: &OutboxMessage) -> std::io::Result<()> {
        // Written by hand so that the topic, by which lines are told apart, comes first; and at once with its line
        // break, so that a crash leaves no line to which the next process would add another.
        let line = format!("{{\"topic\":{},\"envelope\":{}}}\n", json!(message.topic), message.envelope);
        stdout().lock().write_all(line.as_bytes()).inspect_err(|_| self.deaf.cancel())
    }

    fn run_ended(&self, report: &RunReport) {
        let count = match report.status {
            RunStatus::Succeeded => &self.succeeded,
            RunStatus::Partial => &self.partial,
            RunStatus::Cancelled => &self.cancelled,
            RunStatus::Failed | RunStatus::SetAside | RunStatus::Running => &self.failed,
        };
        count.fetch_add(1, Ordering::SeqCst);
        self.recovered.fetch_add(usize::from(report.recovered), Ordering::SeqCst);
        match &report.failure {
            Some(failure) => warn!(run_id = %report.run_id, status = report.status.as_str(), failure, "run ended"),
            None => tracing::debug!(run_id = %report.run_id, status = report.status.as_str(), "run ended"),
        }
    }

    fn dead_lettered(&self, letter: &DeadLetter) {
        self.rejected.fetch_add(1, Ordering::SeqCst);
        info!(origin = letter.origin, code = letter.code, reason = letter.reason, "message set aside");
    }
}
