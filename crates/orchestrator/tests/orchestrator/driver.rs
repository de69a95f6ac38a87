//! What is written and when, and that a run comes to the same end whatever fails or dies on the way.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures::future::poll_fn;
use onex_journal::{Journal, JournalError, MemoryJournal};
use onex_node::{ErrorClass, RunId};
use onex_orchestrator::{DriveError, NodeOrchestrator, RunEnd};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fragile::Fragile;
use crate::support::{Case, Deed, RUN, World};

const CONNECTION: Deed = Deed::Fails(ErrorClass::Connection);
const NEVER: Deed = Deed::Takes(60_000);

/// A run with something of everything: a retry, an absorbed failure, pure steps, a publication.
fn busy() -> Case {
    let case = Case::of("A,X+,B(A),C!,S&(B,C),D(S),P>(S,X,D)").calls("D", 2);
    let case = case.script("A", &[Deed::Takes(3), Deed::Succeeds]).script("B", &[CONNECTION, Deed::Takes(2)]);
    case.rules("execution_mode: parallel, max_parallel_branches: 2, retry_backoff_ms: 5")
}

/// A run that fails and takes back what it did.
fn undone() -> Case {
    let case = Case::of("A,B,X+(A),C!(X),D(C)").calls("B", 2).script("B", &[Deed::Takes(2)]);
    case.script("undo B", &[CONNECTION, Deed::Takes(1)])
        .rules("failure_recovery_strategy: rollback, retry_backoff_ms: 5")
}

/// Runs it, or carries it on when it was started.
async fn run_or_resume(world: &World) -> Result<RunEnd, DriveError> {
    match world.worker.journal.load(RUN).await.expect("readable") {
        None => world.run().await,
        Some(_) => world.resume().await,
    }
}

#[tokio::test(start_paused = true)]
async fn records_are_outcomes_and_the_last_shares_its_append_with_the_end() {
    for (name, case, writes) in [
        ("nothing to do", Case::bare("A+,B+(A)"), "started | ended"),
        ("pure steps", Case::of("A,X+(A),B(X),Y+(B),P>(Y)"), "started | call_succeeded | call_succeeded ended"),
        (
            "retry",
            Case::of("A").script("A", &[CONNECTION, Deed::Succeeds]),
            "started | call_failed | call_succeeded ended",
        ),
        ("calls", Case::of("A").calls("A", 2), "started | call_succeeded | call_succeeded ended"),
        ("failure", Case::of("A,B!,C"), "started | call_succeeded | call_failed ended"),
        (
            "parallel",
            Case::of("A,B").rules("execution_mode: parallel").script("B", &[Deed::Takes(50)]),
            "started | call_succeeded | call_succeeded ended",
        ),
        (
            "together",
            Case::of("A,B,C(A,B)").rules("execution_mode: parallel"),
            "started | call_succeeded call_succeeded | call_succeeded ended",
        ),
        (
            "together, though one fails",
            Case::of("A!,B").rules("execution_mode: parallel"),
            "started | call_failed call_succeeded ended",
        ),
        ("deadline", Case::of("A").rules("timeout_ms: 100").script("A", &[NEVER]), "started | deadline_passed ended"),
        (
            "undo",
            Case::of("A,B!").rules("rollback_enabled: true").script("undo A", &[CONNECTION, Deed::Succeeds]),
            "started | call_succeeded | call_failed | undo_failed | undo_succeeded ended",
        ),
    ] {
        let journal = Arc::new(Fragile::default());
        let world = case.world_over(Arc::clone(&journal) as Arc<dyn Journal>);
        world.run().await.expect("it ends");
        let found: Vec<_> = journal.writes.lock().expect("free").iter().map(|kinds| kinds.join(" ")).collect();
        assert_eq!(found.join(" | "), writes, "{name}");
        assert_eq!(world.kinds().await.join(" "), writes.replace(" | ", " "), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_waited_long_goes_on_only_if_it_is_still_its_own() {
    let case = Case::of("A").script("A", &[CONNECTION, Deed::Succeeds]).rules("retry_backoff_ms: 5000");
    let world = case.world();
    let take_over = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let later = world.worker.clock.now() + Duration::from_secs(60);
        world.worker.journal.take_over("other", later, later, 1).await.expect("it can be written")
    };
    let (ended, claims) = tokio::join!(world.run(), take_over);
    assert_eq!(claims.len(), 1);
    assert!(matches!(ended, Err(DriveError::Journal { source: JournalError::StaleOwner { .. }, .. })), "{ended:?}");
    assert_eq!(world.script.done().began, ["A"], "the other carries on");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_waited_long_computes_the_same_or_stops() {
    let case = Case::of("V*,A(V)").script("A", &[CONNECTION, Deed::Succeeds]).rules("retry_backoff_ms: 5000");
    let world = case.world();
    let change = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        world.script.done().variable = 7;
    };
    let (ended, ()) = tokio::join!(world.run(), change);
    assert!(matches!(ended, Err(DriveError::Diverged { .. })), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_dispatched_before_its_cause_is_written() {
    for (write, began) in [(0, ""), (1, "A"), (2, "A,B"), (3, "A,B,C")] {
        let world = Case::of("A,B(A),C(B)").world_over(Fragile::wrong(write, false));
        let error = world.run().await.expect_err("the journal fails");
        assert!(error.is_transient() && error.code() == "ONEX5001", "{error}");
        assert_eq!(world.script.done().began.join(","), began, "write {write}");
    }
}

/// What must be the same however the run came to its end. An attempt whose answer was lost is not counted.
async fn traces(world: &World, end: &RunEnd) -> Value {
    let ids: Vec<_> = end.messages.iter().map(|message| message.id).collect();
    let outbox = world.worker.journal.outbox(10).await.expect("readable");
    assert_eq!(outbox, end.messages, "what leaves is what was told, once");
    let state = world.worker.journal.entity_state("counter", "e").await.expect("readable");
    let mut successes = BTreeMap::new();
    for record in world.stored().await.records {
        if record.kind == "call_succeeded" || record.kind == "undo_succeeded" {
            *successes.entry(format!("{} {}", record.kind, record.body["call"])).or_insert(0) += 1;
        }
    }
    assert!(successes.values().all(|count| *count == 1), "each outcome is recorded once: {successes:#?}");
    let failure = end.outcome.failure.as_ref().map(|failure| &failure.message);
    json!({
        "told": world.told(end), "ids": ids, "state": state, "outcomes": successes.keys().collect::<Vec<_>>(),
        "failure": failure,
    })
}

async fn undisturbed(case: &Case) -> Value {
    let world = case.world();
    let end = world.run().await.expect("it ends");
    traces(&world, &end).await
}

#[tokio::test(start_paused = true)]
async fn r15_every_write_failing_once_comes_to_the_same_end() {
    for case in [busy(), undone()] {
        let expected = undisturbed(&case).await;
        for is_written in [false, true] {
            let mut write = 0;
            loop {
                let world = case.world_over(Fragile::wrong(write, is_written));
                match world.run().await {
                    Ok(_) => break,
                    Err(error) => assert!(error.is_transient(), "{error}"),
                }
                let end = run_or_resume(&world).await.expect("the journal works again");
                assert_eq!(traces(&world, &end).await, expected, "write {write}, written: {is_written}");
                write += 1;
            }
            assert!(write >= 7, "every write failed once, {write} of them");
        }
    }
}

/// Drops the future after so many polls, as a crash would; `None` when it was dropped.
async fn dying_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = Box::pin(future);
    let mut left = polls;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn r15_a_crash_at_every_await_point_comes_to_the_same_end() {
    for case in [busy(), undone()] {
        let expected = undisturbed(&case).await;
        let mut polls = 0;
        loop {
            let world = case.world_over(Arc::new(Fragile::default()));
            if dying_after(polls, world.run()).await.is_some() {
                break;
            }
            let end = run_or_resume(&world).await.unwrap_or_else(|error| panic!("after {polls} polls: {error}"));
            assert_eq!(traces(&world, &end).await, expected, "after {polls} polls");
            polls += 1;
        }
        assert!(polls >= 15, "there are await points, {polls} of them");
    }
}

#[tokio::test(start_paused = true)]
async fn r15_a_run_that_dies_again_and_again_comes_to_the_same_end() {
    for case in [busy(), undone()] {
        let expected = undisturbed(&case).await;
        for polls in 8..30 {
            let world = case.world_over(Arc::new(Fragile::default()));
            let mut lives = 1;
            let end = loop {
                match dying_after(polls, run_or_resume(&world)).await {
                    Some(end) => break end.expect("it ends"),
                    None => lives += 1,
                }
                assert!(lives < 100, "{polls} polls are enough to get on");
            };
            assert_eq!(traces(&world, &end).await, expected, "{lives} lives of {polls} polls");
        }
    }
}

/// Runs until `step` is under way, and dies.
async fn dying_in(world: &World, step: &str) {
    let mut run = Box::pin(world.run());
    poll_fn(|context| match run.as_mut().poll(context) {
        Poll::Pending if world.script.done().began.iter().any(|began| began == step) => Poll::Ready(()),
        Poll::Pending => Poll::Pending,
        Poll::Ready(end) => panic!("it ended: {end:?}"),
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn r15_a_completed_effect_is_not_repeated_and_its_output_is_given_on() {
    let case = Case::of("A,B(A),C(B),P>(A)").script("B", &[NEVER, Deed::Succeeds]);
    let world = case.world_over(Arc::new(Fragile::default()));
    dying_in(&world, "B").await;
    let end = world.resume().await.expect("it ends");
    assert_eq!(world.script.done().began, ["A", "B", "B", "C"]);
    let keys = world.script.done().keys.clone();
    assert_eq!(keys[1], keys[2]);
    assert_eq!(end.outcome.publications[0].payload["outputs"], json!([{"of": "A"}]));
    assert_eq!(world.told(&end), "done[A,B,C,P] SUCCEEDED");
}

#[tokio::test(start_paused = true)]
async fn r15_an_outcome_is_written_although_its_sibling_still_runs() {
    let case = Case::of("A,B")
        .rules("execution_mode: parallel")
        .script("A", &[Deed::Takes(5)])
        .script("B", &[NEVER, Deed::Succeeds]);
    let world = case.world_over(Arc::new(Fragile::default()));
    assert!(tokio::time::timeout(Duration::from_millis(50), world.run()).await.is_err());
    world.resume().await.expect("it ends");
    assert_eq!(world.script.done().began, ["A", "B", "B"]);
}

#[tokio::test(start_paused = true)]
async fn a_recovered_run_has_its_whole_deadline_again() {
    let world = Case::of("A,B,C").rules("timeout_ms: 1000").script("A", &[NEVER, Deed::Succeeds]).world();
    dying_in(&world, "A").await;
    tokio::time::advance(Duration::from_secs(3600)).await;
    let end = world.resume().await.expect("it ends");
    assert_eq!(world.told(&end), "done[A,B,C] SUCCEEDED", "downtime is not the run's");
}

#[tokio::test(start_paused = true)]
async fn o53_the_deadline_of_a_recovery_is_enforced() {
    let world = Case::of("A").rules("timeout_ms: 1000, max_retries: 0").script("A", &[NEVER]).world();
    dying_in(&world, "A").await;
    tokio::time::advance(Duration::from_millis(600)).await;
    let end = world.resume().await.expect("it ends");
    assert_eq!(world.told(&end), "fail[A] FAILED");
    assert_eq!(world.kinds().await.last_chunk(), Some(&["deadline_passed".to_owned(), "ended".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn r16_a_recovery_that_computes_something_else_is_stopped() {
    let case = Case::of("A,V*,B(V),C(B)").script("C", &[NEVER, Deed::Succeeds]);
    let world = case.world_over(Arc::new(Fragile::default()));
    dying_in(&world, "C").await;
    world.script.done().variable = 7;
    let error = world.resume().await.expect_err("it computed something else");
    assert!(matches!(error, DriveError::Diverged { run_id: RUN, sequence: 3 }), "{error}");
    assert_eq!((error.code(), error.is_transient()), ("ONEX3030", false));
    assert_eq!(world.script.done().began, ["A", "B", "C"], "nothing more is done");
    world.script.done().variable = 0;
    let end = world.resume().await.expect("it computes the same again");
    assert_eq!(world.told(&end), "done[A,V,B,C] SUCCEEDED");
}

#[tokio::test(start_paused = true)]
async fn r16_a_run_keeps_the_contract_it_started_with() {
    let world = Case::of("A,B!,S&(A,B),P>(S)").world();
    world.orchestrator.save(&*world.worker.journal).await.expect("saved");
    let fingerprint = &world.orchestrator.plan().fingerprint;
    let kept = world.worker.journal.contract(fingerprint).await.expect("readable").expect("kept");
    let case = Case::of("A,B!,S&(A,B),P>(S)");
    let again = NodeOrchestrator::from_canonical(&kept, fingerprint, &case.nodes().0).expect("a plan");
    let first = world.run().await.expect("it ends");
    let other = case.world();
    let second = again.run(&other.worker, other.request()).await.expect("it ends");
    assert_eq!(first, second);
    assert_eq!(world.stored().await, other.stored().await);
}

#[tokio::test(start_paused = true)]
async fn r20_r22_a_run_starts_once() {
    let world = Case::of("A").world();
    world.run().await.expect("it ends");
    let again = world.run().await.expect_err("it was started before");
    assert!(
        matches!(again, DriveError::Journal { source: JournalError::RunExists { ended: true, .. }, .. }),
        "{again}"
    );
    assert!(!again.is_transient());
    assert_eq!(world.script.done().began, ["A"]);
}

#[tokio::test(start_paused = true)]
async fn r22_a_run_that_ended_is_told_again_and_nothing_is_done() {
    let world = Case::of("A,P>(A)").world();
    let end = world.run().await.expect("it ends");
    assert_eq!(world.resume().await.expect("it has ended"), end);
    assert_eq!(world.script.done().began, ["A"]);
    assert_eq!(world.kinds().await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn r21_r24_a_stale_owner_does_nothing_more() {
    let world = Case::of("A,B").script("A", &[Deed::Takes(1_000)]).world();
    let steal = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let later = world.worker.clock.now() + Duration::from_secs(60);
        world.worker.journal.take_over("other", later, later, 10).await.expect("taken over")
    };
    let (error, claims) = futures::join!(world.run(), steal);
    let error = error.expect_err("another owns it");
    assert!(matches!(&error, DriveError::Journal { source, .. } if source.lost_ownership()), "{error}");
    assert_eq!((claims[0].epoch, error.is_transient()), (2, false));
    assert_eq!(world.script.done().began, ["A"]);
}

#[tokio::test(start_paused = true)]
async fn an_entity_goes_on_from_where_the_last_run_left_it() {
    let world = Case::of("A,B!,S&(A,B)").world();
    for (run, state) in [(1, json!({"events": 1, "applied": 1})), (2, json!({"events": 2, "applied": 2}))] {
        let request = world.request_of(RunId(Uuid::from_u128(run)));
        world.orchestrator.run(&world.worker, request).await.expect("it ends");
        let stored = world.worker.journal.entity_state("counter", "e").await.expect("readable").expect("written");
        assert_eq!((u128::from(stored.version), stored.state), (run, state));
    }
    assert_eq!(world.orchestrator.entity(&world.input).expect("it tells"), Some("e".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn an_event_without_an_entity_starts_nothing() {
    let world = Case::of("A").world();
    let mut request = world.request();
    request.input = json!({});
    let error = world.orchestrator.run(&world.worker, request).await.expect_err("no entity");
    assert!(matches!(error, DriveError::Input { .. }), "{error}");
    assert!(world.worker.journal.load(RUN).await.expect("readable").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_record_that_does_not_belong_is_told_by_its_place() {
    let world = Case::of("A,B").script("B", &[NEVER]).world();
    dying_in(&world, "B").await;
    let mut stored = world.stored().await;
    stored.records[1].body["attempt"] = json!(9);
    let error = world.orchestrator.resume(&world.worker, stored, 1).await.expect_err("no such attempt");
    assert!(matches!(error, DriveError::BadRecord { sequence: 2, .. }), "{error}");
    let source = std::error::Error::source(&error).map(ToString::to_string);
    assert_eq!(source.as_deref(), Some("run 00000000-0000-0000-0000-000000000001 refused its own event"));
}

#[tokio::test(start_paused = true)]
async fn an_intent_list_that_cannot_be_read_fails_its_step() {
    let mut world = Case::of("A,B").world();
    world.input["intents"] = json!([{"kind": "A.do", "payload": 1, "more": 2}]);
    let end = world.run().await.expect("it ends");
    assert_eq!(end.outcome.failure.expect("it failed").code, "ONEX3026", "the reducer panics over it");
}

/// `MemoryJournal` is what most tests above stand on.
#[tokio::test(start_paused = true)]
async fn a_publication_is_one_message_with_an_id_of_its_own() {
    let world = Case::of("A,P>(A),Q>(A)").world_over(Arc::new(MemoryJournal::new()));
    let end = world.run().await.expect("it ends");
    let named = |step: &str| Uuid::new_v5(&RUN.0, format!("{step}:Told").as_bytes());
    let ids: Vec<_> = end.messages.iter().map(|message| message.id).collect();
    assert_eq!(ids, [named("P"), named("Q")]);
    assert!(
        end.messages
            .iter()
            .all(|message| message.topic == "onex.evt.cases.told.v1" && message.key.as_deref() == Some("e"))
    );
}
