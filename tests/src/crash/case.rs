//! What a trial runs: a contract, its events, how its effects go. Ours, and generated ones of every shape and ordeal.

use std::collections::BTreeMap;

use onex_contract::Reading;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::graph::{Graph, Strategy};
use crate::process::{event, node};
use crate::{ORCHESTRATOR, contract_path, read_text, text};

/// How events reach the system, and what becomes of those that it has not said it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    /// Through the inbox; its sender sends again what is in no journal.
    Inbox,
    /// Over a durable bus, which delivers everything again that was not settled, and sometimes what was.
    Bus,
}

/// How the effect of one kind of intent goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    /// How many attempts fail first, in a way that passes.
    pub fails: u32,
    /// Whether every attempt fails, in a way that does not pass.
    pub fails_for_good: bool,
    /// How many attempts to undo fail first.
    pub undo_fails: u32,
}

/// Scripts by kind of intent; an effect without one succeeds.
pub type Scripts = BTreeMap<String, Script>;

/// What one trial runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Case {
    /// Its name in a failure's message.
    pub name: String,
    /// The contract's text.
    pub contract: String,
    /// The events, one run each.
    pub events: Vec<Value>,
    /// Their type.
    pub event_type: String,
    /// How they come.
    pub way: Way,
    /// How effects go.
    pub scripts: Scripts,
    /// Whether before and after a touch are points of their own, see [`super::Points`].
    pub each_point: bool,
}

impl Case {
    /// One of our own contracts. A contract that is new in `contracts/` needs its events here.
    pub fn ours(name: &str) -> Vec<Self> {
        assert_eq!(name, ORCHESTRATOR, "no events are known for {name}: add them here");
        let case = |way, name: &str, events, scripts: &[(&str, Script)]| Self {
            name: format!("{ORCHESTRATOR}, {name}"),
            contract: text(&contract_path(ORCHESTRATOR)),
            events,
            event_type: "NodeIntrospectionEvent".to_owned(),
            way,
            scripts: scripts.iter().map(|(kind, script)| ((*kind).to_owned(), *script)).collect(),
            each_point: true,
        };
        let one = || vec![event(node(1), 1)];
        let fails = Script { fails: 1, ..Script::default() };
        let fails_for_good = Script { fails_for_good: true, ..Script::default() };
        vec![
            case(Way::Inbox, "one node", one(), &[]),
            case(Way::Bus, "one node over a bus", one(), &[]),
            case(Way::Inbox, "two epochs of a node", vec![event(node(1), 1), event(node(1), 2)], &[]),
            case(Way::Inbox, "Consul comes back", one(), &[("consul.register", fails)]),
            case(Way::Bus, "no PostgreSQL", one(), &[("postgres.upsert_registration", fails_for_good)]),
        ]
    }

    /// Every shape with every ordeal, then `random` graphs of the generator.
    pub fn generated(random: u64) -> Vec<Self> {
        let shapes = SHAPES.iter().flat_map(|shape| ORDEALS.iter().map(move |ordeal| (shape, ordeal)));
        let graphs = shapes.map(|((shape, mode, steps), (ordeal, hit))| {
            let mut graph = Graph::of(&format!("{shape}, {ordeal}"), mode, steps);
            hit(&mut graph);
            graph
        });
        let graphs: Vec<_> = graphs.chain((0..random).map(Graph::random)).collect();
        let ways = [Way::Inbox, Way::Bus].into_iter().cycle();
        graphs.iter().zip(ways).map(|(graph, way)| Self::of_graph(graph, way)).collect()
    }

    /// What its contract says.
    pub fn reading(&self) -> Reading {
        read_text("contract.yaml", &self.contract)
    }

    fn of_graph(graph: &Graph, way: Way) -> Self {
        Self {
            name: graph.name.clone(),
            contract: graph.contract(),
            events: vec![json!({"entity": "e", "intents": graph.intents()})],
            event_type: "Ping".to_owned(),
            way,
            scripts: graph.scripts.clone(),
            each_point: false,
        }
    }
}

type Shape = (&'static str, &'static str, &'static [(&'static str, &'static [&'static str])]);

const SHAPES: [Shape; 4] = [
    ("sequence", "sequential", &[("A", &[]), ("B", &["A"]), ("C", &["B"])]),
    ("parallel", "parallel", &[("A", &[]), ("B", &[]), ("C", &[])]),
    ("diamond", "parallel", &[("A", &[]), ("B", &["A"]), ("C", &["A"]), ("D", &["B", "C"])]),
    ("batch", "batch", &[("A", &[]), ("B", &[]), ("C", &["A"])]),
];

type Ordeal = (&'static str, fn(&mut Graph));

const ORDEALS: [Ordeal; 6] = [
    ("smooth", |graph| graph.steps[1].calls = 2),
    ("tried again", |graph| graph.script("B", |script| script.fails = 2)),
    ("failing", |graph| graph.script_last(|script| script.fails_for_good = true)),
    ("continued", |graph| {
        graph.strategy = Strategy::Continue;
        graph.script("B", |script| script.fails_for_good = true);
    }),
    ("undone", |graph| {
        graph.strategy = Strategy::Rollback;
        graph.script("A", |script| script.undo_fails = 1);
        graph.script_last(|script| script.fails_for_good = true);
    }),
    ("absorbed", |graph| {
        graph.aggregates = true;
        graph.script_last(|script| script.fails_for_good = true);
    }),
];
