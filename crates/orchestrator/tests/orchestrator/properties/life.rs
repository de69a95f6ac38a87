//! Lives of runs: a state is fed answers to what it asks for, in an order that the scenario draws, and everything that
//! happened and was asked is written down in a story, for the properties to judge.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use onex_node::{ErrorClass, Failure, StepId, Timestamp};
use onex_orchestrator::{CallId, Command, Event, Outcome, Plan, RunState, Timer};
use serde_json::{Value, json};

use super::scenario::{Fate, Scenario};
use crate::support::{RUN, started};

/// One line of a story.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Line {
    Happened(Event),
    Asked(Command),
    /// The process died; what follows was asked by one that read the records.
    Died,
}

/// One life of a run, or several after each other.
pub(super) struct Life<'s> {
    scenario: &'s Scenario,
    pub(super) plan: Arc<Plan>,
    pub(super) state: RunState,
    /// What the run waits for.
    asked: Vec<Command>,
    pub(super) story: Vec<Line>,
    pub(super) records: Vec<Event>,
    /// What could be told of the run after each record.
    pub(super) tellings: Vec<String>,
    throws: usize,
    ticks: usize,
}

impl<'s> Life<'s> {
    fn new(scenario: &'s Scenario, plan: &Arc<Plan>) -> Self {
        Self {
            scenario,
            state: RunState::new(RUN, Arc::clone(plan)),
            plan: Arc::clone(plan),
            asked: Vec::new(),
            story: Vec::new(),
            records: Vec::new(),
            tellings: Vec::new(),
            throws: 0,
            ticks: 0,
        }
    }

    /// A whole life.
    pub(super) fn of(scenario: &'s Scenario, plan: &Arc<Plan>) -> Self {
        let mut life = Self::new(scenario, plan);
        life.happens(started(&scenario.case().input()));
        life.live();
        life
    }

    /// A life that was read from records, as a recovery does it.
    pub(super) fn read(scenario: &'s Scenario, plan: &Arc<Plan>, records: &[Event]) -> Self {
        let mut life = Self::new(scenario, plan);
        records.iter().for_each(|record| life.happens(record.clone()));
        life.story.push(Line::Died);
        life.asked = life.state.outstanding();
        life.story.extend(life.asked.iter().cloned().map(Line::Asked));
        life
    }

    pub(super) fn outcome(&self) -> Outcome {
        self.state.outcome().expect("it has finished")
    }

    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + Duration::from_millis(self.ticks as u64)
    }

    /// Takes an event and all computations that follow from it.
    fn happens(&mut self, event: Event) {
        let is_recorded = event.record_kind().is_some();
        self.records.extend(is_recorded.then(|| event.clone()));
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            self.story.push(Line::Happened(event.clone()));
            let refused = |refusal| panic!("{event:?} is refused: {refusal}");
            for command in self.state.apply(event.clone()).unwrap_or_else(refused) {
                self.story.push(Line::Asked(command.clone()));
                events.extend(self.take(command));
            }
        }
        self.tellings.extend(is_recorded.then(|| self.telling()));
    }

    /// Computes at once; everything else is answered in its time.
    fn take(&mut self, command: Command) -> Option<Event> {
        match command {
            Command::Compute { step } => {
                let result = self.computed(&step);
                return Some(Event::Computed { step, result });
            }
            Command::Abort { call } => self.asked.retain(|asked| call_of(asked) != Some(&call)),
            Command::Disarm { timer } => {
                self.asked.retain(|asked| !matches!(asked, Command::Arm { timer: armed, .. } if *armed == timer));
            }
            Command::Finish => {}
            other => self.asked.push(other),
        }
        None
    }

    /// What a pure step gives depends on its dependencies alone.
    fn computed(&self, step: &StepId) -> Result<Value, Failure> {
        if step.as_str() == "reduce" {
            let intents = &self.state.input()["intents"];
            return Ok(json!({"state": 1, "intents": intents, "settled": [], "refusal": null}));
        }
        let index = self.plan.index_of(step).expect("a step of the plan");
        let seen = format!("{:?}", self.state.dependencies(index)).len();
        match self.scenario.is_computed(step.as_str()) {
            true => Ok(json!({"status": "success", "seen": seen})),
            false => Err(Failure::new(ErrorClass::Validation, "ONEX9999", "no")),
        }
    }

    /// All that can be told of the state before its end.
    pub(super) fn telling(&self) -> String {
        let (outputs, hash, outcome) = (self.state.outputs(), self.state.pure_hash(), self.state.outcome());
        format!("{outputs} {hash} {outcome:?}")
    }

    fn live(&mut self) {
        while !self.state.is_finished() {
            self.ticks += 1;
            assert!(self.ticks < 1_000, "a run finishes: {:#?}", self.story);
            let event = self.next();
            self.happens(event);
        }
    }

    /// Lives on to the end.
    pub(super) fn lived(mut self) -> Self {
        self.live();
        self
    }

    fn throw(&mut self) -> usize {
        self.throws += 1;
        usize::from(self.scenario.order[(self.throws * 7) % self.scenario.order.len()])
    }

    fn next(&mut self) -> Event {
        let (troubles, at) = (self.scenario.troubles, self.now());
        if troubles.cancel == Some(self.ticks) {
            return Event::CancelRequested { at };
        }
        let is_deadline = |command: &Command| matches!(command, Command::Arm { timer: Timer::RunDeadline, .. });
        if troubles.deadline == Some(self.ticks)
            && let Some(position) = self.asked.iter().position(is_deadline)
        {
            self.asked.remove(position);
            return Event::TimerFired { timer: Timer::RunDeadline, at };
        }
        if troubles.pause == Some(self.ticks) {
            return Event::PauseRequested { at };
        }
        let choices: Vec<_> = (0..self.asked.len()).filter(|index| !is_deadline(&self.asked[*index])).collect();
        if self.state.is_paused() && (choices.is_empty() || self.throw().is_multiple_of(3)) {
            return Event::ResumeRequested { at };
        }
        assert!(!choices.is_empty(), "a run waits for something until it has finished: {:#?}", self.story);
        let chosen = choices[self.throw() % choices.len()];
        let command = self.asked.remove(chosen);
        self.answer(command)
    }

    fn answer(&self, command: Command) -> Event {
        let at = self.now();
        let failure = |class| Failure::new(class, "ONEX4001", "no");
        match command {
            Command::Dispatch { call, attempt, .. } => match self.scenario.fate_of_attempt(&call, attempt, false) {
                Fate::Succeeds => Event::CallSucceeded { call, attempt, output: json!({"by": attempt}), at },
                Fate::Hiccups => Event::CallFailed { call, attempt, failure: failure(ErrorClass::Connection), at },
                Fate::Fails => Event::CallFailed { call, attempt, failure: failure(ErrorClass::Validation), at },
            },
            Command::Undo { call, attempt, .. } => match self.scenario.fate_of_attempt(&call, attempt, true) {
                Fate::Succeeds => Event::UndoSucceeded { call, at },
                Fate::Hiccups => Event::UndoFailed { call, attempt, failure: failure(ErrorClass::Connection), at },
                Fate::Fails => Event::UndoFailed { call, attempt, failure: failure(ErrorClass::Validation), at },
            },
            Command::Arm { timer, .. } => Event::TimerFired { timer, at },
            other => panic!("nothing to answer: {other:?}"),
        }
    }
}

/// The call that a command is about.
pub(super) fn call_of(command: &Command) -> Option<&CallId> {
    match command {
        Command::Dispatch { call, .. }
        | Command::Undo { call, .. }
        | Command::Abort { call }
        | Command::Arm { timer: Timer::Retry(call) | Timer::RetryUndo(call), .. } => Some(call),
        _ => None,
    }
}
