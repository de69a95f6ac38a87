//! Decides what is counted of a journal's commits: enough to see whether requests share commits.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a journal's writers did since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Requests taken from the queue, refused ones included.
    pub requests: u64,
    /// Transactions committed, each with one flush to disk.
    pub commits: u64,
    /// Transactions that failed, and with them all their requests.
    pub failures: u64,
    /// Requests in the largest transaction.
    pub largest_batch: u64,
}

/// The running counts; writers add, anybody reads.
#[derive(Debug, Default)]
pub struct Counters {
    requests: AtomicU64,
    commits: AtomicU64,
    failures: AtomicU64,
    largest_batch: AtomicU64,
}

impl Counters {
    /// Counts a batch of that many requests, before any of them is answered.
    pub fn count(&self, requests: usize, committed: bool) {
        let requests = requests as u64;
        self.requests.fetch_add(requests, Ordering::Relaxed);
        self.largest_batch.fetch_max(requests, Ordering::Relaxed);
        let outcome = if committed { &self.commits } else { &self.failures };
        outcome.fetch_add(1, Ordering::Relaxed);
    }

    /// What was counted so far.
    pub fn read(&self) -> Statistics {
        Statistics {
            requests: self.requests.load(Ordering::Relaxed),
            commits: self.commits.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            largest_batch: self.largest_batch.load(Ordering::Relaxed),
        }
    }
}
