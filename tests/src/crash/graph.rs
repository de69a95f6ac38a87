//! Contracts made for a trial: effects with dependencies, a pure step beside them, and a result event at the end.

use onex_node::Intent;
use serde_json::{Value, json};

use super::case::{Script, Scripts};

/// What becomes of a run with a failed step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strategy {
    Stop,
    Continue,
    Rollback,
}

/// One effect step.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) depends_on: Vec<String>,
    /// How many intents it carries out.
    pub(super) calls: usize,
}

/// A contract in the making.
#[derive(Clone, Debug)]
pub(super) struct Graph {
    pub(super) name: String,
    pub(super) mode: String,
    pub(super) steps: Vec<Step>,
    pub(super) strategy: Strategy,
    /// Whether an aggregation takes the outcomes in, failed ones too.
    pub(super) aggregates: bool,
    pub(super) scripts: Scripts,
}

impl Graph {
    pub(super) fn of(name: &str, mode: &str, steps: &[(&str, &[&str])]) -> Self {
        let steps = steps.iter().map(|(name, depends_on)| Step {
            name: (*name).to_owned(),
            depends_on: depends_on.iter().map(|name| (*name).to_owned()).collect(),
            calls: 1,
        });
        Self {
            name: name.to_owned(),
            mode: mode.to_owned(),
            steps: steps.collect(),
            strategy: Strategy::Stop,
            aggregates: false,
            scripts: Scripts::new(),
        }
    }

    /// The same graph for the same seed.
    pub(super) fn random(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let mut graph = Self::of(&format!("random {seed}"), dice.one_of(&["sequential", "parallel", "batch"]), &[]);
        for index in 0..dice.below(3) + 2 {
            let earlier = (0..index).filter(|_| dice.below(3) == 0).map(|earlier| format!("S{earlier}"));
            let depends_on = earlier.collect();
            graph.steps.push(Step { name: format!("S{index}"), depends_on, calls: dice.below(2) + 1 });
        }
        graph.strategy = dice.one_of(&[Strategy::Stop, Strategy::Continue, Strategy::Rollback]);
        graph.aggregates = graph.strategy == Strategy::Stop && dice.below(2) == 0;
        for step in graph.steps.clone() {
            let script = Script {
                fails: u32::from(dice.below(3) == 0),
                fails_for_good: dice.below(4) == 0,
                undo_fails: u32::from(dice.below(3) == 0),
            };
            graph.script(&step.name, |of_step| *of_step = script);
        }
        graph
    }

    /// Changes how a step's effect goes.
    pub(super) fn script(&mut self, step: &str, change: impl FnOnce(&mut Script)) {
        change(self.scripts.entry(format!("{step}.do")).or_default());
    }

    /// The same for the last step.
    pub(super) fn script_last(&mut self, change: impl FnOnce(&mut Script)) {
        let last = self.steps.last().expect("a step").name.clone();
        self.script(&last, change);
    }

    /// What its steps carry out.
    pub(super) fn intents(&self) -> Vec<Intent> {
        let calls = self.steps.iter().flat_map(|step| (0..step.calls).map(move |call| (&step.name, call)));
        calls
            .map(|(name, call)| Intent { kind: format!("{name}.do"), payload: json!({"step": name, "call": call}) })
            .collect()
    }

    /// The contract's text; JSON is YAML.
    pub(super) fn contract(&self) -> String {
        let strategy = match self.strategy {
            Strategy::Stop => "retry",
            Strategy::Continue => "continue",
            Strategy::Rollback => "rollback",
        };
        json!({
            "name": "crashing", "node_type": "ORCHESTRATOR", "contract_version": "1.0.0",
            "workflow_coordination": {"workflow_definition": {
                "workflow_metadata": {"workflow_name": "crashing"},
                "execution_graph": {"nodes": self.nodes()},
                "coordination_rules": {
                    "execution_mode": self.mode, "failure_recovery_strategy": strategy,
                    "max_retries": 3, "retry_backoff_ms": 1, "timeout_ms": 60_000, "step_timeout_ms": 10_000,
                },
            }},
            "consumed_events": [{"topic": "onex.evt.crash.ping.v1", "event_type": "Ping"}],
            "published_events": [{"topic": "onex.evt.crash.told.v1", "event_type": "Told"}],
        })
        .to_string()
    }

    fn nodes(&self) -> Vec<Value> {
        let mut nodes = vec![
            json!({"node_id": "receive", "node_type": "effect", "step_config": {"event_pattern": "Ping"}}),
            json!({"node_id": "reduce", "node_type": "reducer", "depends_on": ["receive"],
                   "step_config": {"reducer_protocol": "counter"}}),
            json!({"node_id": "pure", "node_type": "compute", "depends_on": ["reduce"]}),
        ];
        nodes.extend(self.steps.iter().map(effect));
        let all: Vec<_> = self.steps.iter().map(|step| step.name.as_str()).collect();
        let last = if self.aggregates {
            nodes.push(json!({"node_id": "sum", "node_type": "compute", "depends_on": all,
                              "step_config": {"aggregation_strategy": "all_or_partial"}}));
            vec!["sum", "pure"]
        } else {
            [all, vec!["pure"]].concat()
        };
        nodes.push(json!({"node_id": "tell", "node_type": "effect", "depends_on": last,
                          "step_config": {"event_type": "Told"}}));
        nodes
    }
}

fn effect(step: &Step) -> Value {
    let depends_on: Vec<_> = ["reduce"].into_iter().chain(step.depends_on.iter().map(String::as_str)).collect();
    json!({"node_id": step.name, "node_type": "effect", "depends_on": depends_on,
           "step_config": {"effect_node": "ledger", "intent_filter": format!("{}.do", step.name)}})
}

/// Numbers that look random and are the same every time (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).expect("below a usize")
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}
