//! ONEX0060: a state machine names a state that `states` does not list (F-20), or leaves a terminal one (F-18).

use std::collections::BTreeSet;

use super::{Finding, Rule};
use crate::model::{Contract, StateMachine};
use crate::path::KeyPath;

pub(super) const UNKNOWN_STATE: Rule = Rule::of_contract(
    "ONEX0060",
    "a state machine does not fit together",
    "list every state under `states`, and let nothing leave a terminal state",
    misfits,
);

fn misfits(contract: &Contract) -> Vec<Finding> {
    let Some(machine) = &contract.state_machine else { return Vec::new() };
    let root = KeyPath::of(&["state_machine"]);
    let declared: BTreeSet<&str> = machine.states.iter().map(|state| state.state_name.as_str()).collect();
    let unknown = named_states(machine, &root).into_iter().filter(|(_, state)| !declared.contains(state));
    let mut findings: Vec<_> = unknown
        .map(|(path, state)| {
            Finding::at_value(UNKNOWN_STATE.finding(path, format!("state `{state}` is not listed under `states`")))
        })
        .collect();
    findings.extend(exits_from_terminal_states(machine, &root));
    findings
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

fn exits_from_terminal_states(machine: &StateMachine, root: &KeyPath) -> Vec<Finding> {
    let flagged = machine.states.iter().filter(|state| state.is_terminal).map(|state| state.state_name.as_str());
    let terminal: BTreeSet<&str> = flagged.chain(machine.terminal_states.iter().map(String::as_str)).collect();
    let transitions = machine.transitions.iter().enumerate();
    transitions
        .filter(|(_, transition)| terminal.contains(transition.from_state.as_str()))
        .map(|(index, transition)| {
            let path = root.key("transitions").index(index).key("from_state");
            let message =
                format!("transition `{}` leaves the terminal state `{}`", transition.name(), transition.from_state);
            Finding::at_value(UNKNOWN_STATE.finding(path, message))
        })
        .collect()
}
