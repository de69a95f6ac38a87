//! ONEX0060: a state machine names a state that `states` does not list (F-20).
//! ONEX0062: a transition leaves a terminal state and is never taken (F-18, C-15).
//! ONEX0063: a state that no transition leads to (F-41).
//! ONEX0064: two transitions answer the same trigger from the same state with the same priority (F-17).
//! ONEX0065: a state is declared twice.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Rule};
use crate::model::{Contract, StateMachine, Transition};
use crate::path::KeyPath;

pub(super) const UNKNOWN_STATE: Rule = Rule::of_contract(
    "ONEX0060",
    "a state machine names a state that is not declared",
    "list every state under `states`",
    |contract| each(contract, unknown_states),
)
.local();

pub(super) const TERMINAL_EXIT: Rule = Rule::of_contract(
    "ONEX0062",
    "a transition leaves a terminal state",
    "remove the transition, or do not call the state terminal",
    |contract| each(contract, exits_from_terminal_states),
)
.local()
.warning();

pub(super) const UNREACHABLE_STATE: Rule =
    Rule::of_contract("ONEX0063", "a state cannot be reached", "add a transition to it, or remove it", |contract| {
        each(contract, unreachable_states)
    })
    .warning();

pub(super) const AMBIGUOUS: Rule = Rule::of_contract(
    "ONEX0064",
    "two transitions answer the same trigger",
    "give them different priorities",
    |contract| each(contract, ambiguous_transitions),
)
.local();

pub(super) const DUPLICATE_STATE: Rule = Rule::of_contract(
    "ONEX0065",
    "two states have the same name",
    "give each state its own `state_name`, or remove one of the two",
    |contract| each(contract, duplicate_states),
)
.local();

fn duplicate_states(machine: &StateMachine, root: &KeyPath) -> Vec<Finding> {
    let mut seen = BTreeSet::new();
    let again = machine.states.iter().enumerate().filter(|(_, state)| !seen.insert(&state.state_name));
    again
        .map(|(index, state)| {
            let path = root.key("states").index(index).key("state_name");
            Finding::at_value(
                DUPLICATE_STATE.finding(path, format!("state `{}` is declared a second time", state.state_name)),
            )
        })
        .collect()
}

fn each(contract: &Contract, check: fn(&StateMachine, &KeyPath) -> Vec<Finding>) -> Vec<Finding> {
    contract.state_machine.as_ref().map_or_else(Vec::new, |machine| check(machine, &KeyPath::of(&["state_machine"])))
}

fn unknown_states(machine: &StateMachine, root: &KeyPath) -> Vec<Finding> {
    let declared: BTreeSet<&str> = machine.states.iter().map(|state| state.state_name.as_str()).collect();
    let unknown = named_states(machine, root).into_iter().filter(|(_, state)| !declared.contains(state));
    unknown
        .map(|(path, state)| {
            let message = format!("state `{state}` is not listed under `states`");
            let finding = UNKNOWN_STATE.finding(path, message);
            Finding::at_value(match crate::near::nearest(state, declared.iter().copied()) {
                Some(nearest) => finding.with_help(format!("did you mean `{nearest}`?")),
                None => finding,
            })
        })
        .collect()
}

fn named_states<'m>(machine: &'m StateMachine, root: &KeyPath) -> Vec<(KeyPath, &'m str)> {
    let mut named = vec![(root.key("initial_state"), machine.initial_state.as_str())];
    for (key, states) in [("terminal_states", &machine.terminal_states), ("error_states", &machine.error_states)] {
        named.extend(states.iter().enumerate().map(|(index, state)| (root.key(key).index(index), state.as_str())));
    }
    for (index, transition) in machine.transitions.iter().enumerate() {
        let path = root.key("transitions").index(index);
        named.push((path.key("to_state"), &transition.to_state));
        if transition.from_state != "*" {
            named.push((path.key("from_state"), &transition.from_state));
        }
    }
    named
}

fn terminal_states(machine: &StateMachine) -> BTreeSet<&str> {
    let flagged = machine.states.iter().filter(|state| state.is_terminal).map(|state| state.state_name.as_str());
    flagged.chain(machine.terminal_states.iter().map(String::as_str)).collect()
}

fn exits_from_terminal_states(machine: &StateMachine, root: &KeyPath) -> Vec<Finding> {
    let terminal = terminal_states(machine);
    let exits = machine.transitions.iter().enumerate();
    exits
        .filter(|(_, transition)| terminal.contains(transition.from_state.as_str()))
        .map(|(index, transition)| {
            let path = root.key("transitions").index(index).key("from_state");
            let (name, state) = (transition.name(), &transition.from_state);
            let message = format!("transition `{name}` leaves the terminal state `{state}` and is never taken");
            Finding::at_value(TERMINAL_EXIT.finding(path, message))
        })
        .collect()
}

fn unreachable_states(machine: &StateMachine, root: &KeyPath) -> Vec<Finding> {
    let terminal = terminal_states(machine);
    let mut reached = BTreeSet::from([machine.initial_state.as_str()]);
    let leads_on = |transition: &Transition, reached: &BTreeSet<&str>| {
        let from = transition.from_state.as_str();
        from == "*" || (reached.contains(from) && !terminal.contains(from))
    };
    loop {
        let next: BTreeSet<&str> = machine
            .transitions
            .iter()
            .filter(|transition| leads_on(transition, &reached))
            .map(|it| it.to_state.as_str())
            .collect();
        if next.is_subset(&reached) {
            break;
        }
        reached.extend(next);
    }
    let states = machine.states.iter().enumerate();
    states
        .filter(|(_, state)| !reached.contains(state.state_name.as_str()))
        .map(|(index, state)| {
            let path = root.key("states").index(index).key("state_name");
            Finding::at_value(
                UNREACHABLE_STATE.finding(path, format!("no transition leads to state `{}`", state.state_name)),
            )
        })
        .collect()
}

fn ambiguous_transitions(machine: &StateMachine, root: &KeyPath) -> Vec<Finding> {
    let mut first: BTreeMap<(&str, &str, u32), String> = BTreeMap::new();
    let mut findings = Vec::new();
    for (index, transition) in machine.transitions.iter().enumerate() {
        let answers = (transition.from_state.as_str(), transition.trigger.as_str(), transition.priority.unwrap_or(0));
        if let Some(other) = first.get(&answers) {
            let path = root.key("transitions").index(index).key("trigger");
            let message =
                format!("`{}` and `{other}` both answer `{}` with one priority", transition.name(), transition.trigger);
            findings.push(Finding::at_value(AMBIGUOUS.finding(path, message)));
        } else {
            first.insert(answers, transition.name());
        }
    }
    findings
}
