//! Decides which of several spellings of one key is read when a map has more than one of them: the present-day
//! one, else the first of the others. Three names for the same thing stand in hundreds of real contracts.

use serde_json::{Map, Value};

/// Where (`*` for each element), the present-day key, and its other spellings.
pub(crate) type Spelling = (&'static [&'static str], &'static str, &'static [&'static str]);

const GRAPH_NODE: &[&str] = &["workflow_coordination", "workflow_definition", "execution_graph", "nodes", "*"];
const EDGE: &[&str] = &["workflow_coordination", "workflow_definition", "execution_graph", "edges", "*"];
const RULES: &[&str] = &["workflow_coordination", "workflow_definition", "coordination_rules"];
const METADATA: &[&str] = &["workflow_coordination", "workflow_definition", "workflow_metadata"];
const STEP_CONFIG: &[&str] =
    &["workflow_coordination", "workflow_definition", "execution_graph", "nodes", "*", "step_config"];
const TOPIC: &[&str] = &["topic_suffix", "full_topic_pattern", "topic_name", "event_pattern"];

pub(crate) const SPELLINGS: &[Spelling] = &[
    (&[], "name", &["node_name", "contract_name"]),
    (&[], "contract_version", &["version"]),
    (&[], "state_machine", &["state_transitions", "fsm"]),
    (METADATA, "workflow_version", &["version"]),
    (GRAPH_NODE, "node_id", &["step_id"]),
    (GRAPH_NODE, "node_type", &["step_type"]),
    (GRAPH_NODE, "depends_on", &["dependencies"]),
    (EDGE, "from_node", &["from"]),
    (EDGE, "to_node", &["to"]),
    (GRAPH_NODE, "max_retries", &["retry_count"]),
    (STEP_CONFIG, "max_retries", &["retry_count"]),
    (RULES, "max_parallel_branches", &["max_parallel_steps"]),
    (&["error_handling", "retry_policy"], "initial_delay_ms", &["base_delay_ms"]),
    (&["error_handling", "retry_policy"], "exponential_base", &["backoff_multiplier"]),
    (&["error_handling", "circuit_breaker"], "reset_timeout_ms", &["timeout_ms"]),
    (&["consumed_events", "*"], "topic", TOPIC),
    (&["consumed_events", "*"], "event_type", &["event_name", "name"]),
    (&["published_events", "*"], "topic", TOPIC),
    (&["published_events", "*"], "event_type", &["event_name", "name"]),
    (&["state_machine"], "state_machine_name", &["name"]),
    (&["state_machine", "states", "*"], "state_name", &["name"]),
    (&["state_machine", "transitions", "*"], "from_state", &["from"]),
    (&["state_machine", "transitions", "*"], "to_state", &["to"]),
    (&["dependencies", "*"], "type", &["dependency_type"]),
    (&["intent_consumption"], "intent_routing_table", &["routing_table"]),
    (&["descriptor"], "node_archetype", &["archetype"]),
    (&["input_model"], "name", &["class"]),
    (&["output_model"], "name", &["class"]),
    (&["event_bus", "subscribe_topics", "*"], "topic", &["name", "topic_name"]),
    (&["event_bus", "publish_topics", "*"], "topic", &["name", "topic_name"]),
];

/// Other spellings of a key, wherever it stands.
pub(crate) fn spellings(key: &str) -> impl Iterator<Item = &'static str> {
    SPELLINGS.iter().filter(move |(_, spelling, _)| *spelling == key).flat_map(|(_, _, others)| others.iter().copied())
}

/// Leaves one spelling of each key.
pub(super) fn settle(value: &mut Value) {
    for (path, key, others) in SPELLINGS {
        visit(value, path, &mut |map| keep_one(map, key, others));
    }
}

fn visit(value: &mut Value, path: &[&str], act: &mut impl FnMut(&mut Map<String, Value>)) {
    match (path, value) {
        ([], Value::Object(map)) => act(map),
        (["*", rest @ ..], Value::Array(items)) => items.iter_mut().for_each(|item| visit(item, rest, act)),
        ([key, rest @ ..], Value::Object(map)) => {
            if let Some(inner) = map.get_mut(*key) {
                visit(inner, rest, act);
            }
        }
        _ => {}
    }
}

fn keep_one(map: &mut Map<String, Value>, key: &str, others: &[&str]) {
    let present = std::iter::once(key).chain(others.iter().copied()).filter(|spelling| map.contains_key(*spelling));
    let superfluous: Vec<&str> = present.skip(1).collect();
    superfluous.into_iter().for_each(|spelling| {
        map.remove(spelling);
    });
}

#[cfg(test)]
mod tests {
    use super::settle;
    use serde_json::json;

    #[test]
    fn one_spelling_of_each_key_is_left() {
        let mut value = json!({
            "node_name": "b", "name": "a", "contract_name": "c", "version": "1.0.0",
            "published_events": [{"event_type": "E", "name": "n", "topic_suffix": "s", "full_topic_pattern": "f"}],
        });
        settle(&mut value);
        let expected = json!({
            "name": "a", "version": "1.0.0", "published_events": [{"event_type": "E", "topic_suffix": "s"}],
        });
        assert_eq!(value, expected);
    }
}
