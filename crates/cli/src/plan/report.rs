//! Decides what is told of a plan: everything that was settled with where it came from, and what follows.

use std::time::Duration;

use onex_contract::{Contract, Direction};
use onex_event::Topic;
use onex_orchestrator::{Binding, FailureAction, Plan, PlannedStep, Setting};
use serde::Serialize;
use serde_json::{Value, json};

use super::promise;
use super::worst::{WorstCase, attempts, duration, milliseconds};

/// A plan and what follows from it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) fingerprint: String,
    pub(super) topics: Vec<TopicUse>,
    pub(super) rules: Vec<Rule>,
    /// Steps that may run when those of the waves before have ended.
    pub(super) waves: Vec<Vec<Step>>,
    pub(super) worst_case: WorstCase,
    pub(super) journaled: Vec<Record>,
    pub(super) undo: Undo,
}

/// A topic and what it is for.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct TopicUse {
    pub(super) topic: String,
    pub(super) direction: &'static str,
    pub(super) event_type: Option<String>,
    pub(super) role: String,
}

/// A settled rule.
#[derive(Debug, Serialize)]
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) value: Value,
    pub(super) origin: &'static str,
}

/// A step.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    pub(super) id: String,
    pub(super) after: Vec<String>,
    pub(super) does: String,
    pub(super) intents: Vec<IntentUse>,
    pub(super) on_failure: String,
    pub(super) rules: Vec<Rule>,
    pub(super) attempts_per_intent: u32,
    pub(super) worst_case_ms: u64,
    pub(super) guarantee: &'static str,
    pub(super) why: &'static str,
}

/// A kind of intent that a step carries out.
#[derive(Debug, Serialize)]
pub(super) struct IntentUse {
    pub(super) kind: String,
    pub(super) effect: String,
    pub(super) can_undo: bool,
}

/// A record of the journal.
#[derive(Debug, Serialize)]
pub(super) struct Record {
    pub(super) kind: &'static str,
    pub(super) when: String,
}

/// How a failed run is taken back.
#[derive(Debug, Serialize)]
pub(super) struct Undo {
    pub(super) is_enabled: bool,
    pub(super) origin: &'static str,
    /// Steps whose effects are undone, in that order; of several intents of a step the last first.
    pub(super) order: Vec<UndoneStep>,
    /// Kinds whose effects stay.
    pub(super) stays: Vec<String>,
}

/// A step that is undone.
#[derive(Debug, Serialize)]
pub(super) struct UndoneStep {
    pub(super) step: String,
    pub(super) kinds: Vec<String>,
}

impl Report {
    pub(super) fn of(contract: &Contract, plan: &Plan) -> Self {
        Self {
            name: plan.name.clone(),
            version: contract.contract_version.to_string(),
            fingerprint: plan.fingerprint.clone(),
            topics: topics(contract, plan),
            rules: run_rules(plan),
            waves: waves(plan),
            worst_case: WorstCase::of(plan),
            journaled: journaled(plan),
            undo: undo(plan),
        }
    }
}

fn topics(contract: &Contract, plan: &Plan) -> Vec<TopicUse> {
    let starting: Vec<String> =
        contract.starting_events().filter_map(|event| event.topic.as_deref()).map(Topic::canonical).collect();
    let publisher = |topic: &str| {
        plan.steps.iter().find(|step| matches!(&step.binding, Binding::Publish { topic: to, .. } if to == topic))
    };
    let mut uses: Vec<TopicUse> = Vec::new();
    for named in contract.topics() {
        let topic = Topic::canonical(named.text);
        let (direction, role) = match named.direction {
            Direction::Consumes if starting.contains(&topic) => ("in", "starts runs".to_owned()),
            Direction::Consumes => ("in", "starts nothing".to_owned()),
            Direction::Publishes => match publisher(&topic) {
                Some(step) => ("out", format!("from step {}", step.id)),
                None => ("out", "no step publishes to it".to_owned()),
            },
        };
        if !uses.iter().any(|known| known.topic == topic && known.direction == direction) {
            uses.push(TopicUse { topic, direction, event_type: named.event_type.map(str::to_owned), role });
        }
    }
    uses
}

fn rule<T>(name: &'static str, setting: &Setting<T>, value: impl Fn(&T) -> Value) -> Rule {
    Rule { name, value: value(&setting.value), origin: setting.origin }
}

fn in_milliseconds(duration: &Duration) -> Value {
    json!(milliseconds(*duration))
}

fn run_rules(plan: &Plan) -> Vec<Rule> {
    vec![
        rule("execution_mode", &plan.mode, |mode| json!(mode)),
        rule("max_parallel", &plan.max_parallel, |limit| json!(limit)),
        rule("failure_recovery_strategy", &plan.strategy, |strategy| json!(strategy)),
        rule("rollback_enabled", &plan.rollback, |rollback| json!(rollback)),
        rule("timeout_ms", &plan.run_timeout, |timeout| timeout.as_ref().map_or(Value::Null, in_milliseconds)),
    ]
}

fn waves(plan: &Plan) -> Vec<Vec<Step>> {
    let mut wave_of = vec![0; plan.steps.len()];
    let mut waves: Vec<Vec<Step>> = Vec::new();
    for index in &plan.order {
        let planned = &plan.steps[*index];
        let wave = planned.waits_for().map(|before| wave_of[before] + 1).max().unwrap_or(0);
        wave_of[*index] = wave;
        waves.resize_with(waves.len().max(wave + 1), Vec::new);
        waves[wave].push(step(plan, *index));
    }
    waves
}

fn step(plan: &Plan, index: usize) -> Step {
    let planned = &plan.steps[index];
    let promise = promise::of(&planned.binding);
    Step {
        id: planned.id.to_string(),
        after: planned.waits_for().map(|before| plan.steps[before].id.to_string()).collect(),
        does: promise::binding(&planned.binding),
        intents: intents(plan, index),
        on_failure: on_failure(plan, index),
        rules: step_rules(planned),
        attempts_per_intent: attempts(planned),
        worst_case_ms: milliseconds(duration(planned)),
        guarantee: promise.what,
        why: promise.why,
    }
}

/// The routed kinds that a step's filter fits.
fn intents(plan: &Plan, index: usize) -> Vec<IntentUse> {
    let step = &plan.steps[index];
    let Binding::Execute { routes, .. } = &step.binding else { return Vec::new() };
    let taken = routes.iter().filter(|(kind, _)| step.takes(kind));
    taken
        .map(|(kind, effect)| IntentUse {
            kind: kind.clone(),
            effect: effect.clone(),
            can_undo: plan.can_undo(index, kind),
        })
        .collect()
}

fn on_failure(plan: &Plan, index: usize) -> String {
    if matches!(plan.steps[index].binding, Binding::Receive { .. }) {
        return "does not fail: it hands on the event that started the run".to_owned();
    }
    let dependents: Vec<String> =
        plan.steps.iter().filter(|step| step.depends_on.contains(&index)).map(|step| step.id.to_string()).collect();
    if plan.steps[index].is_absorbed {
        return format!("{} takes the failure as input; the run goes on", dependents.join(", "));
    }
    let action = plan.steps[index].on_failure.value;
    let is_undone = plan.rollback.value || action == FailureAction::Compensate;
    let then = if is_undone { "fails, and its effects are undone" } else { "fails" };
    if action == FailureAction::Continue {
        return format!("steps that do not need it go on; at the end the run {then}");
    }
    format!("nothing more starts; the run {then}")
}

fn step_rules(step: &PlannedStep) -> Vec<Rule> {
    let mut rules = start_rules(step);
    if matches!(step.binding, Binding::Execute { .. } | Binding::Workflow { .. }) {
        rules.extend(call_rules(step));
    }
    rules
}

/// Whether, and for what, a step is carried out; only what its contract says.
fn start_rules(step: &PlannedStep) -> Vec<Rule> {
    let of_step = |name, value| Rule { name, value, origin: "the step" };
    let mut rules = Vec::new();
    rules.extend((!step.is_enabled).then(|| of_step("enabled", json!(false))));
    rules.extend(step.skip_on_failure.then(|| of_step("skip_on_failure", json!(true))));
    rules.extend((!step.conditions.is_empty()).then(|| of_step("condition", json!(step.conditions))));
    rules.extend(step.for_each.as_ref().map(|list| of_step("for_each", list.clone())));
    rules.extend((step.max_instances > 1).then(|| of_step("max_parallel_instances", json!(step.max_instances))));
    rules.extend((step.max_failures > 0).then(|| of_step("max_failures", json!(step.max_failures))));
    rules
}

fn call_rules(step: &PlannedStep) -> Vec<Rule> {
    let retry = &step.retry;
    let named = |name: &'static str, names: &[String], origin: &'static str, none: &'static str| Rule {
        name,
        value: if names.is_empty() { json!(none) } else { json!(names) },
        origin: if names.is_empty() { "default" } else { origin },
    };
    vec![
        rule("timeout_ms", &step.attempt_timeout, in_milliseconds),
        rule("max_retries", &retry.max_retries, |retries| json!(retries)),
        rule("initial_delay_ms", &retry.initial_delay, in_milliseconds),
        rule("max_delay_ms", &retry.max_delay, in_milliseconds),
        rule("exponential_base", &retry.base, |base| json!(base)),
        rule("jitter_factor", &retry.jitter, |jitter| json!(jitter)),
        named("retry_on", &retry.retry_on, "error_handling.retry_policy", "whatever may pass by itself"),
        named("never_retried", &retry.never, "error_handling.error_types", "what the error's class calls final"),
    ]
}

fn ids(plan: &Plan, which: impl Fn(&Binding) -> bool) -> Vec<String> {
    let chosen = plan.order.iter().map(|index| &plan.steps[*index]).filter(|step| which(&step.binding));
    chosen.map(|step| step.id.to_string()).collect()
}

fn journaled(plan: &Plan) -> Vec<Record> {
    let state = if plan.entity_reducer().is_some() { ", and the entity's state" } else { "" };
    let started = Record { kind: "started", when: format!("before anything is done: the event{state}") };
    let mut records = vec![started];
    let executing = ids(plan, |binding| matches!(binding, Binding::Execute { .. }));
    if !executing.is_empty() {
        let when = format!("after each attempt, before anything follows from it: {}", executing.join(", "));
        records.push(Record { kind: "call_succeeded, call_failed", when });
    }
    if plan.run_timeout.value.is_some() {
        records.push(Record { kind: "deadline_passed", when: "when the run has taken as long as it may".to_owned() });
    }
    if !undo(plan).order.is_empty() {
        records.push(Record { kind: "undo_succeeded, undo_failed", when: "after each attempt to undo".to_owned() });
    }
    let publishing = ids(plan, |binding| matches!(binding, Binding::Publish { .. }));
    let events =
        if publishing.is_empty() { String::new() } else { format!(", the events of {}", publishing.join(", ")) };
    let state = if state.is_empty() { "" } else { ", the entity's new state" };
    records.push(Record { kind: "ended", when: format!("in one commit: how every step ended{events}{state}") });
    records
}

fn undo(plan: &Plan) -> Undo {
    let (is_enabled, origin) = (plan.rollback.value, plan.rollback.origin);
    let mut report = Undo { is_enabled, origin, order: Vec::new(), stays: Vec::new() };
    for index in plan.order.iter().rev().filter(|_| is_enabled) {
        let (undone, stays): (Vec<_>, Vec<_>) = intents(plan, *index).into_iter().partition(|intent| intent.can_undo);
        report.stays.extend(stays.into_iter().map(|intent| intent.kind));
        if !undone.is_empty() {
            let kinds = undone.into_iter().map(|intent| intent.kind).collect();
            report.order.push(UndoneStep { step: plan.steps[*index].id.to_string(), kinds });
        }
    }
    report
}
