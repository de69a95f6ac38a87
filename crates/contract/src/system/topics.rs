//! ONEX0083: two orchestrators run on one topic. ONEX0084: a consumed topic that nobody publishes, where another
//! one is so near that one of the two is a slip. ONEX0085: a topic carries two event types. ONEX0086: nodes
//! publish to each other in a circle.
//!
//! A topic that only one side of the set knows is no finding: most of a real system is elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use onex_topic::Topic;

use super::{SystemContract, in_file};
use crate::diagnostic::Diagnostic;
use crate::path::KeyPath;
use crate::rules::Rule;
use crate::topics::{Direction, NamedTopic};

pub(super) const TWO_OWNERS: Rule = Rule::of_system(
    "ONEX0083",
    "a topic has two owners",
    "let one orchestrator consume the topic, and publish from it what others need",
);
pub(super) const NEAR_MISS: Rule = Rule::of_system(
    "ONEX0084",
    "a consumed topic is published by nobody, and one like it is",
    "write the same topic on both sides",
)
.warning();
pub(super) const TWO_MODELS: Rule =
    Rule::of_system("ONEX0085", "a topic carries two event types", "declare the same `event_type` on both sides");
pub(super) const CYCLE: Rule = Rule::of_system(
    "ONEX0086",
    "nodes publish to each other in a circle",
    "make sure that one of them stops at some point",
)
.note();

/// A topic as one contract names it.
struct Mention<'a> {
    file: &'a str,
    name: &'a str,
    /// The canonical text; the text itself where it is no topic.
    topic: String,
    named: NamedTopic<'a>,
}

fn mentions<'a>(contracts: &[SystemContract<'a>]) -> Vec<Mention<'a>> {
    let all =
        contracts.iter().flat_map(|system| system.contract.topics().into_iter().map(move |named| (system, named)));
    all.map(|(system, named)| Mention {
        file: system.file,
        name: &system.contract.name,
        topic: Topic::parse(named.text).map_or_else(|_| named.text.to_owned(), |parsed| parsed.topic.to_string()),
        named,
    })
    .collect()
}

/// Topics that two orchestrators run on.
pub(super) fn two_owners(contracts: &[SystemContract<'_>]) -> Vec<Diagnostic> {
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    let mut diagnostics = Vec::new();
    for system in contracts.iter().filter(|system| system.contract.workflow_coordination.is_some()) {
        for event in system.contract.starting_events() {
            let Some(topic) = event.topic.as_deref() else { continue };
            let owner = *owners.entry(topic).or_insert(&system.contract.name);
            if owner != system.contract.name {
                let index = system.contract.consumed_events.iter().position(|consumed| consumed == event).unwrap_or(0);
                let path = KeyPath::of(&["consumed_events"]).index(index).key("topic");
                let message = format!("topic `{topic}` already belongs to `{owner}`");
                diagnostics.push(in_file(system.file, TWO_OWNERS.finding(path, message)));
            }
        }
    }
    diagnostics
}

/// Consumed topics that nobody publishes, while somebody publishes one that differs only in version or by a letter.
pub(super) fn near_misses(contracts: &[SystemContract<'_>]) -> Vec<Diagnostic> {
    let mentions = mentions(contracts);
    let published: BTreeMap<&str, &str> = mentions
        .iter()
        .filter(|mention| mention.named.direction == Direction::Publishes)
        .map(|mention| (mention.topic.as_str(), mention.name))
        .collect();
    let consumed: BTreeSet<&str> = mentions
        .iter()
        .filter(|mention| mention.named.direction == Direction::Consumes)
        .map(|mention| mention.topic.as_str())
        .collect();
    let mut seen = BTreeSet::new();
    let missing = mentions.iter().filter(|mention| {
        mention.named.direction == Direction::Consumes
            && !published.contains_key(mention.topic.as_str())
            && seen.insert((mention.file, mention.topic.as_str()))
    });
    missing
        .filter_map(|mention| {
            let candidates = published.iter().filter(|(topic, _)| !consumed.contains(*topic));
            let (near, by) = candidates.into_iter().find(|(topic, _)| is_near(topic, &mention.topic))?;
            let message =
                format!("nobody publishes `{}`; `{by}` publishes `{near}`, which nobody consumes", mention.topic);
            let finding =
                NEAR_MISS.finding(mention.named.path.clone(), message).with_help(format!("did you mean `{near}`?"));
            Some(in_file(mention.file, finding))
        })
        .collect()
}

/// The same but for the version, or one or two letters apart.
fn is_near(left: &str, right: &str) -> bool {
    let without_version = |topic: &str| topic.rsplit_once(".v").map(|(name, _)| name.to_owned());
    let same_name = without_version(left).is_some_and(|name| Some(name) == without_version(right));
    same_name || strsim::damerau_levenshtein(left, right) <= 2
}

/// Topics for which two contracts declare different event types.
pub(super) fn two_models(contracts: &[SystemContract<'_>]) -> Vec<Diagnostic> {
    let mentions = mentions(contracts);
    let mut first: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    let mut diagnostics = Vec::new();
    for mention in &mentions {
        let Some(event_type) = mention.named.event_type else { continue };
        let (declared, by) = *first.entry(&mention.topic).or_insert((event_type, mention.name));
        if without_prefix(declared) != without_prefix(event_type) && by != mention.name {
            let message = format!("`{}` carries `{declared}` in `{by}`, and `{event_type}` here", mention.topic);
            diagnostics.push(in_file(mention.file, TWO_MODELS.finding(mention.named.path.clone(), message)));
        }
    }
    diagnostics
}

/// Upstream writes the model's class where others write the event's name.
fn without_prefix(event_type: &str) -> &str {
    event_type.strip_prefix("Model").unwrap_or(event_type)
}

/// Circles of nodes, each publishing what the next consumes; each circle is told once.
pub(super) fn cycles(contracts: &[SystemContract<'_>]) -> Vec<Diagnostic> {
    let mentions = mentions(contracts);
    let mut consumers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for mention in mentions.iter().filter(|mention| mention.named.direction == Direction::Consumes) {
        consumers.entry(&mention.topic).or_default().insert(mention.name);
    }
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for mention in mentions.iter().filter(|mention| mention.named.direction == Direction::Publishes) {
        let reached = consumers.get(mention.topic.as_str()).into_iter().flatten().copied();
        next.entry(mention.name).or_default().extend(reached.filter(|name| *name != mention.name));
    }
    let mut told = BTreeSet::new();
    let mut diagnostics = Vec::new();
    for system in contracts {
        let Some(way) = way_back(&next, &system.contract.name) else { continue };
        if told.insert(way.iter().copied().collect::<BTreeSet<_>>()) {
            let message = format!("events go in a circle: {}", way.join(" -> "));
            diagnostics.push(in_file(system.file, CYCLE.finding(KeyPath::of(&["name"]), message)));
        }
    }
    diagnostics
}

/// The shortest way from a node back to itself.
fn way_back<'a>(next: &BTreeMap<&'a str, BTreeSet<&'a str>>, start: &'a str) -> Option<Vec<&'a str>> {
    let mut ways = std::collections::VecDeque::from([vec![start]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for following in next.get(way.last()?).into_iter().flatten() {
            let mut longer = way.clone();
            longer.push(following);
            if *following == start {
                return Some(longer);
            }
            if seen.insert(*following) {
                ways.push_back(longer);
            }
        }
    }
    None
}
