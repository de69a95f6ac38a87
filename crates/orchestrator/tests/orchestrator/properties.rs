//! Generated graphs, failures and interleavings against [`RunState`], without a driver.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use onex_node::{ErrorClass, Failure, Timestamp};
use onex_orchestrator::{CallId, Command, Event, Plan, RunState, Start, Timer};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Case, RUN};

#[derive(Clone, Debug)]
struct Scenario {
    /// Sign, dependencies as bits over earlier steps.
    steps: Vec<(&'static str, u16)>,
    parallel: Option<u32>,
    strategy: &'static str,
    rollback: bool,
    /// Drawn from in turn: which answer comes next, and what it is.
    dice: Vec<u8>,
    deadline_at: Option<usize>,
    cancel_at: Option<usize>,
}

fn scenario() -> impl Strategy<Value = Scenario> {
    let step = (prop::sample::select(vec!["", "", "", "+", "&"]), any::<u16>());
    let strategy = prop::sample::select(vec!["retry", "abort", "continue", "rollback"]);
    let at = || prop::option::weighted(0.3, 0..30_usize);
    (
        prop::collection::vec(step, 0..12),
        prop::option::of(1..5_u32),
        strategy,
        any::<bool>(),
        prop::collection::vec(any::<u8>(), 1..80),
        at(),
        at(),
    )
        .prop_map(|(steps, parallel, strategy, rollback, dice, deadline_at, cancel_at)| Scenario {
            steps,
            parallel,
            strategy,
            rollback,
            dice,
            deadline_at,
            cancel_at,
        })
}

impl Scenario {
    fn plan(&self) -> Arc<Plan> {
        let graph = self.steps.iter().enumerate().map(|(index, (sign, bits))| {
            let dependencies = (0..index).filter(|earlier| bits & (1 << earlier) != 0 && bits % 3 != 0);
            format!(
                "S{index}{sign}({})",
                dependencies.map(|earlier| format!("S{earlier}")).collect::<Vec<_>>().join(",")
            )
        });
        let mode =
            self.parallel.map_or("sequential".to_owned(), |limit| format!("parallel, max_parallel_branches: {limit}"));
        let rules = format!(
            "execution_mode: {mode}, failure_recovery_strategy: {}, rollback_enabled: {}, max_retries: 2, timeout_ms: 60000",
            self.strategy, self.rollback
        );
        Case::of(&graph.collect::<Vec<_>>().join(",")).rules(&rules).plan()
    }
}

/// One life of a run: its state, what it asked for, and what must hold of both.
struct Life<'s> {
    scenario: &'s Scenario,
    plan: Arc<Plan>,
    state: RunState,
    /// What the run waits for.
    asked: Vec<Command>,
    recorded: Vec<Event>,
    throws: usize,
    ticks: usize,
    /// The last answer to each call, `true` when it may be tried again.
    may_repeat: BTreeMap<CallId, bool>,
    succeeded: Vec<CallId>,
    undo_began: Vec<CallId>,
}

impl<'s> Life<'s> {
    fn new(scenario: &'s Scenario, plan: &Arc<Plan>) -> Self {
        let state = RunState::new(RUN, Arc::clone(plan));
        let plan = Arc::clone(plan);
        let (asked, recorded, may_repeat) = (Vec::new(), Vec::new(), BTreeMap::new());
        let (succeeded, undo_began) = (Vec::new(), Vec::new());
        Self { scenario, plan, state, asked, recorded, throws: 0, ticks: 0, may_repeat, succeeded, undo_began }
    }

    /// A life that continues from records, as a recovery does.
    fn recovered(scenario: &'s Scenario, plan: &Arc<Plan>, records: &[Event]) -> Self {
        let mut life = Self::new(scenario, plan);
        for record in records {
            life.asked.clear();
            life.happens(record.clone());
        }
        life.asked = life.state.outstanding();
        life
    }

    fn throw(&mut self) -> u8 {
        self.throws += 1;
        self.scenario.dice[(self.throws * 7) % self.scenario.dice.len()]
    }

    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + Duration::from_millis(self.ticks as u64)
    }

    fn start(&mut self) {
        let intents: Vec<_> = self.plan.steps.iter().filter(|step| step.id.as_str().starts_with('S')).collect();
        let intents = intents
            .iter()
            .flat_map(|step| (0..2).map(|call| json!({"kind": format!("{}.do", step.id), "payload": call})));
        let input = json!({"entity": "e", "intents": intents.collect::<Vec<_>>()});
        self.happens(Event::Started(Box::new(Start::new(self.now(), input))));
    }

    /// Feeds an event and all computations that follow, and takes note of what is asked.
    fn happens(&mut self, event: Event) {
        let mut events = std::collections::VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            self.note(&event);
            for command in self.state.apply(event).expect("it was asked for") {
                self.check(&command);
                match command {
                    Command::Compute { step } => {
                        let result = self.computed(step.as_str());
                        events.push_back(Event::Computed { step, result });
                    }
                    Command::Abort { call } => self.asked.retain(|asked| call_of(asked) != Some(&call)),
                    Command::Finish => assert!(self.state.is_finished()),
                    other => self.asked.push(other),
                }
            }
            let busy: BTreeSet<_> = self
                .asked
                .iter()
                .filter(|asked| !matches!(asked, Command::Undo { .. }))
                .filter_map(call_of)
                .map(|call| &call.step)
                .collect();
            assert!(busy.len() <= self.plan.max_parallel.value as usize, "never more than the limit: {busy:?}");
        }
    }

    fn computed(&self, step: &str) -> Result<Value, Failure> {
        let intents = || self.state.input()["intents"].clone();
        match (step, step.len() + self.scenario.dice[step.len() % self.scenario.dice.len()] as usize) {
            ("reduce", _) => Ok(json!({"state": 1, "intents": intents(), "settled": [], "refusal": null})),
            (_, odds) if odds % 11 == 0 => Err(Failure::new(ErrorClass::Validation, "ONEX9999", "no")),
            _ => Ok(json!({"status": "success", "seen": self.state.outputs().to_string().len()})),
        }
    }

    fn note(&mut self, event: &Event) {
        self.recorded.extend(event.record_kind().map(|_| event.clone()));
        match event {
            Event::CallSucceeded { call, .. } => {
                assert!(!self.succeeded.contains(call), "an effect succeeds once");
                self.succeeded.push(call.clone());
                self.may_repeat.insert(call.clone(), false);
            }
            Event::CallFailed { call, failure, .. } => {
                self.may_repeat.insert(call.clone(), failure.class == ErrorClass::Connection);
            }
            _ => {}
        }
    }

    fn check(&self, command: &Command) {
        let (step, is_first) = match command {
            Command::Compute { step } => (step, true),
            Command::Dispatch { call, attempt, .. } => {
                assert!(
                    self.may_repeat.get(call).is_none_or(|may| *may),
                    "only a retryable failure is tried again: {call:?}"
                );
                (&call.step, *attempt == 1)
            }
            _ => return,
        };
        let index = self.plan.index_of(step).expect("a step of the plan");
        let ended = self.state.dependencies(index);
        assert!(
            !is_first || ended.len() == self.plan.steps[index].depends_on.len(),
            "`{step}` starts after its dependencies"
        );
        let all_done = ended.iter().all(|(_, result)| matches!(result, onex_node::StepResult::Done(_)));
        assert!(all_done || self.plan.steps[index].takes_failures, "`{step}` starts when they are done");
    }

    /// Refused events change nothing.
    fn refuse(&mut self) {
        let before = format!("{:?}", self.state);
        let (at, attempt) = (self.now(), 77);
        let call = CallId { step: "S0".into(), call: 0 };
        let failure = Failure::new(ErrorClass::Connection, "ONEX4001", "down");
        let start = self.recorded[0].clone();
        let mut refused = vec![
            start,
            Event::Computed { step: "S0".into(), result: Ok(Value::Null) },
            Event::CallSucceeded { call: call.clone(), attempt, output: Value::Null, at },
            Event::CallFailed { call: call.clone(), attempt, failure: failure.clone(), at },
            Event::UndoFailed { call, attempt, failure, at },
        ];
        if self.state.is_finished() {
            refused.extend([Event::CancelRequested { at }, Event::TimerFired { timer: Timer::RunDeadline, at }]);
        }
        for event in refused {
            self.state.apply(event.clone()).expect_err("nothing asked for it");
        }
        assert_eq!(format!("{:?}", self.state), before, "what was refused changed nothing");
    }

    fn answer(&mut self, command: Command) -> Event {
        let at = self.now();
        let failure = |class| Failure::new(class, "ONEX4001", "no");
        let fate = self.throw() % 8;
        match command {
            Command::Dispatch { call, attempt, .. } => match fate {
                0 => Event::CallFailed { call, attempt, failure: failure(ErrorClass::Validation), at },
                1 | 2 => Event::CallFailed { call, attempt, failure: failure(ErrorClass::Connection), at },
                _ => Event::CallSucceeded { call, attempt, output: json!({"by": attempt}), at },
            },
            Command::Undo { call, attempt, .. } => {
                if attempt == 1 && !self.undo_began.contains(&call) {
                    self.undo_began.push(call.clone());
                }
                match fate {
                    0 => Event::UndoFailed { call, attempt, failure: failure(ErrorClass::Validation), at },
                    1 | 2 => Event::UndoFailed { call, attempt, failure: failure(ErrorClass::Connection), at },
                    _ => Event::UndoSucceeded { call, at },
                }
            }
            Command::Arm { timer, .. } => Event::TimerFired { timer, at },
            other => panic!("nothing to answer: {other:?}"),
        }
    }

    fn next(&mut self) -> Event {
        if self.scenario.cancel_at == Some(self.ticks) {
            return Event::CancelRequested { at: self.now() };
        }
        let is_deadline = |command: &Command| matches!(command, Command::Arm { timer: Timer::RunDeadline, .. });
        let is_due = self.scenario.deadline_at == Some(self.ticks);
        let choices: Vec<_> =
            (0..self.asked.len()).filter(|index| is_deadline(&self.asked[*index]) == is_due).collect();
        let choices = if choices.is_empty() {
            (0..self.asked.len()).filter(|index| !is_deadline(&self.asked[*index])).collect()
        } else {
            choices
        };
        assert!(!choices.is_empty(), "a run waits for something until it has finished: {:?}", self.state);
        let chosen = choices[usize::from(self.throw()) % choices.len()];
        let command = self.asked.remove(chosen);
        self.answer(command)
    }

    fn live(&mut self) {
        while !self.state.is_finished() {
            if self.ticks.is_multiple_of(5) {
                self.refuse();
            }
            self.ticks += 1;
            assert!(self.ticks < 1_000, "a run finishes");
            let event = self.next();
            self.happens(event);
        }
        self.refuse();
        self.check_end();
    }

    fn check_end(&self) {
        let outcome = self.state.outcome().expect("it has finished");
        let ids: Vec<_> = outcome.steps.iter().map(|step| &step.step).collect();
        assert_eq!(
            ids,
            self.plan.steps.iter().map(|step| &step.id).collect::<Vec<_>>(),
            "each step ends in exactly one way"
        );
        assert!(outcome.steps.iter().all(|step| ["done", "failed", "skipped"].contains(&step.ended.as_str())));
        let last_order: Vec<_> =
            self.succeeded.iter().rev().filter(|call| self.undo_began.contains(call)).cloned().collect();
        assert_eq!(self.undo_began, last_order, "undone in the reverse of the order they succeeded");
        let is_undone = self.plan.rollback.value && ["failed", "cancelled"].contains(&outcome.status.as_str());
        assert!(is_undone || self.undo_began.is_empty(), "{outcome:?}");
    }

    fn told(&self) -> (String, String) {
        (format!("{:?}", self.state.outcome()), self.state.pure_hash())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn r31_every_run_keeps_its_invariants_and_can_be_cut_anywhere(scenario in scenario()) {
        let plan = scenario.plan();
        let mut life = Life::new(&scenario, &plan);
        life.start();
        life.live();
        let records = life.recorded.clone();
        let folded = Life::recovered(&scenario, &plan, &records);
        assert_eq!(folded.told(), life.told(), "the state is the fold of its records");
        for cut in 1..records.len() {
            let mut continued = Life::recovered(&scenario, &plan, &records[..cut]);
            continued.undo_began = continued.state_undos(&records[..cut]);
            continued.live();
        }
    }
}

impl Life<'_> {
    /// Calls whose undoing is in the records.
    fn state_undos(&self, records: &[Event]) -> Vec<CallId> {
        let mut calls = Vec::new();
        for record in records {
            if let Event::UndoSucceeded { call, .. } | Event::UndoFailed { call, .. } = record
                && !calls.contains(call)
            {
                calls.push(call.clone());
            }
        }
        calls
    }
}

fn call_of(command: &Command) -> Option<&CallId> {
    match command {
        Command::Dispatch { call, .. }
        | Command::Undo { call, .. }
        | Command::Arm { timer: Timer::Retry(call), .. } => Some(call),
        _ => None,
    }
}
