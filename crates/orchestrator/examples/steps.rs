//! Prints how long planning takes and how many pure steps a second a run decides, by the size of its graph.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use onex_contract::{Source, read, read_canonical};
use onex_node::{NodeRegistry, RunId, Timestamp};
use onex_orchestrator::{Command, Event, Plan, Refusal, RunState, Start};
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

const HEAD: &str = "name: steps\nnode_type: ORCHESTRATOR\ncontract_version: \"1.0.0\"\nworkflow_coordination: {workflow_definition: \
                    {workflow_metadata: {workflow_name: steps}, execution_graph: {nodes: []}}}\n";

/// The contract of so many steps, each after the one before it, or all at once.
fn contract(steps: usize, is_chain: bool) -> String {
    let mut value: Value =
        serde_json::from_str(&read(Source { file: "steps.yaml", text: HEAD }).canonical).unwrap_or_default();
    let node = |index: usize| {
        let depends_on = if is_chain && index > 0 { vec![format!("s{}", index - 1)] } else { Vec::new() };
        json!({"node_id": format!("s{index}"), "node_type": "compute", "depends_on": depends_on})
    };
    let definition = &mut value["workflow_coordination"]["workflow_definition"];
    definition["execution_graph"]["nodes"] = (0..steps).map(node).collect();
    definition["coordination_rules"] = json!({"execution_mode": if is_chain { "sequential" } else { "parallel" }});
    value.to_string()
}

fn run(plan: &Arc<Plan>) -> Result<(), Refusal> {
    let mut state = RunState::new(RunId(Uuid::nil()), Arc::clone(plan));
    let start = Event::Started(Box::new(Start::new(Timestamp::UNIX_EPOCH, Value::Null)));
    let mut events = VecDeque::from([start]);
    while let Some(event) = events.pop_front() {
        for command in state.apply(event)? {
            if let Command::Compute { step } = command {
                events.push_back(Event::Computed { step, result: Ok(Value::Null) });
            }
        }
    }
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

#[expect(clippy::print_stdout, reason = "printing is what it is for")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("{:>6} {:>10} {:>12} {:>12}", "steps", "", "plan", "steps/s");
    for steps in [10, 100, 1_000, 10_000_u32] {
        for (name, is_chain) in [("sequence", true), ("parallel", false)] {
            let contract = read_canonical(&contract(steps as usize, is_chain))?;
            let (plan, planning) = timed(|| Plan::new(&contract, "steps", &NodeRegistry::new()));
            let plan = Arc::new(plan?);
            let (ended, running) = timed(|| run(&plan));
            ended?;
            println!("{steps:>6} {name:>10} {planning:>12.1?} {:>12.0}", f64::from(steps) / running.as_secs_f64());
        }
    }
    Ok(())
}
