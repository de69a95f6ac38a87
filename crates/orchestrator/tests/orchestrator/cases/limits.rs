//! V-28, O-57 to O-59: how many steps a graph may have, how much a step may give and a run may carry.

use onex_orchestrator::{MAX_STEPS, Plan, RunLimits};

use super::{parallel, paused, sequential, table};
use crate::support::{Case, Deed};

/// Each effect gives so many bytes.
fn giving(case: Case, bytes: usize) -> Case {
    let names: Vec<_> = case.steps().iter().map(|step| step.name.clone()).collect();
    names.iter().fold(case, |case, name| case.script(name, &[Deed::Gives(bytes)]))
}

/// In a run that may carry 100,000 bytes it ends so, and what failed has this code.
fn carries(case: Case, (told, code): (&str, &str)) {
    paused(async {
        let mut world = case.world();
        world.worker.limits = RunLimits { run_payload_bytes: 100_000, ..RunLimits::default() };
        let end = world.run().await.expect("it ends");
        assert_eq!(world.told(&end), told);
        let codes: Vec<_> = end.outcome.steps.iter().filter_map(|step| step.code.as_deref()).collect();
        assert!(codes.iter().all(|found| *found == code), "{codes:?}");
    });
}

const STEP: &str = "ONEX3015";
const RUN: &str = "ONEX3016";

table! { carries:
    o57 giving(sequential("A,B"), 70_000) => ("fail[A] skip[B] FAILED", STEP);
    o57_continue giving(sequential("A{c},B{c}"), 70_000) => ("fail[A,B] FAILED", STEP);
    o57_at_most giving(sequential("A"), 60_000) => ("done[A] SUCCEEDED", STEP);
    o58 giving(sequential("A,B{c},C{c}"), 60_000) => ("done[A] fail[B,C] FAILED", RUN);
    o58_batch giving(Case::of("A,B{c},C{c}").rules("execution_mode: batch"), 60_000) => ("done[A] fail[B,C] FAILED", RUN);
    o59 giving(parallel("A,B{c},C{c}"), 60_000) => ("done[A] fail[B,C] FAILED", RUN);
}

/// A graph of so many steps is refused, or not.
fn has_steps(count: usize, told: Option<&str>) {
    let graph: Vec<_> = (0..count).map(|index| format!("S{index}+")).collect();
    let reading = Case::bare(&graph.join(",")).reading();
    let contract = reading.contract.expect("it is read");
    let refused = Plan::check_size(&contract, MAX_STEPS).err().map(|error| format!("{} {error}", error.code()));
    assert_eq!(refused.as_deref(), told);
}

#[test]
fn v28_a_graph_has_at_most_a_thousand_steps() {
    has_steps(1_000, None);
    has_steps(1_001, Some("ONEX2007 workflow exceeds the limit of steps: 1001 steps > 1000"));
}
