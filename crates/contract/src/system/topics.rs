//! ONEX0083: two orchestrators run on one topic. ONEX0084: a consumed topic that nobody publishes, where another
//! one is so near that one of the two is a slip. ONEX0085: a topic carries two event types.
//!
//! A topic that only one side of the set knows is no finding: most of a real system is elsewhere.

use std::collections::{HashMap, HashSet};

use super::neighbours::Neighbours;
use super::{FileFacts, SystemTopic, in_file};
use crate::diagnostic::Diagnostic;
use crate::rules::Rule;
use crate::topics::Direction;

pub(super) const TWO_OWNERS: Rule = Rule::elsewhere(
    "ONEX0083",
    "a topic has two owners",
    "let one orchestrator consume the topic, and publish from it what others need",
);
pub(super) const NEAR_MISS: Rule = Rule::elsewhere(
    "ONEX0084",
    "a consumed topic is published by nobody, and one like it is",
    "write the same topic on both sides",
)
.warning();
pub(super) const TWO_MODELS: Rule =
    Rule::elsewhere("ONEX0085", "a topic carries two event types", "declare the same `event_type` on both sides");

/// Every topic that a contract uses in one direction, with the contract.
pub(super) fn used<'c>(
    contracts: &'c [FileFacts<'c>],
    direction: Direction,
) -> impl Iterator<Item = (FileFacts<'c>, &'c SystemTopic)> {
    let all = contracts.iter().flat_map(|system| system.facts.topics.iter().map(move |topic| (*system, topic)));
    all.filter(move |(_, topic)| topic.direction == direction)
}

/// Topics that two orchestrators run on.
pub(super) fn two_owners(contracts: &[FileFacts<'_>]) -> Vec<Diagnostic> {
    let mut owners: HashMap<&str, &str> = HashMap::new();
    let mut diagnostics = Vec::new();
    for system in contracts {
        for (topic, path) in &system.facts.starts {
            let owner = *owners.entry(topic).or_insert(&system.facts.name);
            if owner != system.facts.name {
                let message = format!("topic `{topic}` already belongs to `{owner}`");
                diagnostics.push(in_file(system.file, TWO_OWNERS.finding(path.clone(), message)));
            }
        }
    }
    diagnostics
}

/// Consumed topics that nobody publishes, while somebody publishes one that differs only in version or by a letter.
pub(super) fn near_misses(contracts: &[FileFacts<'_>]) -> Vec<Diagnostic> {
    let publishers: HashMap<&str, &str> = used(contracts, Direction::Publishes)
        .map(|(system, topic)| (topic.topic.as_str(), system.facts.name.as_str()))
        .collect();
    let consumed: HashSet<&str> = used(contracts, Direction::Consumes).map(|(_, topic)| topic.topic.as_str()).collect();
    let mut unheard: Vec<&str> = publishers.keys().copied().filter(|topic| !consumed.contains(topic)).collect();
    unheard.sort_unstable();
    let unheard = Unheard::new(unheard.into_iter());
    let mut seen = HashSet::new();
    let missing = used(contracts, Direction::Consumes).filter(|(system, topic)| {
        !publishers.contains_key(topic.topic.as_str()) && seen.insert((system.file, topic.topic.as_str()))
    });
    let findings = missing.filter_map(|(system, topic)| {
        let near = unheard.near(&topic.topic)?;
        let by = publishers.get(near)?;
        let message = format!("nobody publishes `{}`; `{by}` publishes `{near}`, which nobody consumes", topic.topic);
        let finding = NEAR_MISS.finding(topic.path.clone(), message).with_help(format!("did you mean `{near}`?"));
        Some(in_file(system.file, finding))
    });
    findings.collect()
}

/// Topics that somebody publishes and nobody consumes.
struct Unheard<'t> {
    by_name: HashMap<&'t str, &'t str>,
    neighbours: Neighbours<'t>,
}

impl<'t> Unheard<'t> {
    fn new(topics: impl Iterator<Item = &'t str> + Clone) -> Self {
        let mut by_name = HashMap::new();
        for (name, topic) in topics.clone().filter_map(|topic| Some((without_version(topic)?, topic))) {
            by_name.entry(name).or_insert(topic);
        }
        Self { by_name, neighbours: Neighbours::new(topics) }
    }

    /// The same but for the version, or one or two letters apart.
    fn near(&self, topic: &str) -> Option<&'t str> {
        let named = without_version(topic).and_then(|name| self.by_name.get(name).copied());
        named.into_iter().chain(self.neighbours.nearest(topic)).min()
    }
}

fn without_version(topic: &str) -> Option<&str> {
    topic.rsplit_once(".v").map(|(name, _)| name)
}

/// Topics for which two contracts declare different event types.
pub(super) fn two_models(contracts: &[FileFacts<'_>]) -> Vec<Diagnostic> {
    let mut first: HashMap<&str, (&str, &str)> = HashMap::new();
    let mut diagnostics = Vec::new();
    for system in contracts {
        for topic in &system.facts.topics {
            let (text, Some(event_type)) = (&topic.topic, &topic.event_type) else { continue };
            let (declared, by) = *first.entry(text).or_insert((event_type, &system.facts.name));
            if without_prefix(declared) != without_prefix(event_type) && by != system.facts.name {
                let message = format!("`{text}` carries `{declared}` in `{by}`, and `{event_type}` here");
                diagnostics.push(in_file(system.file, TWO_MODELS.finding(topic.path.clone(), message)));
            }
        }
    }
    diagnostics
}

/// Upstream writes the model's class where others write the event's name.
fn without_prefix(event_type: &str) -> &str {
    event_type.strip_prefix("Model").unwrap_or(event_type)
}
