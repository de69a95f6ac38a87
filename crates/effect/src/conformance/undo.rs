//! What undoing promises.

use onex_node::IdempotencyKey;

use super::node::{Suite, at};
use crate::backend::AppliedOutcome;
use crate::entry::EntryState;

pub(super) async fn run(suite: &Suite<'_>) {
    what_was_created_goes(suite).await;
    what_was_replaced_is_restored(suite).await;
    what_came_later_stays(suite).await;
    what_did_nothing_undoes_nothing(suite).await;
    what_was_removed_is_restored(suite).await;
}

async fn what_was_created_goes(suite: &Suite<'_>) {
    let node = suite.node("undo a creation");
    node.must(at(Some(1), 1), "a", AppliedOutcome::Created, "a first registration creates").await;
    node.undo_registration(at(Some(1), 1), "a").await;
    assert_eq!(node.entry().await, None, "the undo of a first registration removes it");
    node.undo_registration(at(Some(1), 1), "a").await;
    assert_eq!(node.entry().await, None, "a repeated undo changes nothing");
    let promise = "an undone key is forgotten, so that the same effect can be carried out again";
    node.must(at(Some(1), 1), "a", AppliedOutcome::Created, promise).await;
}

async fn what_was_replaced_is_restored(suite: &Suite<'_>) {
    let node = suite.node("undo a replacement");
    node.must(at(Some(1), 1), "a", AppliedOutcome::Created, "a first registration creates").await;
    let before = node.entry().await;
    node.must(at(Some(2), 2), "b", AppliedOutcome::Replaced, "a newer position replaces").await;
    node.undo_registration(at(Some(2), 2), "b").await;
    match suite.fixture.keeps_history() {
        true => assert_eq!(node.entry().await, before, "the undo of a replacement restores the former entry"),
        false => assert_eq!(node.entry().await, None, "the undo of a replacement takes the entry out"),
    }
}

async fn what_came_later_stays(suite: &Suite<'_>) {
    let node = suite.node("undo an overtaken one");
    node.must(at(Some(1), 1), "a", AppliedOutcome::Created, "a first registration creates").await;
    node.must(at(Some(2), 2), "b", AppliedOutcome::Replaced, "a newer position replaces").await;
    node.undo_registration(at(Some(1), 1), "a").await;
    assert_eq!(node.active_at().await, Some(at(Some(2), 2)), "an undo leaves a later writer's entry");
}

async fn what_did_nothing_undoes_nothing(suite: &Suite<'_>) {
    let node = suite.node("undo nothing");
    node.must(at(Some(1), 1), "a", AppliedOutcome::Created, "a first registration creates").await;
    node.must(at(Some(1), 1), "b", AppliedOutcome::Unchanged, "the same event under another key is in place").await;
    node.undo_registration(at(Some(1), 1), "b").await;
    node.undo_registration(at(Some(2), 2), "never used").await;
    assert_eq!(node.active_at().await, Some(at(Some(1), 1)), "the undo of what did nothing does nothing");
}

async fn what_was_removed_is_restored(suite: &Suite<'_>) {
    let node = suite.node("undo a removal");
    node.must(at(Some(1), 1), "a", AppliedOutcome::Created, "a first registration creates").await;
    let before = node.entry().await;
    node.deregister(None, "b").await.expect("a node can be deregistered");
    let removal = node.deregistration(None);
    let key: IdempotencyKey = node.key("b");
    match suite.backend.undoes(removal.kind()) {
        true => {
            suite.backend.undo(&removal, &key).await.expect("a removal can be undone where the backend says so");
            assert_eq!(node.entry().await, before, "the undo of a removal restores the entry");
        }
        false => {
            let refused = suite.backend.undo(&removal, &key).await.expect_err("what has no undo is refused");
            assert_eq!(refused.code, crate::codes::NO_UNDO, "what has no undo is refused by name");
            let state = node.entry().await.map(|entry| entry.state);
            assert_ne!(state, Some(EntryState::Active), "a refused undo changes nothing");
        }
    }
}
