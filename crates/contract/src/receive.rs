//! Decides which consumed events start runs of an orchestrator: those that its receiving steps' patterns fit.
//!
//! A pattern is a glob over the event's type, such as `NodeIntrospectionEvent`, or over its topic's event and
//! version, as written or with dots for dashes, such as `node.introspection.*`. Without receiving steps every event starts runs.

use globset::Glob;

use crate::model::{Contract, EventDeclaration};

impl Contract {
    /// The consumed events that start runs.
    pub fn starting_events(&self) -> impl Iterator<Item = &EventDeclaration> {
        let patterns = self.receiving_patterns();
        self.consumed_events
            .iter()
            .filter(move |event| patterns.is_empty() || patterns.iter().any(|pattern| fits(pattern, event)))
    }

    fn receiving_patterns(&self) -> Vec<&str> {
        let nodes =
            self.workflow_coordination.iter().flat_map(|workflow| &workflow.workflow_definition.execution_graph.nodes);
        nodes.flat_map(|node| &node.step_config.event_pattern).map(String::as_str).collect()
    }
}

fn fits(pattern: &str, event: &EventDeclaration) -> bool {
    let Ok(glob) = Glob::new(pattern) else { return false };
    let matcher = glob.compile_matcher();
    let written = event.topic.as_deref().map(event_and_version).unwrap_or_default();
    let dotted = written.replace(['-', '_'], ".");
    event.event_type.iter().any(|name| matcher.is_match(name)) || matcher.is_match(dotted) || matcher.is_match(written)
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
    use super::fits;
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
            assert!(fits(pattern, &introspection), "{pattern}");
        }
        for pattern in ["node.introspection.*", "NodeIntrospectionEvent", "["] {
            assert!(!fits(pattern, &request), "{pattern}");
        }
    }
}
