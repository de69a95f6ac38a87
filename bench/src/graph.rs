//! Measures what a graph costs by its size: planning it, and running it with steps that do nothing, through the
//! driver and the journal in memory. Two shapes, each step after the one before it and all at once; the row tells the
//! slower of both.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use onex_contract::{Fingerprint, read_canonical};
use onex_journal::{MemoryJournal, RunStatus};
use onex_node::{Compute, ComputeInput, Failure, NodeRegistry, RunId};
use onex_orchestrator::NodeOrchestrator;
use onex_orchestrator::Plan;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::workflow;

/// So many steps are run in all, so that small graphs are measured as long as large ones.
const STEPS: usize = 40_000;

struct Nothing;

impl Compute for Nothing {
    fn compute(&self, _: &ComputeInput<'_>) -> Result<Value, Failure> {
        Ok(Value::Null)
    }
}

struct Measured {
    planning: Duration,
    steps_per_second: f64,
}

pub(crate) async fn row(steps: usize) -> Result<Value> {
    let (chain, wide) = (measure(steps, true).await?, measure(steps, false).await?);
    Ok(json!({
        "bench": "graph",
        "steps": steps,
        "plan_ms": chain.planning.max(wide.planning).as_secs_f64() * 1000.0,
        "steps_per_second": chain.steps_per_second.min(wide.steps_per_second),
    }))
}

async fn measure(steps: usize, is_chain: bool) -> Result<Measured> {
    let canonical = contract(steps, is_chain).to_string();
    let nodes = NodeRegistry::new().with_compute("nothing", Arc::new(Nothing));
    let contract = read_canonical(&canonical)?;
    let fingerprint = Fingerprint::of(&canonical);
    let begin = Instant::now();
    let plan = Plan::new(&contract, fingerprint.as_str(), &nodes)?;
    let planning = begin.elapsed();
    drop(plan);
    let orchestrator = NodeOrchestrator::from_canonical(&canonical, fingerprint.as_str(), &nodes)?;
    let worker = workflow::worker(Arc::new(MemoryJournal::new()));
    let runs = STEPS.div_ceil(steps);
    let begin = Instant::now();
    for number in 0..runs {
        let mut request = workflow::request(number as u64);
        request.run_id = RunId(Uuid::from_u128(number as u128));
        let ended = orchestrator.run(&worker, request).await?;
        ensure!(ended.outcome.status == RunStatus::Succeeded, "a run ended as {:?}", ended.outcome.status);
    }
    Ok(Measured { planning, steps_per_second: (runs * steps) as f64 / begin.elapsed().as_secs_f64() })
}

/// The canonical contract of so many steps.
fn contract(steps: usize, is_chain: bool) -> Value {
    let node = |index: usize| {
        let depends_on = if is_chain && index > 0 { vec![format!("s{}", index - 1)] } else { Vec::new() };
        json!({
            "node_id": format!("s{index}"),
            "node_type": "compute",
            "depends_on": depends_on,
            "step_config": {"compute_node": "nothing"},
        })
    };
    json!({
        "name": "graph",
        "node_type": "ORCHESTRATOR",
        "contract_version": "1.0.0",
        "workflow_coordination": {"workflow_definition": {
            "workflow_metadata": {"workflow_name": "graph"},
            "execution_graph": {"nodes": (0..steps).map(node).collect::<Vec<_>>()},
            "coordination_rules": {"execution_mode": "parallel"},
        }},
    })
}
