//! What calls that run at the same time promise.

use futures::future::join_all;

use super::node::{Suite, at};
use crate::backend::AppliedOutcome;
use crate::codes;

pub(super) async fn run(suite: &Suite<'_>) {
    of_concurrent_writers_the_newest_wins(suite).await;
    concurrent_repeats_count_once(suite).await;
}

async fn of_concurrent_writers_the_newest_wins(suite: &Suite<'_>) {
    for (name, first) in [("crowd on a new node", None), ("crowd on a known node", Some(at(Some(1), 1)))] {
        let node = suite.node(name);
        if let Some(first) = first {
            node.must(first, "first", AppliedOutcome::Created, "a first registration creates").await;
        }
        let write = async |epoch: u64| node.register(at(Some(epoch), 30), &format!("epoch {epoch}")).await;
        let results = join_all((2..12).map(write)).await;
        let mut overtaken = results.into_iter().filter_map(Result::err);
        let odd = overtaken.find(|failure| failure.code != codes::STALE);
        assert_eq!(odd, None, "a concurrent writer is applied or refused as stale");
        assert_eq!(node.active_at().await, Some(at(Some(11), 30)), "of concurrent writers the newest wins");
    }
}

async fn concurrent_repeats_count_once(suite: &Suite<'_>) {
    let node = suite.node("echo");
    let results = join_all((0..10).map(async |_| node.register(at(Some(1), 1), "a").await)).await;
    let applied: Vec<_> = results.into_iter().map(|result| result.expect("a repeated key is no error")).collect();
    let first = applied.iter().filter(|applied| !applied.already_applied).count();
    assert_eq!(first, 1, "of concurrent calls with one key exactly one is the first: {applied:?}");
    node.entry().await.expect("concurrent repeats leave one entry");
}
