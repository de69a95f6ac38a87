//! Decides which consumed events start runs of an orchestrator: those that its receiving steps' patterns fit.
//!
//! A pattern is a glob over the event's type, such as `NodeIntrospectionEvent`, or over its topic's event and
//! version, as written or with dots for dashes, such as `node.introspection.*`. Without receiving steps every event starts runs.

use globset::{Glob, GlobMatcher};

use crate::model::{Contract, EventDeclaration};

impl Contract {
    /// The consumed events that start runs.
    pub fn starting_events(&self) -> impl Iterator<Item = &EventDeclaration> {
        self.placed_starting_events().map(|(_, event)| event)
    }

    /// The consumed events that start runs, with their places in the list.
    pub(crate) fn placed_starting_events(&self) -> impl Iterator<Item = (usize, &EventDeclaration)> {
        let patterns = self.receiving_patterns();
        let events = self.consumed_events.iter().enumerate();
        events.filter(move |(_, event)| patterns.is_empty() || fits(&patterns, event))
    }

    /// A pattern that is no glob fits nothing, and is still a pattern.
    fn receiving_patterns(&self) -> Vec<Option<GlobMatcher>> {
        self.steps().iter().flat_map(|step| &step.step_config.event_pattern).map(|pattern| matcher(pattern)).collect()
    }
}

/// What fits a glob; nothing where it is none.
pub(crate) fn matcher(glob: &str) -> Option<GlobMatcher> {
    Some(Glob::new(glob).ok()?.compile_matcher())
}

/// Whether one of the patterns fits an event.
pub(crate) fn fits(patterns: &[Option<GlobMatcher>], event: &EventDeclaration) -> bool {
    let written = event.topic.as_deref().map(event_and_version).unwrap_or_default();
    let dotted = written.replace(['-', '_'], ".");
    let words: Vec<&str> = event.event_type.as_deref().into_iter().chain([dotted.as_str(), written.as_str()]).collect();
    patterns.iter().flatten().any(|pattern| words.iter().any(|word| pattern.is_match(word)))
}

/// `node-introspection.v1` of `{env}.onex.evt.platform.node-introspection.v1`, with or without producer.
fn event_and_version(topic: &str) -> String {
    let parts: Vec<&str> = topic.rsplitn(3, '.').collect();
    match parts[..] {
        [version, event, _] => format!("{event}.{version}"),
        _ => topic.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{fits, matcher};
    use crate::model::EventDeclaration;

    #[test]
    fn patterns_fit_types_and_topics() {
        let event = |topic: &str, event_type: &str| EventDeclaration {
            topic: Some(topic.to_owned()),
            event_type: Some(event_type.to_owned()),
            description: None,
        };
        let introspection = event("{env}.{namespace}.onex.evt.node-introspection.v1", "NodeIntrospectionEvent");
        let request =
            event("{env}.{namespace}.onex.evt.registry-request-introspection.v1", "RegistryRequestIntrospectionEvent");
        for pattern in ["node.introspection.*", "node-introspection.*", "NodeIntrospectionEvent", "Node*Event", "*"] {
            assert!(fits(&[matcher(pattern)], &introspection), "{pattern}");
        }
        for pattern in ["node.introspection.*", "NodeIntrospectionEvent", "["] {
            assert!(!fits(&[matcher(pattern)], &request), "{pattern}");
        }
    }
}
