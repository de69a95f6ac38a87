//! What somebody wants of a run is kept until it is taken up, exactly once.

use onex_node::RunId;
use serde_json::json;
use uuid::Uuid;

use super::{append, at, finish, run, started};
use crate::{Append, Journal, JournalError, NewRecord, NewRun, OrderKind, RunOrder};

pub(super) async fn orders_are_kept_until_they_are_settled(journal: &dyn Journal) {
    let run_id = started(journal, 20).await;
    let (pause, cancel) = (order(run_id, 1, OrderKind::Pause), order(run_id, 2, OrderKind::Cancel));
    for given in [pause, cancel, pause] {
        journal.order(&given).await.expect("an unfinished run takes orders, and a repeat is no error");
    }
    assert_eq!(waiting(journal, "first").await, [pause, cancel], "orders wait in their order, a repeat counts once");
    assert_eq!(journal.orders("first", 1).await.expect("readable"), [pause], "no more than the limit");
    assert_eq!(waiting(journal, "other").await, [], "for the run's owner");
    let record = NewRecord { kind: "paused".to_owned(), body: json!({}) };
    let append = Append { records: vec![record], settled_orders: vec![pause.id], ..Append::example(run_id, 1, 1) };
    let stale = journal.append(Append { epoch: 7, ..append.clone() }).await;
    assert!(matches!(stale, Err(JournalError::StaleOwner { .. })), "a stale owner settles nothing");
    assert_eq!(waiting(journal, "first").await, [pause, cancel], "nothing of a refused append is kept");
    journal.append(append).await.expect("in sequence");
    assert_eq!(waiting(journal, "first").await, [cancel], "a settled order does not wait any more");
    journal.order(&pause).await.expect("a repeat is no error, also when it is settled");
    assert_eq!(waiting(journal, "first").await, [cancel], "and is not wanted again");
    journal.take_over("second", at(31), at(32), 100).await.expect("writable");
    assert_eq!(waiting(journal, "second").await, [cancel], "orders go with the run");
    finish(journal, run_id, 2, 2).await.expect("it can end");
    assert_eq!(waiting(journal, "second").await, [], "a run's end forgets what else was wanted of it");
    journal.order(&cancel).await.expect("a repeat is no error, also when the run has ended");
}

pub(super) async fn orders_are_refused_by_the_state_of_their_run(journal: &dyn Journal) {
    let unknown = journal.order(&order(RunId(Uuid::from_u128(999)), 3, OrderKind::Cancel)).await;
    assert!(matches!(unknown, Err(JournalError::RunUnknown { .. })), "{unknown:?}");
    let run_id = started(journal, 21).await;
    let early = journal.order(&order(run_id, 4, OrderKind::Retry)).await;
    assert!(matches!(early, Err(JournalError::RunNotEnded { .. })), "{early:?}");
    finish(journal, run_id, 1, 1).await.expect("it can end");
    for kind in [OrderKind::Cancel, OrderKind::Pause, OrderKind::Resume] {
        let late = journal.order(&order(run_id, 5, kind)).await;
        assert!(matches!(late, Err(JournalError::RunEnded { .. })), "{kind:?}: {late:?}");
    }
    assert_eq!(waiting(journal, "first").await, [], "nothing of a refused order is kept");
}

pub(super) async fn a_retry_waits_for_whoever_asks_and_starts_a_run(journal: &dyn Journal) {
    let run_id = started(journal, 22).await;
    append(journal, run_id, 1, 1, &["a"]).await.expect("in sequence");
    finish(journal, run_id, 1, 2).await.expect("it can end");
    let retry = order(run_id, 6, OrderKind::Retry);
    journal.order(&retry).await.expect("an ended run can be retried");
    assert_eq!(waiting(journal, "first").await, [retry]);
    assert_eq!(waiting(journal, "anybody").await, [retry], "whoever asks");
    let again = NewRun { settled_order: Some(retry.id), ..run(RunId(Uuid::from_u128(23))) };
    journal.start(again.clone()).await.expect("it starts");
    assert_eq!(waiting(journal, "anybody").await, [], "once");
    finish(journal, again.run_id, 1, 1).await.expect("it can end");
}

async fn waiting(journal: &dyn Journal, owner: &str) -> Vec<RunOrder> {
    journal.orders(owner, 100).await.expect("readable")
}

fn order(run_id: RunId, number: u128, kind: OrderKind) -> RunOrder {
    RunOrder { id: Uuid::from_u128(7_000 + number), run_id, kind, at: at(40) }
}
