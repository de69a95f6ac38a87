//! Every topic a contract names, with its place, whichever of the several forms it is written in.

use serde::{Deserialize, Serialize};

use crate::model::{Contract, EventDeclaration, TopicEntry};
use crate::path::KeyPath;

/// Which way messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// The node takes messages from the topic.
    Consumes,
    /// The node puts messages on it.
    Publishes,
}

/// A topic a contract names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedTopic<'c> {
    /// As it is written.
    pub text: &'c str,
    /// The event's type, where one is declared for it.
    pub event_type: Option<&'c str>,
    /// Which way.
    pub direction: Direction,
    /// Where.
    pub path: KeyPath,
}

impl Contract {
    /// Every topic the contract consumes or publishes to; one that is named twice is here twice.
    pub fn topics(&self) -> Vec<NamedTopic<'_>> {
        use Direction::{Consumes, Publishes};
        let mut topics = declared(&self.consumed_events, "consumed_events", Consumes);
        topics.extend(declared(&self.published_events, "published_events", Publishes));
        topics.extend(listed(&self.subscribe_topics, KeyPath::of(&["subscribe_topics"]), Consumes));
        topics.extend(listed(&self.publish_topics, KeyPath::of(&["publish_topics"]), Publishes));
        if let Some(bus) = &self.event_bus {
            let place = |key| KeyPath::of(&["event_bus", key]);
            topics.extend(listed(&bus.subscribe_topics, place("subscribe_topics"), Consumes));
            topics.extend(listed(&bus.publish_topics, place("publish_topics"), Publishes));
            topics.extend(listed(&bus.dlq_topics, place("dlq_topics"), Publishes));
            let subscribed = bus.subscribe.iter().flat_map(|block| &block.0);
            topics.extend(subscribed.map(|entry| named(entry, place("subscribe"), Consumes)));
            let published = bus.publish.iter().flat_map(|block| &block.0);
            topics.extend(published.map(|entry| named(entry, place("publish"), Publishes)));
        }
        topics
    }
}

fn declared<'c>(events: &'c [EventDeclaration], key: &str, direction: Direction) -> Vec<NamedTopic<'c>> {
    let with_topic =
        events.iter().enumerate().filter_map(|(index, event)| Some((index, event, event.topic.as_deref()?)));
    with_topic
        .map(|(index, event, text)| NamedTopic {
            text,
            event_type: event.event_type.as_deref(),
            direction,
            path: KeyPath::of(&[key]).index(index).key("topic"),
        })
        .collect()
}

fn listed(entries: &[TopicEntry], path: KeyPath, direction: Direction) -> Vec<NamedTopic<'_>> {
    entries.iter().enumerate().map(|(index, entry)| named(entry, path.index(index), direction)).collect()
}

fn named(entry: &TopicEntry, path: KeyPath, direction: Direction) -> NamedTopic<'_> {
    NamedTopic { text: &entry.0, event_type: None, direction, path }
}
