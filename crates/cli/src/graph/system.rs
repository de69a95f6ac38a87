//! Decides what many contracts look like together: their nodes, the topics between them, and who calls whom.

use onex_contract::Contract;

use super::picture::{Picture, Shape};
use super::steps::{draw_topics, shape};
use crate::builtin;

pub(super) fn picture(title: &str, contracts: &[&Contract]) -> Picture {
    let mut picture = Picture::new(title);
    for contract in contracts {
        let version = format!("{} {}", contract.archetype(), contract.contract_version);
        picture.item(key(&contract.name), &contract.name, &version, shape(&contract.node_type));
    }
    for contract in contracts {
        if let Some(node) = picture.find(&key(&contract.name)) {
            draw_topics(contract, node, &mut picture);
            draw_calls(contract, node, &mut picture);
        }
    }
    picture
}

fn key(name: &str) -> String {
    format!("node {name}")
}

/// Effects by route and by step, reducers and workflows by step.
fn draw_calls(contract: &Contract, from: usize, picture: &mut Picture) {
    let routes = contract.intent_consumption.iter().flat_map(|consumption| &consumption.intent_routing_table);
    for (intent, effect) in routes {
        let to = called(effect, picture);
        picture.link(from, to, intent, false);
    }
    for step in contract.steps() {
        let config = &step.step_config;
        for node in config.effect_node.iter().chain(&config.compute_node) {
            let to = called(node, picture);
            picture.link(from, to, "", false);
        }
        if let Some(workflow) = &config.workflow {
            let to = called(workflow, picture);
            picture.link(from, to, "runs", false);
        }
        if let Some(to) = config.reducer_protocol.as_deref().and_then(|named| reducer(contract, named, picture)) {
            picture.link(from, to, "reduces", false);
        }
    }
}

/// A node by name, or a hole where it should be. Nodes of this binary exist without a contract.
fn called(name: &str, picture: &mut Picture) -> usize {
    if [builtin::EFFECT, builtin::REDUCER].contains(&name) {
        let shape = if name == builtin::EFFECT { Shape::Effect } else { Shape::Reducer };
        return picture.item(key(name), name, "built in", shape);
    }
    picture.item(key(name), name, "no contract", Shape::Missing)
}

/// The reducer a step names: itself, or through a dependency whose module ends with its name. A name that leads to
/// no contract here is a protocol that another process fulfils, and is not drawn.
fn reducer(contract: &Contract, named: &str, picture: &Picture) -> Option<usize> {
    let modules =
        contract.dependencies.iter().filter_map(|dependency| dependency.module.as_deref()?.rsplit('.').next());
    let found = std::iter::once(named).chain(modules).filter_map(|name| picture.find(&key(name)));
    found.into_iter().find(|index| picture.items[*index].shape == Shape::Reducer)
}
