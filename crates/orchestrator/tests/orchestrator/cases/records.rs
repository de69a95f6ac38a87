//! Sections 19.4 and 19.8 as far as they are about what is kept of a run: what an effect is given, who owns a run, what
//! its records tell and which of them are refused.

use std::sync::Arc;
use std::time::Duration;

use onex_contract::{Source, read};
use onex_journal::{Append, Journal, JournalError, MemoryJournal, NewRecord, NewRun};
use onex_node::{IdempotencyKey, NodeRegistry, RunId, StepId, Timestamp};
use onex_orchestrator::{Binding, Command, DriveError, Event, NodeOrchestrator, PlanError, RunState};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{parallel, paused, sequential};
use crate::fragile::Fragile;
use crate::support::{Case, Deed, RUN, World, started};

#[test]
fn o61_each_kind_of_step_is_bound_to_what_carries_it_out() {
    let plan = sequential("A,B+,C*,S&(A),P>(S)").plan();
    let kinds = plan.steps.iter().map(|step| {
        let binding = format!("{:?}", step.binding);
        binding.split(|letter: char| !letter.is_alphabetic()).next().unwrap_or_default().to_owned()
    });
    assert_eq!(kinds.collect::<Vec<_>>(), ["Receive", "Reduce", "Execute", "Compute", "Compute", "Compute", "Publish"]);
    assert!(matches!(&plan.steps[2].binding, Binding::Execute { effect: Some(effect), .. } if effect == "scripted"));
    assert!(matches!(&plan.steps[6].binding, Binding::Publish { topic, .. } if topic == "onex.evt.cases.told.v1"));
}

#[test]
fn o64_o83_a_run_is_owned_from_its_start_and_unknown_before() {
    paused(async {
        let world = sequential("A").world();
        assert_eq!(world.worker.journal.load(RUN).await.expect("readable"), None);
        world.run().await.expect("it ends");
        let header = world.stored().await.header;
        assert_eq!((header.owner.as_str(), header.epoch), ("w", 1));
    });
}

#[test]
fn o65_two_runs_share_no_key() {
    paused(async {
        let world = sequential("A,B").world();
        for run in [1, 2] {
            let request = world.request_of(RunId(Uuid::from_u128(run)));
            world.orchestrator.run(&world.worker, request).await.expect("it ends");
        }
        let mut keys = world.script.done().keys.clone();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 4, "{keys:?}");
    });
}

#[test]
fn o66_o67_dependencies_are_kept_in_the_order_of_the_contract() {
    let plan = Case::bare("A+,B+(A),C+(B,A)").plan();
    assert_eq!(
        plan.steps.iter().map(|step| step.depends_on.clone()).collect::<Vec<_>>(),
        [vec![], vec![0], vec![1, 0]]
    );
    let keys: Vec<_> = plan.steps.iter().map(|step| IdempotencyKey::new(RUN, &step.id, 0).to_string()).collect();
    assert_eq!(keys[0], format!("{RUN}/A"), "what a step does is named by the step");
}

#[test]
fn o68_an_attempt_is_told_how_long_it_may_take() {
    let case = sequential("A[timeout_ms: 1234, retry_count: 2]");
    let mut state = RunState::new(RUN, case.plan());
    state.apply(started(&case.input())).expect("it starts");
    let intents = json!({"state": 1, "intents": case.input()["intents"], "settled": [], "refusal": null});
    let commands = state.apply(Event::Computed { step: "reduce".into(), result: Ok(intents) }).expect("asked for");
    let Some(Command::Dispatch { call, attempt, timeout, .. }) = commands.first() else { panic!("{commands:?}") };
    assert_eq!((call.step.as_str(), *attempt, *timeout), ("A", 1, Duration::from_millis(1234)));
    assert_eq!(state.plan().steps[2].retry.max_retries.value, 2);
}

#[test]
fn o69_o70_an_effect_is_told_its_run_its_step_and_the_chain_of_events() {
    paused(async {
        let world = sequential("A,P>(A)").world();
        let mut request = world.request();
        request.correlation_id = Some(Uuid::from_u128(77));
        let end = world.orchestrator.run(&world.worker, request).await.expect("it ends");
        assert_eq!(world.script.done().correlation_ids, [Uuid::from_u128(77)]);
        assert_eq!(world.script.done().keys, [format!("{RUN}/A")], "the run and the step");
        assert_eq!(end.messages[0].envelope["correlation_id"], json!(Uuid::from_u128(77)));
    });
}

/// A journal with a run that `w` owns until 300 s.
async fn owned() -> MemoryJournal {
    let journal = MemoryJournal::new();
    let lease_until = Timestamp::UNIX_EPOCH + Duration::from_secs(300);
    let run = NewRun { owner: "w".to_owned(), lease_until, ..NewRun::example(RUN, "f") };
    journal.start(run).await.expect("started");
    journal
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn append(epoch: u64, expected_sequence: u64) -> Append {
    let record = NewRecord { kind: "call_succeeded".to_owned(), body: json!({}) };
    Append { run_id: RUN, epoch, expected_sequence, records: vec![record], end: None, settled_orders: Vec::new() }
}

#[test]
fn o71_r21_an_append_without_the_current_epoch_is_refused() {
    paused(async {
        let journal = owned().await;
        journal.take_over("other", at(301), at(601), 10).await.expect("taken over");
        for stale in [0, 1, 3] {
            let refused = journal.append(append(stale, 1)).await.expect_err("another owns it");
            assert!(matches!(refused, JournalError::StaleOwner { current: 2, .. }) && refused.lost_ownership());
        }
        assert_eq!(journal.load(RUN).await.expect("readable").expect("there").records.len(), 1, "nothing was written");
        journal.append(append(2, 1)).await.expect("its owner may");
    });
}

#[test]
fn r18_r22_a_record_is_never_written_over() {
    paused(async {
        let journal = owned().await;
        journal.append(append(1, 1)).await.expect("written");
        let before = journal.load(RUN).await.expect("readable");
        let refused = journal.append(append(1, 1)).await.expect_err("there is a record already");
        assert!(matches!(refused, JournalError::SequenceConflict { expected: 1, current: 2, .. }), "{refused}");
        assert_eq!(journal.load(RUN).await.expect("readable"), before);
    });
}

#[test]
fn r20_a_run_that_is_owned_is_not_given_away() {
    paused(async {
        let journal = owned().await;
        assert_eq!(journal.take_over("other", at(299), at(599), 10).await.expect("asked"), []);
    });
}

#[test]
fn r23_r24_an_expired_lease_goes_to_another_at_the_next_epoch_and_a_renewed_one_stays() {
    paused(async {
        let journal = owned().await;
        let claims = journal.take_over("other", at(301), at(601), 10).await.expect("taken over");
        assert_eq!(claims.iter().map(|claim| claim.epoch).collect::<Vec<_>>(), [2]);
        let journal = owned().await;
        let mine = onex_journal::Claim { run_id: RUN, epoch: 1 };
        assert_eq!(journal.renew(&[mine], at(550)).await.expect("renewed"), [], "no claim was lost");
        assert_eq!(journal.take_over("other", at(301), at(601), 10).await.expect("asked"), []);
        journal.append(append(1, 1)).await.expect("the same owner goes on");
    });
}

#[test]
fn o90_a_run_is_changed_by_its_own_events_only() {
    let case = Case::bare("A+,B+");
    let mut state = RunState::new(RUN, case.plan());
    state.apply(started(&case.input())).expect("it starts");
    state.apply(Event::Computed { step: "A".into(), result: Ok(json!(1)) }).expect("asked for");
    let before = state.clone();
    state.apply(Event::Computed { step: "B".into(), result: Ok(json!(2)) }).expect("asked for");
    assert_eq!(before.outputs(), json!({"A": {"output": 1}}));
    assert_eq!(state.outputs(), json!({"A": {"output": 1}, "B": {"output": 2}}));
}

#[test]
fn o78_r16_a_contract_that_was_changed_where_it_was_kept_makes_no_orchestrator() {
    let case = sequential("A,B(A)");
    let reading = case.reading();
    let fingerprint = reading.fingerprint.as_ref().expect("a contract").as_str();
    let of = |kept: &str| NodeOrchestrator::from_canonical(kept, fingerprint, &case.nodes().0);
    of(&reading.canonical).expect("what was kept");
    let error = of(&reading.canonical.replace("\"A.do\"", "\"B.do\"")).expect_err("another content");
    assert!(matches!(error, PlanError::Changed { .. }), "{error}");
    assert_eq!(error.code(), "ONEX2006");
}

#[test]
fn o80_the_fingerprint_covers_the_steps_and_not_the_layout() {
    let fingerprint = |text: &str| read(Source { file: "c", text }).fingerprint.expect("a contract");
    let text = Case::of("A,B(A)").text();
    assert_eq!(fingerprint(&text), fingerprint(&format!("# a comment\n{text}\n")));
    assert_ne!(fingerprint(&text), fingerprint(&Case::of("A,B").text()), "steps are part of it");
}

#[test]
fn o81_o84_every_step_is_in_the_last_record() {
    paused(async {
        let world = sequential("A,B,C~,D").world();
        let end = world.run().await.expect("it ends");
        assert_eq!(world.told(&end), "done[A,B,D] skip[C] SUCCEEDED");
        assert_eq!(world.script.done().began, ["A", "B", "D"]);
        let last = world.stored().await.records.pop().expect("the end");
        let kept: Vec<_> =
            last.body["steps"].as_array().expect("steps").iter().map(|step| step["ended"].clone()).collect();
        assert_eq!(kept, ["done", "done", "done", "done", "skipped", "done"]);
    });
}

#[test]
fn o82_a_failed_run_tells_code_message_and_attempts() {
    paused(async {
        let world = sequential("A!").world();
        let end = world.run().await.expect("it ends");
        let step = &end.outcome.steps[2];
        assert_eq!(
            (step.code.as_deref(), step.reason.as_deref(), step.attempts),
            (Some("ONEX4001"), Some("`A` failed"), 1)
        );
        assert_eq!(end.outcome.failure.expect("the run's").code, "ONEX4001");
    });
}

/// A run of two effects that stopped in its second, on a journal.
async fn stopped() -> World {
    let world =
        sequential("A,B").script("B", &[Deed::Takes(60_000), Deed::Succeeds]).world_over(Arc::new(Fragile::default()));
    assert!(tokio::time::timeout(Duration::from_millis(50), world.run()).await.is_err(), "it is under way");
    world
}

/// Resumes with changed records; what is said.
async fn refused(change: impl FnOnce(&mut Vec<onex_journal::Record>)) -> DriveError {
    let world = stopped().await;
    let mut stored = world.stored().await;
    change(&mut stored.records);
    world.orchestrator.resume(&world.worker, stored, 1).await.expect_err("it is refused")
}

#[test]
fn o85_o88_a_record_of_another_shape_is_refused_at_its_place() {
    for body in [
        json!({"event": "call_succeeded_v2", "at": "1970-01-01T00:00:00Z"}),
        json!({"event": "call_succeeded", "call": {"step": "A", "call": -1}, "attempt": 1, "output": 1, "at": "1970-01-01T00:00:00Z"}),
        json!({"event": "call_succeeded"}),
        json!({}),
    ] {
        let error = paused(refused(|records| records[1].body = body.clone()));
        assert!(matches!(error, DriveError::BadRecord { sequence: 2, .. }), "{body}: {error}");
        assert_eq!((error.code(), error.is_transient()), ("ONEX3033", false));
    }
}

#[test]
fn o87_records_that_say_two_things_of_one_call_are_refused() {
    let error = paused(refused(|records| {
        let mut again = records[1].clone();
        (again.sequence, again.kind) = (3, "call_failed".to_owned());
        again.body["event"] = json!("call_failed");
        again.body["failure"] = json!({"class": "validation", "code": "ONEX4001", "message": "no"});
        records.push(again);
    }));
    assert!(matches!(error, DriveError::BadRecord { sequence: 3, .. }), "{error:?}");
}

/// Times in records are data: who owns a run is told by its epoch, not by a clock.
#[test]
fn o86_a_run_recorded_by_a_clock_ahead_of_ours_goes_on() {
    for seconds in [30, 120, 86_400] {
        paused(async {
            let world = stopped().await;
            let mut stored = world.stored().await;
            for record in &mut stored.records {
                record.body["at"] = json!(at(seconds));
            }
            let end = world.orchestrator.resume(&world.worker, stored, 1).await.expect("it ends");
            assert_eq!(world.told(&end), "done[A,B] SUCCEEDED");
            assert!(end.outcome.intents.iter().all(|intent| intent.execution_time_ms >= 0.0));
        });
    }
}

#[test]
fn o89_a_resumed_run_does_not_repeat_what_it_did() {
    paused(async {
        let world = stopped().await;
        world.resume().await.expect("it ends");
        assert_eq!(world.script.done().began, ["A", "B", "B"]);
    });
}

#[test]
fn o91_an_entity_has_one_state_the_last() {
    paused(async {
        let world = sequential("A,S&(A)").world();
        for (run, applied) in [(1, 1), (2, 2)] {
            let request = world.request_of(RunId(Uuid::from_u128(run)));
            world.orchestrator.run(&world.worker, request).await.expect("it ends");
            let stored = world.worker.journal.entity_state("counter", "e").await.expect("readable").expect("written");
            assert_eq!(stored.state, json!({"events": run, "applied": applied}));
        }
    });
}

#[test]
fn r26_edges_that_disagree_with_depends_on_are_refused() {
    let errors = |edges: &str| {
        let reading = Case::bare("A+,B+(A),C+(B)").edges(edges).reading();
        let found = reading.diagnostics.iter().filter(|found| found.severity == onex_contract::Severity::Error);
        found.map(|found| found.code).collect::<Vec<_>>()
    };
    assert_eq!(errors("{from_node: A, to_node: B}, {from_node: B, to_node: C}"), [""; 0]);
    assert_eq!(errors("{from_node: A, to_node: B}, {from_node: A, to_node: C}"), ["ONEX0023"]);
}

#[test]
fn o73_r27_a_step_whose_node_is_not_known_makes_no_plan() {
    let reading = sequential("A").reading();
    let contract = reading.contract.as_ref().expect("readable");
    let (nodes, _) = sequential("A").nodes();
    let without_effect = NodeRegistry::new().with_reducer("counter", nodes.reducer("counter").expect("there").clone());
    let error = onex_orchestrator::Plan::new(contract, "f", &without_effect).expect_err("no effect");
    assert!(matches!(&error, PlanError::Unresolved { step, .. } if step == "A"), "{error}");
    assert_eq!(error.code(), "ONEX2003");
}

#[test]
fn r17_an_effect_in_flight_is_asked_again_under_the_key_it_had() {
    paused(async {
        let world = stopped().await;
        world.resume().await.expect("it ends");
        let keys = world.script.done().keys.clone();
        let key = IdempotencyKey::new(RUN, &StepId::from("B"), 0);
        assert_eq!(keys[1..], [key.to_string(), key.to_string()]);
    });
}

#[test]
fn r19_a_write_that_fails_leaves_what_was_written() {
    for is_written in [false, true] {
        paused(async {
            let world = parallel("A,B(A),P>(B)").world_over(Fragile::wrong(1, is_written));
            let error = world.run().await.expect_err("the second write goes wrong");
            assert!(error.is_transient());
            let kinds = world.kinds().await;
            assert_eq!(kinds, ["started", "call_succeeded"][..=usize::from(is_written)]);
            let end = world.resume().await.expect("the journal works again");
            assert_eq!(world.told(&end), "done[A,B,P] SUCCEEDED");
        });
    }
}

/// Nothing is at rest in a run that has not begun.
#[test]
fn o83_a_run_that_has_not_started_takes_nothing_but_its_start() {
    let mut state = RunState::new(RUN, sequential("A").plan());
    state.apply(Event::CancelRequested { at: Default::default() }).expect_err("it has not started");
    assert_eq!(state.outcome(), None);
    assert_eq!(state.outputs(), Value::Object(Default::default()));
}
