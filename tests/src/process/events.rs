//! Events to feed: valid ones from a small builder, and lines that are wrong, each with what has to be said of it.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{text, workspace};

/// A node of a number; the same number is the same node.
pub fn node(number: u32) -> Uuid {
    Uuid::from_u128(0x0e2e_0000_0000_4000_8000_0000_0000_0000 + u128::from(number))
}

/// A node that no other test and no earlier run has.
#[expect(clippy::disallowed_methods, reason = "tests share one Consul agent, so their nodes must differ")]
pub fn fresh_node() -> Uuid {
    Uuid::new_v4()
}

/// The introspection event of a node at an epoch. Nothing listens at its endpoints.
pub fn event(node: Uuid, epoch: u32) -> Value {
    json!({
        "node_id": node,
        "node_name": format!("node_{}", node.simple()),
        "node_type": "effect",
        "node_version": "1.2.3",
        "endpoints": {"health": "http://127.0.0.1:9/health", "api": "http://127.0.0.1:9/api"},
        "correlation_id": Uuid::new_v5(&node, &epoch.to_be_bytes()),
        "epoch": epoch,
        "timestamp": format!("2026-11-24T09:{:02}:{:02}Z", epoch / 60 % 60, epoch % 60),
    })
}

/// Events of that many different nodes.
pub fn crowd(count: u32) -> Vec<Value> {
    (0..count).map(|number| event(node(number), 1)).collect()
}

/// Values as lines of JSON.
pub fn lines(values: &[Value]) -> String {
    values.iter().map(|value| format!("{value}\n")).collect()
}

/// The events that a new user meets first.
pub fn example() -> Vec<Value> {
    let text = text(&workspace("examples/introspection.jsonl"));
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The same event of a node that no other test has.
pub fn renamed(mut event: Value) -> Value {
    event["node_id"] = json!(fresh_node());
    event
}

/// A line that cannot be taken.
#[derive(Clone, Debug)]
pub struct Malformed {
    /// What is wrong with it.
    pub name: &'static str,
    /// It, without its line break.
    pub line: Vec<u8>,
    /// What has to be said of it.
    pub says: &'static str,
}

/// Lines of these nodes that cannot be taken, one per way to be wrong; the nodes must not come to be registered.
pub fn malformed(node: impl Fn(usize) -> Uuid) -> Vec<Malformed> {
    let mut wrong = Vec::new();
    for (name, says, spoil) in WAYS {
        let line = spoil(event(node(wrong.len()), 1));
        wrong.push(Malformed { name, line, says });
    }
    wrong
}

type Way = (&'static str, &'static str, fn(Value) -> Vec<u8>);

const WAYS: [Way; 21] = [
    ("not JSON", "not JSON", |_| b"node_id: 1, this is YAML".to_vec()),
    ("wrong type", "epoch", |event| with(event, "epoch", json!("one"))),
    ("unknown key", "unknown key `flavour`", |event| with(event, "flavour", json!("sweet"))),
    ("naive timestamp", "offset", |event| with(event, "timestamp", json!("2026-11-24T09:00:00"))),
    ("over 1 MiB", "more than 1048576", |event| with(event, "node_name", json!("x".repeat(1 << 20)))),
    ("far over 1 MiB", "more than 1048576", |event| with(event, "node_name", json!("x".repeat(3 << 20)))),
    ("bad URL", "endpoints.health", |event| with(event, "endpoints", json!({"health": "/health"}))),
    ("upper case kind", "node_type", |event| with(event, "node_type", json!("EFFECT"))),
    ("negative epoch", "epoch", |event| with(event, "epoch", json!(-1))),
    ("missing correlation_id", "correlation_id", |event| without(event, "correlation_id")),
    ("missing node_id", "node_id", |event| without(event, "node_id")),
    ("short version", "node_version", |event| with(event, "node_version", json!("1.0"))),
    ("bad UUID", "node_id", |event| with(event, "node_id", json!("none"))),
    ("empty object", "missing key", |_| b"{}".to_vec()),
    ("array", "not a JSON object", |event| bytes(&json!([event]))),
    ("null", "not a JSON object", |_| b"null".to_vec()),
    ("truncated", "not JSON", |event| cut(bytes(&event), 40)),
    ("two in one line", "not JSON", |event| [bytes(&event), bytes(&event)].concat()),
    ("unknown key of the envelope", "flavour", |event| bytes(&json!({"payload": event, "flavour": "sweet"}))),
    ("empty payload", "missing key", |_| bytes(&json!({"payload": {}, "envelope_id": Uuid::nil()}))),
    ("invalid UTF-8", "UTF-8", |event| spoiled(bytes(&event))),
];

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn with(mut event: Value, key: &str, value: Value) -> Vec<u8> {
    event[key] = value;
    bytes(&event)
}

fn without(mut event: Value, key: &str) -> Vec<u8> {
    event.as_object_mut().and_then(|map| map.remove(key)).expect("the key was there");
    bytes(&event)
}

fn cut(mut line: Vec<u8>, by: usize) -> Vec<u8> {
    line.truncate(line.len() - by);
    line
}

/// The line with a byte in its node's name that belongs to no character.
fn spoiled(line: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8(line).expect("JSON is UTF-8");
    let (before, after) = text.split_once("node_name\":\"").expect("a name");
    [before.as_bytes(), b"node_name\":\"\xff", after.as_bytes()].concat()
}
