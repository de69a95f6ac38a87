//! What steps say beyond their binding, as a run does it: conditions, lists, synchronization points, error actions,
//! limits, workflows of other contracts.

use onex_journal::RunStatus;
use onex_node::ErrorClass;
use onex_orchestrator::{RunEnd, RunLimits};
use serde_json::json;

use crate::support::{Deed, World, world_of};

/// A contract of steps, one line each, under coordination rules.
fn contract(name: &str, steps: &[&str], rules: &str) -> String {
    let steps: String = steps.iter().map(|step| format!("        - {{{step}}}\n")).collect();
    format!(
        "name: {name}\nnode_type: ORCHESTRATOR\ncontract_version: \"1.0.0\"\nworkflow_coordination:\n  \
         workflow_definition:\n    workflow_metadata: {{workflow_name: {name}}}\n    execution_graph:\n      \
         nodes:\n{steps}    coordination_rules: {{{rules}}}\n\
         consumed_events: [{{topic: onex.evt.cases.ping.v1, event_type: Ping}}]\n"
    )
}

/// An effect step with an intent of its own.
fn effect(id: &str, more: &str, config: &str) -> String {
    format!("node_id: {id}, node_type: effect{more}, step_config: {{effect_node: scripted, intent: {id}.do{config}}}")
}

async fn run(world: &World) -> (String, RunEnd) {
    let end = world.run().await.expect("it ends");
    (world.told(&end), end)
}

const FAILS: &[Deed] = &[Deed::Fails(ErrorClass::Validation)];

#[tokio::test(start_paused = true)]
async fn a_condition_that_does_not_hold_skips_its_step_and_stands_in_nobodys_way() {
    for (condition, expected) in [
        ("input.n > 1", "done[A,B,C] SUCCEEDED"),
        ("input.n > 2", "done[A,C] skip[B] SUCCEEDED"),
        ("steps.A.output.backend == A", "done[A,B,C] SUCCEEDED"),
        ("steps.A.status == done", "done[A,B,C] SUCCEEDED"),
        ("steps.A.status == skipped", "done[A,C] skip[B] SUCCEEDED"),
        ("[input.n > 1, input.n > 5]", "done[A,C] skip[B] SUCCEEDED"),
        ("input.missing > 1", "done[A] fail[B] skip[C] FAILED"),
        ("input.missing not_exists", "done[A,B,C] SUCCEEDED"),
    ] {
        let text = contract(
            "conditions",
            &[
                &effect("A", "", ""),
                &effect("B", &format!(", depends_on: [A], condition: {condition}"), ""),
                &effect("C", ", depends_on: [B]", ""),
            ],
            "",
        );
        let (told, _) = run(&world_of(&text, &[], json!({"n": 2}), &[])).await;
        assert_eq!(told, expected, "{condition}");
    }
}

fn fan(more: &str, rules: &str) -> String {
    let more = format!(", for_each: \"${{input.items}}\", {more}");
    contract("fan", &[&effect("A", &more, ", input: {to: \"${item}\", at: \"${index}\"}")], rules)
}

#[tokio::test(start_paused = true)]
async fn a_list_is_carried_out_item_by_item_and_told_in_its_order() {
    let text = fan("max_parallel_instances: 3", "");
    let world = world_of(&text, &[], json!({"items": ["a", "b", "c", "d", "e"]}), &[("A", &[Deed::Takes(100)])]);
    let (told, end) = run(&world).await;
    assert_eq!(told, "done[A] SUCCEEDED");
    assert_eq!(end.results["A"]["results"].as_array().map(Vec::len), Some(5));
    let done = world.script.done().clone();
    assert_eq!(done.most_running, 3, "as many at once as the step allows");
    assert_eq!(done.times, [0, 0, 0, 100, 100], "a free place is taken at once");
    let payloads = &world.stored().await;
    assert_eq!(payloads.records.iter().filter(|record| record.kind == "call_succeeded").count(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_list_tolerates_as_many_failures_as_it_says() {
    for (tolerated, deeds, expected, calls) in [
        (0, vec![Deed::Succeeds, FAILS[0], Deed::Succeeds], "fail[A] FAILED", 2),
        (1, vec![Deed::Succeeds, FAILS[0], Deed::Succeeds], "done[A] SUCCEEDED", 4),
        (1, vec![FAILS[0]], "fail[A] FAILED", 2),
        (4, vec![FAILS[0]], "done[A] SUCCEEDED", 4),
    ] {
        let text = fan(&format!("max_failures: {tolerated}"), "");
        let world = world_of(&text, &[], json!({"items": [1, 2, 3, 4]}), &[("A", &deeds)]);
        let (told, _) = run(&world).await;
        assert_eq!(told, expected, "{tolerated} {deeds:?}");
        assert_eq!(world.script.done().began.len(), calls, "{tolerated} {deeds:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_item_that_fails_is_told_at_its_place() {
    let text = fan("max_failures: 1", "");
    let deeds: &[Deed] = &[Deed::Succeeds, FAILS[0], Deed::Succeeds];
    let (_, end) = run(&world_of(&text, &[], json!({"items": [1, 2, 3]}), &[("A", deeds)])).await;
    let results = &end.results["A"]["results"];
    assert_eq!((&results[0]["output"]["of"], &results[2]["output"]["of"]), (&json!("A"), &json!("A")));
    assert_eq!(results[1]["error"]["code"], "ONEX4001");
}

#[tokio::test(start_paused = true)]
async fn a_list_is_a_list_and_not_too_long() {
    for (items, expected) in [
        (json!([]), "done[A] SUCCEEDED"),
        (json!({"a": 1}), "fail[A] FAILED ONEX3014"),
        (json!("a"), "fail[A] FAILED ONEX3014"),
        (json!(vec![1; 1001]), "fail[A] FAILED ONEX3014"),
    ] {
        let (told, end) = run(&world_of(&fan("max_failures: 0", ""), &[], json!({"items": items}), &[])).await;
        let code = end.outcome.failure.map(|failure| format!(" {}", failure.code)).unwrap_or_default();
        assert_eq!(format!("{told}{code}"), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_compute_step_computes_each_item() {
    let step =
        "node_id: A, node_type: compute, for_each: [1, 2], step_config: {input: {n: \"${item}\", i: \"${index}\"}}";
    let (told, end) = run(&world_of(&contract("fan", &[step], ""), &[], json!({}), &[])).await;
    assert_eq!(told, "done[A] SUCCEEDED");
    let expected = json!([{"output": {"n": 1, "i": 0}}, {"output": {"n": 2, "i": 1}}]);
    assert_eq!(end.results["A"]["results"], expected);
}

#[tokio::test(start_paused = true)]
async fn g18_nothing_after_a_synchronization_point_starts_before_it_has_ended() {
    let steps = [effect("A", "", ""), effect("B", "", ""), effect("C", "", ""), effect("D", ", depends_on: [A]", "")];
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    for (points, began) in [("[]", "A,B,C,D"), ("[B]", "A,B,C,D"), ("[A]", "A,B,C,D")] {
        let rules = format!("execution_mode: parallel, synchronization_points: {points}");
        let deeds: &[(&str, &[Deed])] = &[("A", &[Deed::Takes(50)]), ("B", &[Deed::Takes(70)])];
        let world = world_of(&contract("points", &steps, &rules), &[], json!({}), deeds);
        let (told, _) = run(&world).await;
        assert_eq!(told, "done[A,B,C,D] SUCCEEDED");
        let done = world.script.done().clone();
        assert_eq!(done.began.join(","), began);
        let third_began = done.times[2];
        assert_eq!(
            third_began,
            match points {
                "[B]" => 70,
                "[A]" => 50,
                _ => 0,
            },
            "{points}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn o57_o58_a_step_and_a_run_carry_no_more_than_they_may() {
    let step = |id: &str| {
        format!(
            "node_id: {id}, node_type: compute, error_action: continue, step_config: {{input: \"${{input.text}}\"}}"
        )
    };
    let text = contract("large", &[&step("A"), &step("B")], "");
    for (step_bytes, run_bytes, expected) in [
        (102, 1_000, "done[A,B] SUCCEEDED"),
        (101, 1_000, "fail[A,B] FAILED ONEX3015"),
        (1_000, 111 + 102, "done[A] fail[B] FAILED ONEX3016"),
        (1_000, 111 + 204, "done[A,B] SUCCEEDED"),
    ] {
        let mut world = world_of(&text, &[], json!({"text": "x".repeat(100)}), &[]);
        let limits = RunLimits { step_payload_bytes: step_bytes, run_payload_bytes: run_bytes, ..RunLimits::default() };
        world.worker.limits = limits;
        let (told, end) = run(&world).await;
        let code = end.outcome.failure.map(|failure| format!(" {}", failure.code)).unwrap_or_default();
        assert_eq!(format!("{told}{code}"), expected, "{step_bytes} {run_bytes}");
    }
}

fn calling(workflow: &str, more: &str) -> String {
    format!(
        "node_id: child, node_type: orchestrator{more}, step_config: {{workflow: {workflow}, input: {{n: \"${{input.n}}\"}}}}"
    )
}

#[tokio::test(start_paused = true)]
async fn a_workflow_is_a_run_of_its_own_and_gives_its_last_outputs() {
    let inner = contract("inner", &["node_id: sum, node_type: compute, step_config: {input: {n: \"${input.n}\"}}"], "");
    let outer = contract("outer", &[&calling("inner", "")], "");
    let world = world_of(&outer, &[&inner], json!({"n": 7}), &[]);
    let (told, end) = run(&world).await;
    assert_eq!(told, "done[child] SUCCEEDED");
    assert_eq!(end.results["child"]["results"]["sum"], json!({"n": 7}));
    let runs = world.worker.journal.runs(None, 10).await.expect("readable");
    let child = runs.iter().find(|run| run.orchestrator == "inner").expect("it is kept");
    assert_eq!((child.status, child.parent), (RunStatus::Succeeded, Some(end.run_id)));
    assert_eq!(end.results["child"]["run_id"], json!(child.run_id));
}

#[tokio::test(start_paused = true)]
async fn a_workflow_that_fails_fails_its_step_with_its_name_and_reason() {
    let inner = contract("inner", &[&effect("A", "", "")], "");
    let world = world_of(&contract("outer", &[&calling("inner", "")], ""), &[&inner], json!({"n": 1}), &[("A", FAILS)]);
    let (told, end) = run(&world).await;
    assert_eq!(told, "fail[child] FAILED");
    let failure = end.outcome.failure.expect("it failed");
    assert_eq!(failure.code, "ONEX3027");
    assert!(failure.message.contains("of `inner` ended as failed: ONEX4001"), "{}", failure.message);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_is_shared_with_the_workflows_below() {
    let inner =
        contract("inner", &[&effect("A", "", ""), &effect("B", ", depends_on: [A]", "")], "rollback_enabled: true");
    let outer = contract("outer", &[&calling("inner", "")], "timeout_ms: 500");
    let world = world_of(&outer, &[&inner], json!({"n": 1}), &[("B", &[Deed::Takes(9_000)])]);
    let (told, end) = run(&world).await;
    assert_eq!(told, "fail[child] FAILED");
    assert_eq!(end.outcome.failure.expect("it failed").code, "ONEX3022");
    assert_eq!(world.script.done().began, ["A", "B", "undo A"], "the child stops in order, before its parent ends");
    let runs = world.worker.journal.runs(None, 10).await.expect("readable");
    let statuses: Vec<_> = runs.iter().map(|run| (run.orchestrator.as_str(), run.status)).collect();
    assert!(statuses.contains(&("inner", RunStatus::Cancelled)), "{statuses:?}");
    assert!(runs.iter().all(|run| run.ended_at.is_some()), "nothing is left over");
}

#[tokio::test(start_paused = true)]
async fn a_workflow_that_takes_too_long_is_stopped() {
    let inner = contract("inner", &[&effect("A", "", "")], "");
    let outer = contract("outer", &[&calling("inner", ", timeout_ms: 200, retry_count: 0")], "");
    let world = world_of(&outer, &[&inner], json!({"n": 1}), &[("A", &[Deed::Takes(9_000)])]);
    let (told, end) = run(&world).await;
    assert_eq!(told, "fail[child] FAILED");
    assert_eq!(end.outcome.failure.expect("it failed").code, "ONEX3024");
}

#[tokio::test(start_paused = true)]
async fn g19_workflows_that_run_each_other_without_end_are_stopped() {
    let outer = contract("outer", &[&calling("outer", "")], "");
    let mut world = world_of(&outer, &[], json!({"n": 1}), &[]);
    world.worker.limits.depth = 3;
    let (told, end) = run(&world).await;
    assert_eq!(told, "fail[child] FAILED");
    let failure = end.outcome.failure.expect("it failed");
    assert!(failure.message.contains("ONEX3028"), "{}", failure.message);
    assert_eq!(world.worker.journal.runs(None, 10).await.expect("readable").len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_recovered_parent_carries_the_same_child_on() {
    let inner = contract("inner", &[&effect("A", "", ""), &effect("B", ", depends_on: [A]", "")], "");
    let outer = contract("outer", &[&calling("inner", "")], "");
    let world = world_of(&outer, &[&inner], json!({"n": 1}), &[("B", &[Deed::Takes(1_000), Deed::Succeeds])]);
    let cut = tokio::time::timeout(std::time::Duration::from_millis(500), world.run()).await;
    assert!(cut.is_err(), "the process ends while B is under way");
    let end = world.resume().await.expect("it ends");
    assert_eq!(world.told(&end), "done[child] SUCCEEDED");
    assert_eq!(world.script.done().began, ["A", "B", "B"], "what was done is not done again");
    let runs = world.worker.journal.runs(None, 10).await.expect("readable");
    assert_eq!(runs.len(), 2, "{runs:?}");
}

#[test]
fn a_workflow_that_nobody_has_makes_no_plan() {
    let text = contract("outer", &[&calling("other", "")], "");
    let reading = onex_contract::read(onex_contract::Source { file: "contract.yaml", text: &text });
    let nodes = onex_node::NodeRegistry::new().with_workflow("outer");
    let error = onex_orchestrator::NodeOrchestrator::from_reading(&reading, &nodes).expect_err("unknown");
    assert_eq!(error.code(), "ONEX2003");
}

#[tokio::test(start_paused = true)]
async fn an_aggregation_counts_what_a_list_came_to() {
    for (deeds, expected) in
        [(vec![Deed::Succeeds], "success"), (vec![FAILS[0], Deed::Succeeds], "success"), (vec![FAILS[0]], "failed")]
    {
        let list = effect("A", ", for_each: [1, 2], max_failures: 2", "");
        let sum =
            "node_id: sum, node_type: compute, depends_on: [A], step_config: {aggregation_strategy: all_or_partial}";
        let world = world_of(&contract("counts", &[&list, sum], ""), &[], json!({}), &[("A", &deeds)]);
        let (_, end) = run(&world).await;
        assert_eq!(end.results["sum"]["status"], expected, "{deeds:?}");
    }
}
