//! A run cannot write down more than it may, and can be ended all the same.

use onex_node::RunId;
use serde_json::json;
use uuid::Uuid;

use super::{append, finish, run};
use crate::{Append, Journal, JournalError, JournalLimits, NewRecord, NewRun};

/// The limits that [`limits_conformance`] expects.
pub const SMALL_LIMITS: JournalLimits = JournalLimits { records_per_run: 4, bytes_per_record: 100, bytes_per_run: 200 };

/// Runs the promises about limits against an empty `journal` that was opened with [`SMALL_LIMITS`].
///
/// # Panics
///
/// At the first broken promise, naming it.
pub async fn limits_conformance(journal: &dyn Journal) {
    a_record_has_a_size(journal).await;
    a_run_has_a_size(journal).await;
    a_history_has_a_length(journal).await;
}

async fn a_record_has_a_size(journal: &dyn Journal) {
    let run_id = RunId(Uuid::from_u128(1));
    let refused = journal.start(NewRun { started: json!("x".repeat(99)), ..run(run_id) }).await;
    assert!(matches!(refused, Err(JournalError::RecordTooLarge { bytes: 101, limit: 100, .. })), "{refused:?}");
    assert!(journal.load(run_id).await.expect("readable").is_none(), "nothing of a refused start is kept");
    journal.start(NewRun { started: json!("x".repeat(98)), ..run(run_id) }).await.expect("as large as allowed");
    let refused = journal.append(sized(run_id, 1, 101)).await;
    assert!(matches!(refused, Err(JournalError::RecordTooLarge { bytes: 101, limit: 100, .. })), "{refused:?}");
    finish(journal, run_id, 1, 1).await.expect("it can end");
}

async fn a_run_has_a_size(journal: &dyn Journal) {
    let run_id = RunId(Uuid::from_u128(2));
    journal.start(NewRun { started: json!("x".repeat(88)), ..run(run_id) }).await.expect("it starts");
    journal.append(sized(run_id, 1, 100)).await.expect("190 of 200");
    let refused = journal.append(sized(run_id, 2, 11)).await;
    assert!(matches!(refused, Err(JournalError::RunTooLarge { bytes: 201, limit: 200, .. })), "{refused:?}");
    journal.append(sized(run_id, 2, 10)).await.expect("200 of 200");
    finish(journal, run_id, 1, 3).await.expect("a run at its limit can be ended");
}

async fn a_history_has_a_length(journal: &dyn Journal) {
    let run_id = RunId(Uuid::from_u128(3));
    journal.start(run(run_id)).await.expect("it starts");
    let refused = append(journal, run_id, 1, 1, &["a", "b", "c", "d"]).await;
    assert!(matches!(refused, Err(JournalError::HistoryTooLong { limit: 4, .. })), "{refused:?}");
    append(journal, run_id, 1, 1, &["a", "b", "c"]).await.expect("four records");
    let refused = append(journal, run_id, 1, 4, &["d"]).await;
    assert!(matches!(refused, Err(JournalError::HistoryTooLong { limit: 4, .. })), "{refused:?}");
    finish(journal, run_id, 1, 4).await.expect("a run at its limit can be ended");
}

fn sized(run_id: RunId, expected_sequence: u64, bytes: usize) -> Append {
    let record = NewRecord { kind: "step".to_owned(), body: json!("x".repeat(bytes - 2)) };
    Append { records: vec![record], ..Append::example(run_id, 1, expected_sequence) }
}
