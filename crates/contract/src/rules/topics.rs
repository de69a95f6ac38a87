//! ONEX0052: a topic that does not follow the grammar `onex.{kind}.{producer}.{event}.v{n}`.
//! ONEX0053: a topic in a legacy form that is still read: a prefix, no producer, an underscore.

use onex_topic::{LegacyForm, ParsedTopic, Topic};

use super::{Finding, Rule};
use crate::diagnostic::Diagnostic;
use crate::model::Contract;
use crate::topics::NamedTopic;

pub(super) const NO_TOPIC: Rule = Rule::of_contract(
    "ONEX0052",
    "a topic does not follow the grammar",
    "write `onex.{cmd|evt|intent|dlq|snapshot}.{producer}.{event}.v{n}`",
    no_topics,
)
.warning();

pub(super) const LEGACY_TOPIC: Rule = Rule::of_contract(
    "ONEX0053",
    "a topic is written in a legacy form",
    "write the form that the message shows",
    legacy_topics,
)
.warning();

fn no_topics(contract: &Contract) -> Vec<Finding> {
    let unparsed = contract.topics().into_iter().filter_map(|named| {
        let error = Topic::parse(named.text).err()?;
        Some(Finding::at_value(NO_TOPIC.finding(named.path, format!("`{}` is no topic: {error}", named.text))))
    });
    unparsed.collect()
}

fn legacy_topics(contract: &Contract) -> Vec<Finding> {
    let parsed = contract.topics().into_iter().filter_map(|named| Some((Topic::parse(named.text).ok()?, named)));
    parsed
        .filter(|(parsed, _)| !parsed.legacy.is_empty())
        .map(|(parsed, named)| Finding::at_value(legacy(&parsed, &named)))
        .collect()
}

fn legacy(parsed: &ParsedTopic, named: &NamedTopic<'_>) -> Diagnostic {
    let forms: Vec<_> = parsed.legacy.iter().map(described).collect();
    let message = format!("`{}` {}; it is read as `{}`", named.text, forms.join(" and "), parsed.topic);
    let diagnostic = LEGACY_TOPIC.finding(named.path.clone(), message);
    // Leaving a prefix out changes nothing here; another word would be another topic for everybody else.
    match parsed.legacy.contains(&LegacyForm::Prefixed) {
        true => diagnostic.with_fix(format!("\"{}\"", parsed.topic)),
        false => diagnostic,
    }
}

fn described(form: &LegacyForm) -> &'static str {
    match form {
        LegacyForm::Prefixed => "has a prefix",
        LegacyForm::WithoutProducer => "names no producer",
        LegacyForm::Underscore => "has an underscore where a hyphen belongs",
    }
}
