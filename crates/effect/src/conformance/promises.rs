//! What registering and deregistering promise.

use onex_node::{ErrorClass, Failure};

use super::node::{AWKWARD, Suite, at, moment};
use crate::backend::{Applied, AppliedOutcome};
use crate::codes;
use crate::entry::EntryState;

pub(super) async fn run(suite: &Suite<'_>) {
    suite.backend.check().await.expect("a backend that works says so");
    what_is_registered_can_be_read_back(suite).await;
    a_repeated_key_counts_once(suite).await;
    an_equal_position_changes_nothing(suite).await;
    the_older_is_refused(suite).await;
    the_newer_replaces(suite).await;
    a_deregistered_node_is_out_of_service(suite).await;
    a_deregistered_node_comes_back_only_with_news(suite).await;
    nodes_do_not_disturb_each_other(suite).await;
}

async fn what_is_registered_can_be_read_back(suite: &Suite<'_>) {
    let node = suite.node("read back");
    node.must(at(Some(1), 1), "a", AppliedOutcome::Created, "a first registration creates").await;
    let entry = node.entry().await.expect("a registered node has an entry");
    assert_eq!(entry.state, EntryState::Active, "a registered node is active");
    assert_eq!(entry.position, Some(at(Some(1), 1)), "an entry has the position of its event");
    assert_eq!(entry.node_type.as_deref(), Some("effect"), "an entry has its node's kind");
    assert_eq!(entry.node_version.as_deref(), Some("1.2.3"), "an entry has its node's version");
    if suite.table() {
        assert_eq!(entry.id, node.id.to_string(), "a row is named by its node");
        assert_eq!(entry.node_name.as_deref(), Some(AWKWARD), "text survives whatever it holds");
        assert_eq!(entry.metadata.expect("a row has metadata")["note"], AWKWARD, "JSON survives whatever it holds");
        assert_eq!(entry.registered_at, Some(moment(1)), "a row has the time it was registered at");
    } else {
        assert_eq!(entry.id, format!("onex-effect-{}", node.id), "a service is named by its service id");
        let place = (entry.address.as_deref(), entry.port);
        assert_eq!(place, (Some("127.0.0.1"), Some(8080)), "a service has its address and port");
    }
}

async fn a_repeated_key_counts_once(suite: &Suite<'_>) {
    let node = suite.node("repeated key");
    node.must(at(Some(1), 1), "a", AppliedOutcome::Created, "a first registration creates").await;
    let again = node.register(at(Some(1), 1), "a").await.expect("a repeated key is no error");
    assert_eq!(again, Applied::before(AppliedOutcome::Created), "a repeated key is answered as before");
    if suite.fixture.keeps_history() {
        node.must(at(Some(2), 2), "b", AppliedOutcome::Replaced, "a newer position replaces").await;
        let late = node.register(at(Some(1), 1), "a").await.expect("a repeated key is no error, even when overtaken");
        assert_eq!(late, Applied::before(AppliedOutcome::Created), "a repeated key is answered as before");
        assert_eq!(node.active_at().await, Some(at(Some(2), 2)), "a repeated key changes nothing");
    }
    node.entry().await.expect("a repeated key leaves the entry");
}

async fn an_equal_position_changes_nothing(suite: &Suite<'_>) {
    for (name, epoch) in [("equal with epoch", Some(1)), ("equal without epoch", None)] {
        let node = suite.node(name);
        node.must(at(epoch, 1), "a", AppliedOutcome::Created, "a first registration creates").await;
        let before = node.entry().await;
        let promise = "the same event under another key is in place";
        node.must(at(epoch, 1), "b", AppliedOutcome::Unchanged, promise).await;
        assert_eq!(node.entry().await, before, "the same event under another key changes nothing");
    }
}

async fn the_older_is_refused(suite: &Suite<'_>) {
    let table = [
        ("older epoch", at(Some(5), 5), at(Some(4), 9)),
        ("older timestamp of one epoch", at(Some(5), 5), at(Some(5), 4)),
        ("older timestamp without epochs", at(None, 5), at(None, 4)),
        ("older timestamp over an epoch", at(Some(5), 5), at(None, 4)),
    ];
    for (name, stored, incoming) in table {
        let node = suite.node(name);
        node.must(stored, "a", AppliedOutcome::Created, "a first registration creates").await;
        let before = node.entry().await;
        let refused = node.register(incoming, "b").await;
        assert_stale(refused, name);
        assert_stale(node.deregister(Some(incoming), "c").await, name);
        assert_eq!(node.entry().await, before, "a refused intent changes nothing ({name})");
    }
}

async fn the_newer_replaces(suite: &Suite<'_>) {
    let table = [
        ("newer epoch", at(Some(5), 5), at(Some(6), 1)),
        ("newer timestamp of one epoch", at(Some(5), 5), at(Some(5), 6)),
        ("newer timestamp without epochs", at(None, 5), at(None, 6)),
        ("newer timestamp, first epoch", at(None, 5), at(Some(1), 6)),
        ("largest epoch", at(Some(5), 5), at(Some(i64::MAX.unsigned_abs()), 1)),
    ];
    for (name, stored, incoming) in table {
        let node = suite.node(name);
        node.must(stored, "a", AppliedOutcome::Created, "a first registration creates").await;
        node.must(incoming, "b", AppliedOutcome::Replaced, name).await;
        let entry = node.entry().await.expect("a replaced entry is an entry");
        assert_eq!(entry.position, Some(incoming), "the newer position is stored ({name})");
        if suite.table() {
            assert_eq!(entry.registered_at, Some(stored.timestamp), "a replaced row keeps `registered_at`");
            assert_eq!(entry.updated_at, Some(incoming.timestamp), "a replaced row has a new `updated_at`");
        }
    }
}

async fn a_deregistered_node_is_out_of_service(suite: &Suite<'_>) {
    let node = suite.node("deregister");
    node.must(at(Some(1), 1), "a", AppliedOutcome::Created, "a first registration creates").await;
    let removed = node.deregister(Some(at(Some(1), 2)), "b").await.expect("a node can be deregistered");
    assert_eq!(removed, Applied::now(AppliedOutcome::Removed), "a deregistration removes");
    let entry = node.entry().await;
    match suite.table() {
        true => assert_eq!(entry.map(|entry| entry.state), Some(EntryState::Deregistered), "a removed row stays"),
        false => assert_eq!(entry, None, "a removed service is gone"),
    }
    let again = node.deregister(Some(at(Some(1), 2)), "b").await.expect("a repeated deregistration is no error");
    assert!(again.already_applied, "a repeated deregistration is answered with `already_applied`");
    let other = node.deregister(None, "c").await.expect("a further deregistration is no error");
    assert!(other.already_applied, "a further deregistration finds nothing to do");
    let unknown = suite.node("never registered").deregister(None, "a").await;
    let unknown = unknown.expect("deregistering a node that nobody registered is no error");
    assert!(unknown.already_applied, "deregistering a node that nobody registered finds nothing to do");
}

async fn a_deregistered_node_comes_back_only_with_news(suite: &Suite<'_>) {
    let node = suite.node("come back");
    node.must(at(Some(1), 1), "a", AppliedOutcome::Created, "a first registration creates").await;
    node.deregister(Some(at(Some(1), 5)), "b").await.expect("a node can be deregistered");
    if suite.table() {
        assert_stale(node.register(at(Some(1), 1), "c").await, "the event from before the deregistration");
        assert_stale(node.register(at(Some(1), 5), "d").await, "an event as old as the deregistration");
    }
    node.register(at(Some(2), 6), "e").await.expect("a deregistered node comes back with a newer event");
    assert_eq!(node.active_at().await, Some(at(Some(2), 6)), "a node that came back is active");
}

async fn nodes_do_not_disturb_each_other(suite: &Suite<'_>) {
    let (left, right) = (suite.node("left"), suite.node("right"));
    left.must(at(Some(9), 9), "a", AppliedOutcome::Created, "a first registration creates").await;
    right.must(at(Some(1), 1), "a", AppliedOutcome::Created, "an older event of another node creates").await;
    let before = right.entry().await;
    left.deregister(None, "b").await.expect("a node can be deregistered");
    assert_eq!(right.entry().await, before, "a deregistration leaves other nodes");
}

fn assert_stale(result: Result<Applied, Failure>, promise: &str) {
    let failure = result.expect_err(promise);
    assert_eq!(failure.class, ErrorClass::Conflict, "{promise} is refused as a conflict: {failure:?}");
    assert_eq!(failure.code, codes::STALE, "{promise} is refused as stale: {failure:?}");
    let message = &failure.message;
    assert!(message.starts_with("refused as stale: stored epoch"), "the refusal names what is stored: {message}");
}
