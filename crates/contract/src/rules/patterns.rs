//! ONEX0054: an `event_pattern` fits none of the consumed events, so the step receives nothing and no run starts by it.
//! ONEX0055: a pattern or filter is no glob, so it fits nothing at all.

use globset::Glob;

use super::{Finding, Rule, place};
use crate::model::Contract;
use crate::path::KeyPath;
use crate::receive::{fits, matcher};

pub(super) const UNANSWERED: Rule = Rule::of_contract(
    "ONEX0054",
    "an event pattern fits no consumed event",
    "correct the pattern, or list the event under `consumed_events`",
    unanswered_patterns,
)
.warning();

pub(super) const NO_PATTERN: Rule = Rule::of_contract(
    "ONEX0055",
    "a pattern is no glob",
    "write a glob: `*` for any text, `?` for one letter, `[ab]` for one of several, `{a,b}` for one of several texts",
    no_patterns,
);

/// Every `event_pattern`, with its place.
fn event_patterns(contract: &Contract) -> impl Iterator<Item = (KeyPath, &str)> {
    contract.steps().iter().enumerate().flat_map(|(index, node)| {
        let patterns = &node.step_config.event_pattern;
        let path = place::step_config(index).key("event_pattern");
        let placed = move |position: usize| if patterns.len() == 1 { path.clone() } else { path.index(position) };
        patterns.iter().enumerate().map(move |(position, pattern)| (placed(position), pattern.as_str()))
    })
}

fn unanswered_patterns(contract: &Contract) -> Vec<Finding> {
    if contract.consumed_events.is_empty() {
        return Vec::new();
    }
    let fits_none = |pattern: &str| {
        let matcher = matcher(pattern);
        matcher.is_some() && !contract.consumed_events.iter().any(|event| fits(std::slice::from_ref(&matcher), event))
    };
    let unanswered = event_patterns(contract).filter(|(_, pattern)| fits_none(pattern));
    unanswered
        .map(|(path, pattern)| {
            let finding = UNANSWERED.finding(path, format!("no consumed event fits the pattern `{pattern}`"));
            Finding::at_value(match nearest_type(contract, pattern) {
                Some(nearest) => finding.with_help(format!("did you mean `{nearest}`?")),
                None => finding,
            })
        })
        .collect()
}

fn nearest_type<'c>(contract: &'c Contract, pattern: &str) -> Option<&'c str> {
    crate::near::nearest(pattern, contract.consumed_events.iter().filter_map(|event| event.event_type.as_deref()))
}

fn no_patterns(contract: &Contract) -> Vec<Finding> {
    let filters = contract.steps().iter().enumerate().filter_map(|(index, node)| {
        Some((place::step_config(index).key("intent_filter"), node.step_config.intent_filter.as_deref()?))
    });
    let wrong = event_patterns(contract).chain(filters).filter_map(|(path, pattern)| {
        let error = Glob::new(pattern).err()?;
        Some(Finding::at_value(NO_PATTERN.finding(path, format!("`{pattern}` is no glob: {}", error.kind()))))
    });
    wrong.collect()
}
