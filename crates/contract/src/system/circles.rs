//! ONEX0086: nodes publish to each other in a circle.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use super::topics::used;
use super::{FileFacts, in_file};
use crate::diagnostic::Diagnostic;
use crate::path::KeyPath;
use crate::rules::Rule;
use crate::topics::Direction;

pub(super) const CYCLE: Rule = Rule::elsewhere(
    "ONEX0086",
    "nodes publish to each other in a circle",
    "make sure that one of them stops at some point",
)
.note();

/// Which nodes consume what a node publishes.
type Next<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// Circles of nodes, each publishing what the next consumes; each circle is told once.
pub(super) fn cycles(contracts: &[FileFacts<'_>]) -> Vec<Diagnostic> {
    let next = next(contracts);
    let mut told = BTreeSet::new();
    let mut diagnostics = Vec::new();
    for system in contracts.iter().filter(|system| next.contains_key(system.facts.name.as_str())) {
        let Some(way) = way_back(&next, &system.facts.name) else { continue };
        if told.insert(way.iter().copied().collect::<BTreeSet<_>>()) {
            let message = format!("events go in a circle: {}", way.join(" -> "));
            diagnostics.push(in_file(system.file, CYCLE.finding(KeyPath::of(&["name"]), message)));
        }
    }
    diagnostics
}

/// The nodes that may be in a circle: those that nothing leads to, or that lead nowhere, are left out.
fn next<'a>(contracts: &'a [FileFacts<'a>]) -> Next<'a> {
    let mut consumers: HashMap<&str, Vec<&str>> = HashMap::new();
    for (system, topic) in used(contracts, Direction::Consumes) {
        consumers.entry(&topic.topic).or_default().push(&system.facts.name);
    }
    let mut next: Next<'_> = BTreeMap::new();
    for (system, topic) in used(contracts, Direction::Publishes) {
        let name = system.facts.name.as_str();
        let consumers = consumers.get(topic.topic.as_str()).into_iter().flatten();
        for consumer in consumers.filter(|consumer| **consumer != name) {
            next.entry(name).or_default().insert(consumer);
        }
    }
    while leave_out_ends(&mut next) {}
    next
}

/// Leaves out nodes that lead to no other, or that no other leads to; whether there were any.
fn leave_out_ends(next: &mut Next<'_>) -> bool {
    let before = next.len();
    let reached: HashSet<&str> = next.values().flatten().copied().collect();
    next.retain(|name, _| reached.contains(name));
    let leading: HashSet<&str> = next.keys().copied().collect();
    next.values_mut().for_each(|following| following.retain(|name| leading.contains(name)));
    next.retain(|_, following| !following.is_empty());
    next.len() < before
}

/// The shortest way from a node back to itself.
fn way_back<'a>(next: &Next<'a>, start: &'a str) -> Option<Vec<&'a str>> {
    let mut before: BTreeMap<&str, &str> = BTreeMap::new();
    let mut ahead = VecDeque::from([start]);
    while let Some(here) = ahead.pop_front() {
        for following in next.get(here).into_iter().flatten() {
            if *following == start {
                return Some(way(&before, start, here));
            }
            if !before.contains_key(following) {
                before.insert(following, here);
                ahead.push_back(following);
            }
        }
    }
    None
}

/// From `start` over what came before `last`, and back.
fn way<'a>(before: &BTreeMap<&'a str, &'a str>, start: &'a str, last: &'a str) -> Vec<&'a str> {
    let mut way = vec![start];
    let mut here = last;
    while here != start {
        way.push(here);
        here = before.get(here).copied().unwrap_or(start);
    }
    way.push(start);
    way.reverse();
    way
}
