//! Where a process touches the outside, counted; at one chosen of these points it dies.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use onex_journal::JournalError;

use crate::around::{Around, Call};

/// The points of one process, in the order it comes to them.
///
/// To die before a touch and to die after the one before it leave the same behind. Both are points for a case that asks
/// for each, and one point for all others.
#[derive(Debug)]
pub struct Points {
    passed: AtomicUsize,
    dies_at: usize,
    each: bool,
}

impl Points {
    /// From 1; the process dies at the point of this number, and never when it is 0.
    pub fn dying_at(dies_at: usize, each: bool) -> Self {
        Self { passed: AtomicUsize::new(0), dies_at, each }
    }

    /// The outside is about to be touched.
    pub fn before(&self) {
        if self.each || self.passed() == 0 {
            self.pass();
        }
    }

    /// The outside was touched. Nothing is written and no destructor runs when this is the last.
    pub fn after(&self) {
        self.pass();
    }

    /// How many were passed.
    pub fn passed(&self) -> usize {
        self.passed.load(Ordering::SeqCst)
    }

    fn pass(&self) {
        if self.passed.fetch_add(1, Ordering::SeqCst) + 1 == self.dies_at {
            std::process::abort();
        }
    }
}

/// Around each write; around a read nothing changes outside.
#[async_trait]
impl Around for Points {
    async fn before(&self, call: &Call) -> Result<(), JournalError> {
        if call.write.is_some() {
            Points::before(self);
        }
        Ok(())
    }

    async fn after(&self, call: &Call, _succeeded: bool) -> Result<(), JournalError> {
        if call.write.is_some() {
            Points::after(self);
        }
        Ok(())
    }
}
