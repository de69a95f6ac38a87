//! The in-memory journal keeps the common promises.

use onex_journal::MemoryJournal;
use onex_journal::conformance::{SMALL_LIMITS, journal_conformance, limits_conformance};

#[tokio::test]
async fn the_memory_journal_conforms() {
    journal_conformance(&MemoryJournal::new()).await;
}

#[tokio::test]
async fn the_memory_journal_keeps_its_limits() {
    limits_conformance(&MemoryJournal::with_limits(SMALL_LIMITS)).await;
}
