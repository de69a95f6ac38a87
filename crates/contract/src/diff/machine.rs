//! Decides what a contract says about an entity's states. Transitions are told as the engine takes them: by state and
//! trigger, the candidates in the order they are tried. Names and advisory guards decide nothing.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::facts::{Fact, Facts};
use super::table::Subject;
use crate::model::{Contract, StateMachine, Transition};
use crate::path::KeyPath;

pub(super) fn tell(contract: &Contract, facts: &mut Facts) {
    let Some(machine) = &contract.state_machine else { return };
    let root = KeyPath::of(&["state_machine"]);
    facts.tell(&["machine"], Fact::new(Subject::Machine, "state machine", root.clone()));
    let initial = Fact::new(Subject::InitialState, "initial state", root.key("initial_state"));
    facts.tell(&["machine", "initial"], initial.saying(&machine.initial_state));
    if let Some(name) = &machine.state_machine_name {
        let path = root.key("state_machine_name");
        let fact = Fact::new(Subject::ForPeople, path.to_string(), path).saying(name);
        facts.tell(&["machine", "name"], fact);
    }
    tell_states(machine, &root, facts);
    tell_transitions(machine, &root, facts);
}

fn tell_states(machine: &StateMachine, root: &KeyPath, facts: &mut Facts) {
    for (index, state) in machine.states.iter().enumerate() {
        let (name, path) = (state.state_name.as_str(), root.key("states").index(index));
        facts.tell(&["machine", "state", name], Fact::new(Subject::State, name, path.clone()));
        if state.is_terminal {
            let fact = Fact::new(Subject::TerminalState, name, path.key("is_terminal"));
            facts.tell(&["machine", "state", name, "terminal"], fact);
        }
        if let Some(description) = &state.description {
            let fact = Fact::new(Subject::ForPeople, format!("description of {name}"), path.key("description"));
            facts.tell(&["machine", "state", name, "description"], fact.saying(description));
        }
    }
    let lists = [
        ("terminal_states", "terminal", Subject::TerminalState, &machine.terminal_states),
        ("error_states", "error", Subject::ErrorState, &machine.error_states),
    ];
    for (key, word, subject, states) in lists {
        for (index, name) in states.iter().enumerate() {
            let fact = Fact::new(subject, name, root.key(key).index(index));
            facts.tell(&["machine", "state", name, word], fact);
        }
    }
}

fn tell_transitions(machine: &StateMachine, root: &KeyPath, facts: &mut Facts) {
    let mut candidates: BTreeMap<(&str, &str), Vec<(usize, &Transition)>> = BTreeMap::new();
    for (index, transition) in machine.transitions.iter().enumerate() {
        let from = (transition.from_state.as_str(), transition.trigger.as_str());
        candidates.entry(from).or_default().push((index, transition));
    }
    for ((from, trigger), mut tried) in candidates {
        tried.sort_by_key(|(_, transition)| Reverse(transition.priority.unwrap_or(0)));
        let Some(path) = tried.iter().map(|(index, _)| *index).min().map(|index| root.key("transitions").index(index))
        else {
            continue;
        };
        let targets: Vec<_> = tried.iter().map(|(_, transition)| target(transition)).collect();
        let name = format!("`{trigger}` in state `{from}`");
        let fact = Fact::new(Subject::Transition, name, path).saying(targets.join(", else "));
        facts.tell(&["machine", "transition", from, trigger], fact);
    }
}

/// `complete when missing_count == 0`.
fn target(transition: &Transition) -> String {
    let guards = transition.conditions.iter().filter(|condition| condition.required);
    let guards: Vec<_> = guards.map(|condition| condition.expression.as_str()).collect();
    if guards.is_empty() {
        return transition.to_state.clone();
    }
    format!("{} when {}", transition.to_state, guards.join(" and "))
}
