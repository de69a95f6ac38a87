//! Decides how a plan looks to people: from the whole to the steps, each rule with where it comes from.

use serde_json::Value;

use super::report::{Report, Rule, Step};

/// Letters in a line of prose.
const WIDTH: usize = 96;

pub(super) fn text(report: &Report) -> String {
    let fingerprint: String = report.fingerprint.chars().take(12).collect();
    let mut lines = vec![format!("{} {}  fingerprint {fingerprint}", report.name, report.version)];
    lines.extend(topics(report));
    lines.push("\nrules of a run".to_owned());
    lines.extend(rules(&report.rules, "  "));
    for (number, wave) in report.waves.iter().enumerate() {
        lines.push(format!("\nwave {}", number + 1));
        lines.extend(wave.iter().flat_map(step));
    }
    lines.extend(worst_case(report));
    lines.extend(journaled(report));
    lines.extend(undo(report));
    lines.join("\n")
}

fn topics(report: &Report) -> Vec<String> {
    let mut lines = vec!["\ntopics".to_owned()];
    let width = report.topics.iter().map(|topic| topic.topic.len()).max().unwrap_or(0);
    for topic in &report.topics {
        let event_type = topic.event_type.as_deref().unwrap_or("-");
        lines.push(format!("  {:<3}  {:<width$}  {event_type}, {}", topic.direction, topic.topic, topic.role));
    }
    lines
}

fn rules(rules: &[Rule], indent: &str) -> Vec<String> {
    let width = rules.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
    let line = |rule: &Rule| format!("{indent}{:<width$}  {} ({})", rule.name, shown(&rule.value), rule.origin);
    rules.iter().map(line).collect()
}

/// Text bare, lists by comma, nothing as `none`.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn step(step: &Step) -> Vec<String> {
    let mut lines = vec![format!("  {}", step.id)];
    lines.push(format!("    does        {}", step.does));
    if !step.after.is_empty() {
        lines.push(format!("    after       {}", step.after.join(", ")));
    }
    for intent in &step.intents {
        let undo = if intent.can_undo { "can be undone" } else { "cannot be undone" };
        lines.push(format!("    intent      {} by {}, {undo}", intent.kind, intent.effect));
    }
    if step.attempts_per_intent > 0 {
        let worst = span(step.worst_case_ms);
        lines.push(format!("    worst case  {} attempts, {worst} for each intent", step.attempts_per_intent));
    }
    lines.push(format!("    guarantee   {}:", step.guarantee));
    lines.extend(wrapped(step.why).into_iter().map(|line| format!("                {line}")));
    lines.push(format!("    on failure  {}", step.on_failure));
    lines.extend(rules(&step.rules, "    rule        "));
    lines
}

fn worst_case(report: &Report) -> Vec<String> {
    let worst = &report.worst_case;
    let mut lines = vec!["\nworst case".to_owned()];
    if worst.path.is_empty() {
        lines.push("  no step waits for anything".to_owned());
        return lines;
    }
    lines.push(format!("  {} with one intent for each step: {}", span(worst.duration_ms), worst.path.join(" -> ")));
    lines.push(match worst.deadline_ms {
        None => "  the run has no deadline".to_owned(),
        Some(deadline) if worst.fits => format!("  fits into the run's {}", span(deadline)),
        Some(deadline) => format!(
            "  does not fit into the run's {}: effects that are not made by then fail (ONEX3022)",
            span(deadline)
        ),
    });
    lines
}

fn journaled(report: &Report) -> Vec<String> {
    let mut lines = vec!["\njournaled".to_owned()];
    let width = report.journaled.iter().map(|record| record.kind.len()).max().unwrap_or(0);
    lines.extend(report.journaled.iter().map(|record| format!("  {:<width$}  {}", record.kind, record.when)));
    lines.push("  all else is computed again on a recovery".to_owned());
    lines
}

fn undo(report: &Report) -> Vec<String> {
    let undo = &report.undo;
    let mut lines = vec![format!("\nundone when a run fails or is cancelled (rollback_enabled from {})", undo.origin)];
    if !undo.is_enabled {
        lines.push("  nothing".to_owned());
        return lines;
    }
    let steps = undo.order.iter().enumerate();
    lines.extend(steps.map(|(number, step)| format!("  {}. {}: {}", number + 1, step.step, step.kinds.join(", "))));
    if undo.order.is_empty() {
        lines.push("  nothing that its effects do can be undone".to_owned());
    }
    if !undo.stays.is_empty() {
        lines.push(format!("  stays: {}", undo.stays.join(", ")));
    }
    lines
}

/// The text in lines of a readable length.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut().filter(|line| line.len() + word.len() < WIDTH) {
            Some(line) => line.extend([" ", word]),
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

/// `250 ms`, `2.5 s`, `3 min 20 s`.
fn span(milliseconds: u64) -> String {
    let tenths = milliseconds / 100;
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..120_000 if tenths.is_multiple_of(10) => format!("{} s", tenths / 10),
        1_000..120_000 => format!("{}.{} s", tenths / 10, tenths % 10),
        _ => format!("{} min {} s", milliseconds / 60_000, milliseconds % 60_000 / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn spans_read_well() {
        for (milliseconds, expected) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_000, "1 s"),
            (41_625, "41.6 s"),
            (120_000, "2 min 0 s"),
            (200_500, "3 min 20 s"),
        ] {
            assert_eq!(span(milliseconds), expected);
        }
    }
}
