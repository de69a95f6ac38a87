//! Decides how differences look to people: the gravest first, each with its place and what stood there.

use onex_contract::{Change, ChangeClass, Reading};

use super::Pair;
use super::count;

/// Longest value that is shown whole.
const LONGEST: usize = 100;

pub(super) fn report(pairs: &[Pair<'_>]) -> String {
    let mut lines: Vec<String> = pairs.iter().flat_map(section).collect();
    let total = |class| pairs.iter().map(|pair| count(pair, class)).sum::<usize>();
    let [breaking, drain, safe] = [ChangeClass::Breaking, ChangeClass::NeedsDrain, ChangeClass::Safe].map(total);
    let contracts = if pairs.len() == 1 { "1 contract".to_owned() } else { format!("{} contracts", pairs.len()) };
    lines.push(format!("{contracts}: {breaking} breaking, {drain} needs drain, {safe} safe"));
    lines.join("\n")
}

fn section(pair: &Pair<'_>) -> Vec<String> {
    let mut lines = vec![format!("{} {}", pair.name, versions(pair))];
    match (pair.changes.is_empty(), pair.has_same_fingerprint()) {
        (true, true) => lines.push("  no difference; the fingerprints are equal".to_owned()),
        (true, false) => lines.push(
            "  no difference in meaning; the texts differ in spelling, or in keys that nothing here acts on".to_owned(),
        ),
        _ => lines.extend(pair.changes.iter().flat_map(shown)),
    }
    lines.push(String::new());
    lines
}

fn versions(pair: &Pair<'_>) -> String {
    let version = |reading: Option<&Reading>| {
        let contract = reading.and_then(|reading| reading.contract.as_ref());
        contract.map_or_else(|| "none".to_owned(), |contract| contract.contract_version.to_string())
    };
    format!("{} -> {}", version(pair.old), version(pair.new))
}

fn shown(change: &Change) -> Vec<String> {
    let path = change.path.to_string();
    let place = if path.is_empty() { "the whole contract" } else { &path };
    let mut lines = vec![format!("  {:<11}  {}", change.class, change.what), format!("{:15}at {place}", "")];
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => lines.push(format!("{:15}{} -> {}", "", short(before), short(after))),
        (Some(before), None) => lines.push(format!("{:15}was {}", "", short(before))),
        (None, Some(after)) => lines.push(format!("{:15}is {}", "", short(after))),
        (None, None) => {}
    }
    lines
}

/// A value on one line, its end left out when it is long.
fn short(value: &str) -> String {
    let line = value.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST {
        return line;
    }
    line.chars().take(LONGEST).chain(['…']).collect()
}
