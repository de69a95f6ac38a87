//! What somebody wants of a run while it goes on: that it stops, waits, goes on; and of one that has ended: that the
//! rest is done.

use std::time::Duration;

use onex_journal::{OrderKind, RunOrder, RunStatus};
use onex_node::{ErrorClass, RunId};
use onex_orchestrator::{Order, RunEnd, Wish};
use uuid::Uuid;

use crate::support::{Case, Deed, RUN, World};

/// Runs to the end, with wishes at milliseconds after the start.
async fn run_with(world: &World, wishes: &[(u64, Wish)]) -> RunEnd {
    let give = async {
        let mut past = 0;
        for (at, wish) in wishes {
            tokio::time::sleep(Duration::from_millis(at - past)).await;
            past = *at;
            assert!(world.worker.orders.give(RUN, Order { id: None, wish: *wish }), "the run is driven here");
        }
    };
    let (end, ()) = tokio::join!(world.run(), give);
    end.expect("it ends")
}

#[tokio::test(start_paused = true)]
async fn r30_c24_a_cancelled_run_ends_as_cancelled_and_undoes_what_it_did() {
    let case = Case::of("A,B(A),C(B)").rules("rollback_enabled: true").script("B", &[Deed::Takes(5_000)]);
    let world = case.world();
    let end = run_with(&world, &[(100, Wish::Cancel)]).await;
    assert_eq!(world.told(&end), "done[A] fail[B] skip[C] CANCELLED");
    assert_eq!(world.script.done().began, ["A", "B", "undo A"]);
    assert!(world.kinds().await.contains(&"cancel_requested".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_paused_run_ends_what_is_under_way_and_begins_nothing() {
    let case = Case::of("A,B(A)").script("A", &[Deed::Takes(200)]);
    let world = case.world();
    let end = run_with(&world, &[(100, Wish::Pause), (1_000, Wish::Resume)]).await;
    assert_eq!(world.told(&end), "done[A,B] SUCCEEDED");
    assert_eq!(world.script.done().times, [0, 1_000]);
    let kinds = world.kinds().await;
    let expected = ["started", "pause_requested", "call_succeeded", "resume_requested", "call_succeeded", "ended"];
    assert_eq!(kinds, expected);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_does_not_run_while_the_run_is_paused() {
    let case = Case::of("A,B(A)").rules("timeout_ms: 1000").script("A", &[Deed::Takes(200)]);
    let case = case.script("B", &[Deed::Takes(700)]);
    let end = run_with(&case.world(), &[(100, Wish::Pause), (60_000, Wish::Resume)]).await;
    assert_eq!(end.outcome.status, RunStatus::Succeeded, "800 of 1000 ms are used");
    let case = case.script("B", &[Deed::Takes(950)]);
    let end = run_with(&case.world(), &[(100, Wish::Pause), (60_000, Wish::Resume)]).await;
    assert_eq!(end.outcome.failure.expect("it failed").code, "ONEX3022", "what was used before counts");
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_is_due_while_the_run_is_paused_waits() {
    let case = Case::of("A").script("A", &[Deed::Fails(ErrorClass::Timeout), Deed::Succeeds]);
    let case = case.errors("retry_policy: {initial_delay_ms: 1000, jitter_factor: 0}");
    let world = case.world();
    let end = run_with(&world, &[(500, Wish::Pause), (9_000, Wish::Resume)]).await;
    assert_eq!(world.told(&end), "done[A] SUCCEEDED");
    assert_eq!(world.script.done().times, [0, 10_000], "a fresh delay after the pause");
}

#[tokio::test(start_paused = true)]
async fn undoing_waits_as_well() {
    let case = Case::of("A,B!(A)").rules("rollback_enabled: true");
    let case = case.script("undo A", &[Deed::Fails(ErrorClass::Timeout), Deed::Succeeds]);
    let case = case.errors("retry_policy: {initial_delay_ms: 1000, jitter_factor: 0}");
    let world = case.world();
    let end = run_with(&world, &[(500, Wish::Pause), (9_000, Wish::Resume)]).await;
    assert_eq!(world.told(&end), "done[A] fail[B] FAILED");
    assert_eq!(world.script.done().times, [0, 0, 0, 10_000]);
}

#[tokio::test(start_paused = true)]
async fn a_paused_run_is_cancelled_without_going_on() {
    let case = Case::of("A,B(A)").rules("rollback_enabled: true").script("A", &[Deed::Takes(200)]);
    let world = case.world();
    let end = run_with(&world, &[(100, Wish::Pause), (500, Wish::Cancel)]).await;
    assert_eq!(world.told(&end), "done[A] skip[B] CANCELLED");
    assert_eq!(world.script.done().began, ["A", "undo A"]);
}

#[tokio::test(start_paused = true)]
async fn wishes_may_come_twice_or_without_need() {
    let case = Case::of("A,B(A)").script("A", &[Deed::Takes(200)]);
    let world = case.world();
    let wishes = [(50, Wish::Resume), (100, Wish::Pause), (150, Wish::Pause), (900, Wish::Resume), (900, Wish::Resume)];
    let end = run_with(&world, &wishes).await;
    assert_eq!(world.told(&end), "done[A,B] SUCCEEDED");
}

#[tokio::test(start_paused = true)]
async fn a_recovered_run_is_still_paused() {
    let world = Case::of("A,B(A)").script("A", &[Deed::Takes(200)]).world();
    let pause = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        world.worker.orders.give(RUN, Order { id: None, wish: Wish::Pause });
        tokio::time::sleep(Duration::from_millis(400)).await;
    };
    tokio::select! {
        _ = world.run() => panic!("it waits"),
        () = pause => {}
    }
    let resume = async {
        tokio::time::sleep(Duration::from_millis(1_000)).await;
        assert_eq!(world.script.done().began, ["A"], "nothing begins");
        world.worker.orders.give(RUN, Order { id: None, wish: Wish::Resume });
    };
    let (end, ()) = tokio::join!(world.resume(), resume);
    assert_eq!(world.told(&end.expect("it ends")), "done[A,B] SUCCEEDED");
    assert_eq!(world.script.done().began, ["A", "B"]);
}

#[tokio::test(start_paused = true)]
async fn an_order_is_settled_with_the_record_that_takes_it_up() {
    let world = Case::of("A").script("A", &[Deed::Takes(5_000)]).world();
    let order = RunOrder { id: Uuid::from_u128(9), run_id: RUN, kind: OrderKind::Cancel, at: world.worker.clock.now() };
    let journal = &world.worker.journal;
    let give = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        journal.order(&order).await.expect("the run goes on");
        assert_eq!(journal.orders("w", 10).await.expect("readable"), [order]);
        world.worker.orders.give(RUN, Order { id: Some(order.id), wish: Wish::Cancel });
    };
    let (end, ()) = tokio::join!(world.run(), give);
    assert_eq!(end.expect("it ends").outcome.status, RunStatus::Cancelled);
    assert_eq!(journal.orders("w", 10).await.expect("readable"), []);
    assert!(!world.worker.orders.give(RUN, Order { id: None, wish: Wish::Cancel }), "it has ended");
}

#[tokio::test(start_paused = true)]
async fn a_retry_does_what_was_left_undone_and_nothing_twice() {
    let case = Case::of("A,B(A),C(B)").script("B", &[Deed::Fails(ErrorClass::Validation), Deed::Succeeds]);
    let world = case.world();
    let end = world.run().await.expect("it ends");
    assert_eq!(world.told(&end), "done[A] fail[B] skip[C] FAILED");
    let again = RunId(Uuid::from_u128(2));
    let request = world.orchestrator.retry_of(&world.worker, world.stored().await, again).expect("it replays");
    let end = world.orchestrator.run(&world.worker, request).await.expect("it ends");
    assert_eq!(world.told(&end), "done[A,B,C] SUCCEEDED");
    assert_eq!(world.script.done().began, ["A", "B", "B", "C"]);
    let first = &end.outcome.intents[0];
    assert_eq!((first.success, first.already_applied, first.attempts), (true, true, 0));
    assert_eq!(world.stored().await.header.status, RunStatus::Failed, "what has ended stays as it is");
}

#[tokio::test(start_paused = true)]
async fn a_retry_does_again_what_was_undone() {
    let case = Case::of("A,B(A)").script("B", &[Deed::Fails(ErrorClass::Validation), Deed::Succeeds]);
    let world = case.rules("rollback_enabled: true").world();
    world.run().await.expect("it ends");
    let again = RunId(Uuid::from_u128(2));
    let request = world.orchestrator.retry_of(&world.worker, world.stored().await, again).expect("it replays");
    let end = world.orchestrator.run(&world.worker, request).await.expect("it ends");
    assert_eq!(world.told(&end), "done[A,B] SUCCEEDED");
    assert_eq!(world.script.done().began, ["A", "B", "undo A", "A", "B"]);
}
