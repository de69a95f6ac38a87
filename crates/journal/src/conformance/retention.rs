//! What is old goes, and what somebody still needs stays.

use onex_node::{RunId, Timestamp};
use uuid::Uuid;

use super::{at, finish, outbox_message, run, started};
use crate::{Append, End, Journal, NewRun, OrderKind, RunOrder, RunStatus};

/// Ended runs of the checks before are removed first; what is left is judged one by one.
pub(super) async fn old_runs_are_removed_and_needed_ones_stay(journal: &dyn Journal) {
    prune(journal, future()).await;
    let fingerprint = "of one old run";
    journal.save_contract(fingerprint, "{}").await.expect("a contract can be saved");
    let old = NewRun { contract_fingerprint: fingerprint.to_owned(), ..run(id(50)) };
    journal.start(old).await.expect("it starts");
    assert_eq!(prune(journal, future()).await, 0, "an unfinished run stays");
    finish(journal, id(50), 1, 1).await.expect("it can end");
    assert_eq!(prune(journal, at(50)).await, 0, "a run that ended at that time is not older");
    assert!(journal.contract(fingerprint).await.expect("readable").is_some(), "a run keeps its contract");
    assert_eq!(prune(journal, future()).await, 1, "an old run goes");
    assert!(journal.load(id(50)).await.expect("readable").is_none(), "with its records");
    assert_eq!(journal.contract(fingerprint).await.expect("readable"), None, "and its contract");
    what_a_message_needs_stays(journal).await;
    what_an_order_needs_stays(journal).await;
    what_a_step_needs_stays(journal).await;
    no_more_than_the_limit_go(journal).await;
}

async fn what_a_message_needs_stays(journal: &dyn Journal) {
    let run_id = started(journal, 51).await;
    let message = outbox_message(510);
    let end = End { status: RunStatus::Failed, at: at(50), outbox: vec![message.clone()], states: vec![] };
    let append = Append { records: vec![], end: Some(end), ..Append::example(run_id, 1, 1) };
    journal.append(append).await.expect("it can end");
    assert_eq!(prune(journal, future()).await, 0, "a run with an unpublished message stays");
    journal.mark_published(&[message.id]).await.expect("writable");
    assert_eq!(prune(journal, future()).await, 1);
}

async fn what_an_order_needs_stays(journal: &dyn Journal) {
    let run_id = started(journal, 52).await;
    let forgotten = RunOrder { id: Uuid::from_u128(520), run_id, kind: OrderKind::Cancel, at: at(40) };
    journal.order(&forgotten).await.expect("writable");
    finish(journal, run_id, 1, 1).await.expect("it can end");
    let retry = RunOrder { id: Uuid::from_u128(521), kind: OrderKind::Retry, ..forgotten };
    journal.order(&retry).await.expect("writable");
    assert_eq!(prune(journal, future()).await, 0, "a run that is to be retried stays");
    journal.start(NewRun { settled_order: Some(retry.id), ..run(id(53)) }).await.expect("it starts");
    assert_eq!(prune(journal, future()).await, 1, "until it is");
    finish(journal, id(53), 1, 1).await.expect("it can end");
    assert_eq!(prune(journal, future()).await, 1);
}

async fn what_a_step_needs_stays(journal: &dyn Journal) {
    let run_id = started(journal, 54).await;
    journal.start(NewRun { parent: Some(run_id), ..run(id(55)) }).await.expect("it starts");
    finish(journal, run_id, 1, 1).await.expect("it can end");
    assert_eq!(prune(journal, future()).await, 0, "a run with an unfinished step's run stays");
    finish(journal, id(55), 1, 1).await.expect("it can end");
    assert_eq!(prune(journal, future()).await, 2);
}

async fn no_more_than_the_limit_go(journal: &dyn Journal) {
    for number in 56..59 {
        started(journal, number).await;
        finish(journal, id(number), 1, 1).await.expect("it can end");
    }
    assert_eq!(journal.prune(future(), 2).await.expect("writable"), 2);
    assert!(journal.load(id(58)).await.expect("readable").is_some(), "the earliest go first");
    assert_eq!(journal.prune(future(), 2).await.expect("writable"), 1);
}

async fn prune(journal: &dyn Journal, ended_before: Timestamp) -> u64 {
    journal.prune(ended_before, 1_000).await.expect("writable")
}

/// Later than any store's clock, so that contracts are old as well.
fn future() -> Timestamp {
    at(100_000_000_000)
}

fn id(number: u128) -> RunId {
    RunId(Uuid::from_u128(number))
}
