//! Decides what one contract looks like: an orchestrator's steps with the topics they run on and publish to, a
//! reducer's states, of any other node its topics.

use onex_contract::{Archetype, Contract, Direction, GraphNode, NodeType, StateMachine};
use onex_event::Topic;

use super::picture::{Picture, Shape};

pub(super) fn picture(contract: &Contract) -> Picture {
    let mut picture = Picture::new(&contract.name);
    match (&contract.workflow_coordination, &contract.state_machine) {
        (Some(_), _) => draw_steps(contract, &mut picture),
        (None, Some(machine)) => draw_states(machine, &mut picture),
        (None, None) => {
            let node = picture.item(contract.name.clone(), &contract.name, "", shape(&contract.node_type));
            draw_topics(contract, node, &mut picture);
        }
    }
    picture
}

pub(super) fn shape(kind: &NodeType) -> Shape {
    match kind.archetype {
        Archetype::Effect => Shape::Effect,
        Archetype::Reducer => Shape::Reducer,
        Archetype::Compute => Shape::Compute,
        Archetype::Orchestrator | Archetype::RuntimeHost => Shape::Orchestrator,
    }
}

/// Every topic of a node, before or behind it.
pub(super) fn draw_topics(contract: &Contract, node: usize, picture: &mut Picture) {
    for topic in contract.topics() {
        let item = picture.topic(&Topic::canonical(topic.text));
        match topic.direction {
            Direction::Consumes => picture.link(item, node, "", false),
            Direction::Publishes => picture.link(node, item, "", false),
        }
    }
}

fn draw_steps(contract: &Contract, picture: &mut Picture) {
    let Some(workflow) = &contract.workflow_coordination else { return };
    let graph = &workflow.workflow_definition.execution_graph;
    let sources = draw_sources(contract, picture);
    for node in &graph.nodes {
        picture.item(key(&node.node_id), &node.node_id, &binding(node), shape(&node.node_type));
    }
    for node in &graph.nodes {
        let Some(to) = picture.find(&key(&node.node_id)) else { continue };
        for before in graph.before(node) {
            let from = picture.item(key(before), before, "no such step", Shape::Missing);
            picture.link(from, to, "", false);
        }
        if receives(contract, node) {
            for (from, starts) in &sources {
                picture.link(*from, to, if *starts { "" } else { "starts nothing" }, !starts);
            }
        }
        draw_publication(contract, node, to, picture);
    }
}

/// The topics that come in, each with whether its events start runs.
fn draw_sources(contract: &Contract, picture: &mut Picture) -> Vec<(usize, bool)> {
    let starting: Vec<String> =
        contract.starting_events().filter_map(|event| event.topic.as_deref()).map(Topic::canonical).collect();
    let consumed = contract.topics().into_iter().filter(|topic| topic.direction == Direction::Consumes);
    let mut topics: Vec<String> = consumed.map(|topic| Topic::canonical(topic.text)).collect();
    topics.dedup();
    let starts = |topic: &String| contract.consumed_events.is_empty() || starting.contains(topic);
    topics.iter().map(|topic| (picture.topic(topic), starts(topic))).collect()
}

fn key(step: &str) -> String {
    format!("step {step}")
}

/// Whether events come in at this step: it says so, or no step says so and nothing comes before it.
fn receives(contract: &Contract, node: &GraphNode) -> bool {
    let says_so = |node: &GraphNode| !node.step_config.event_pattern.is_empty();
    says_so(node) || (!contract.steps().iter().any(says_so) && node.depends_on.is_empty())
}

fn draw_publication(contract: &Contract, node: &GraphNode, from: usize, picture: &mut Picture) {
    let Some(event_type) = &node.step_config.event_type else { return };
    let declared = contract.published_events.iter().filter(|event| event.event_type.as_ref() == Some(event_type));
    for topic in declared.filter_map(|event| event.topic.as_deref()) {
        let to = picture.topic(&Topic::canonical(topic));
        picture.link(from, to, "", false);
    }
}

/// What a step is bound to, in a few words.
pub(super) fn binding(node: &GraphNode) -> String {
    let config = &node.step_config;
    if let Some(event_type) = &config.event_type {
        return format!("publishes {event_type}");
    }
    if let Some(workflow) = &config.workflow {
        return format!("runs {workflow}");
    }
    if let Some(intent) = &config.intent {
        return format!("makes {intent}");
    }
    match (&config.effect_node, &config.intent_filter) {
        (Some(effect), Some(filter)) => return format!("{filter} by {effect}"),
        (None, Some(filter)) => return format!("{filter} as routed"),
        (Some(effect), None) => return format!("by {effect}"),
        (None, None) => {}
    }
    if !config.event_pattern.is_empty() {
        return format!("receives {}", config.event_pattern.join(", "));
    }
    let named = [&config.reducer_protocol, &config.aggregation_strategy, &config.compute_node];
    named.into_iter().flatten().next().cloned().unwrap_or_default()
}

fn draw_states(machine: &StateMachine, picture: &mut Picture) {
    for state in &machine.states {
        let name = state.state_name.as_str();
        let is_terminal = state.is_terminal || machine.terminal_states.iter().any(|terminal| terminal == name);
        let shape = if is_terminal { Shape::Terminal } else { Shape::State };
        let marks = [
            (machine.initial_state == name, "initial"),
            (is_terminal, "terminal"),
            (machine.error_states.iter().any(|error| error == name), "error"),
        ];
        let detail: Vec<_> = marks.iter().filter(|(holds, _)| *holds).map(|(_, word)| *word).collect();
        picture.item(name.to_owned(), name, &detail.join(", "), shape);
    }
    for transition in &machine.transitions {
        let (from, to) = (state(&transition.from_state, picture), state(&transition.to_state, picture));
        let guards: Vec<_> = transition.conditions.iter().filter(|guard| guard.required).collect();
        let guard: Vec<_> = guards.iter().map(|guard| guard.expression.as_str()).collect();
        let when = if guard.is_empty() { String::new() } else { format!(" [{}]", guard.join(" and ")) };
        picture.link(from, to, &format!("{}{when}", transition.trigger), false);
    }
}

fn state(name: &str, picture: &mut Picture) -> usize {
    let (label, detail, shape) =
        if name == "*" { ("any state", "", Shape::State) } else { (name, "no such state", Shape::Missing) };
    picture.item(name.to_owned(), label, detail, shape)
}
