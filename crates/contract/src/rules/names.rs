//! ONEX0032: a name is empty. Others could not refer to it, and messages about it would say nothing.

use super::{Finding, Rule, place};
use crate::model::Contract;
use crate::path::KeyPath;

pub(super) const EMPTY_NAME: Rule = Rule::of_contract("ONEX0032", "a name is empty", "write the name", empty_names);

fn empty_names(contract: &Contract) -> Vec<Finding> {
    let mut names = vec![(KeyPath::of(&["name"]), contract.name.as_str())];
    for (index, node) in contract.steps().iter().enumerate() {
        names.push((place::node(index).key("node_id"), &node.node_id));
    }
    if let Some(machine) = &contract.state_machine {
        let (states, transitions) =
            (KeyPath::of(&["state_machine", "states"]), KeyPath::of(&["state_machine", "transitions"]));
        for (index, state) in machine.states.iter().enumerate() {
            names.push((states.index(index).key("state_name"), &state.state_name));
        }
        for (index, transition) in machine.transitions.iter().enumerate() {
            names.push((transitions.index(index).key("trigger"), &transition.trigger));
        }
    }
    let empty = names.into_iter().filter(|(_, name)| name.trim().is_empty());
    empty
        .map(|(path, _)| {
            let message = format!("`{path}` is empty");
            Finding::at_value(EMPTY_NAME.finding(path, message))
        })
        .collect()
}
