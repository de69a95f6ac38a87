//! Decides what a contract says to those it exchanges events with: topics and event types, whichever of the several
//! forms they are written in, placeholders of environment and namespace aside.

use onex_topic::Topic;

use super::facts::{Fact, Facts};
use super::table::Subject;
use crate::model::{Contract, EventDeclaration};
use crate::path::KeyPath;
use crate::topics::{Direction, NamedTopic};

pub(super) fn tell(contract: &Contract, facts: &mut Facts) {
    for topic in contract.topics() {
        tell_topic(&topic, facts);
    }
    tell_bare_types("consumed_events", &contract.consumed_events, Direction::Consumes, facts);
    tell_bare_types("published_events", &contract.published_events, Direction::Publishes, facts);
    tell_descriptions(contract, facts);
    tell_starts(contract, facts);
    tell_terminal_event(contract, facts);
    let Some(bus) = &contract.event_bus else { return };
    let kept = [
        ("subscribe_topic_metadata", &bus.subscribe_topic_metadata),
        ("publish_topic_metadata", &bus.publish_topic_metadata),
    ];
    for (key, value) in kept {
        let path = KeyPath::of(&["event_bus", key]);
        value.iter().for_each(|value| super::head::tell_leaves(value, &path, Subject::ForPeople, facts));
    }
}

fn words(direction: Direction) -> (&'static str, Subject, Subject) {
    match direction {
        Direction::Consumes => ("consumes", Subject::ConsumedTopic, Subject::ConsumedType),
        Direction::Publishes => ("publishes", Subject::PublishedTopic, Subject::PublishedType),
    }
}

fn tell_topic(topic: &NamedTopic<'_>, facts: &mut Facts) {
    let (word, subject, type_subject) = words(topic.direction);
    let name = Topic::canonical(topic.text);
    let fact = Fact::new(subject, &name, topic.path.clone()).saying(&name).tied(topic.event_type);
    facts.tell(&[word, &name], fact);
    if let Some(event_type) = topic.event_type {
        let path = topic.path.parent().unwrap_or_default().key("event_type");
        facts.tell(&[word, &name, "type", event_type], Fact::new(type_subject, event_type, path));
    }
}

/// Events that are declared by their type alone.
fn tell_bare_types(key: &str, events: &[EventDeclaration], direction: Direction, facts: &mut Facts) {
    let (word, _, subject) = words(direction);
    for (index, event) in events.iter().enumerate().filter(|(_, event)| event.topic.is_none()) {
        if let Some(event_type) = &event.event_type {
            let path = KeyPath::of(&[key]).index(index).key("event_type");
            facts.tell(&[word, "", event_type], Fact::new(subject, event_type, path));
        }
    }
}

fn tell_descriptions(contract: &Contract, facts: &mut Facts) {
    let lists = [
        ("consumed_events", "consumes", &contract.consumed_events),
        ("published_events", "publishes", &contract.published_events),
    ];
    for (key, word, events) in lists {
        for (index, event) in events.iter().enumerate() {
            if let (Some(topic), Some(description)) = (&event.topic, &event.description) {
                let (topic, path) = (Topic::canonical(topic), KeyPath::of(&[key]).index(index).key("description"));
                let fact = Fact::new(Subject::ForPeople, format!("description of {topic}"), path).saying(description);
                facts.tell(&[word, &topic, "description"], fact);
            }
        }
    }
}

/// Which of the consumed events start runs.
fn tell_starts(contract: &Contract, facts: &mut Facts) {
    if contract.workflow_coordination.is_none() {
        return;
    }
    for (index, event) in contract.placed_starting_events() {
        let Some(topic) = event.topic.as_deref().map(Topic::canonical) else { continue };
        let path = KeyPath::of(&["consumed_events"]).index(index);
        facts.tell(&["consumes", &topic, "starts"], Fact::new(Subject::Starts, &topic, path));
    }
}

fn tell_terminal_event(contract: &Contract, facts: &mut Facts) {
    let on_bus = contract.event_bus.as_ref().and_then(|bus| bus.terminal_event.as_ref());
    let places = [
        (on_bus, KeyPath::of(&["event_bus", "terminal_event"])),
        (contract.terminal_event.as_ref(), KeyPath::of(&["terminal_event"])),
    ];
    for (topic, path) in places {
        if let Some(topic) = topic {
            let fact = Fact::new(Subject::TerminalEvent, "terminal_event", path).saying(Topic::canonical(topic));
            facts.tell(&["terminal_event"], fact);
        }
    }
}
