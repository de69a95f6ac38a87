//! The in-memory journal keeps the common promises.

use onex_journal::{MemoryJournal, conformance::journal_conformance};

#[tokio::test]
async fn the_memory_journal_conforms() {
    journal_conformance(&MemoryJournal::new()).await;
}
