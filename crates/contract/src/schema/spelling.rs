//! Adds to the schema the other spellings of keys, which the models cannot tell it, and the bounds of numbers.
//!
//! A key that is required may be there under any of its names. Where a map has several of them, only the first is
//! looked at, as the reader does.

use schemars::Schema;
use serde_json::{Map, Value, json};

use crate::read::SPELLINGS;

const DEFINITIONS: &str = "#/$defs/";

pub(super) fn allow_all(schema: &mut Schema) {
    let Ok(mut root) = serde_json::to_value(&schema) else { return };
    for (path, key, others) in SPELLINGS {
        for pointer in objects(&root, path) {
            let object = root.pointer_mut(&pointer).and_then(Value::as_object_mut);
            object.into_iter().for_each(|object| allow(object, key, others));
        }
    }
    bound(&mut root);
    if let Ok(allowing) = Schema::try_from(root) {
        *schema = allowing;
    }
}

/// JSON pointers to the schemas of the maps at a path of the contract.
fn objects(root: &Value, path: &[&str]) -> Vec<String> {
    let mut here = resolved(root, "");
    for segment in path {
        let step = |pointer: &String| match *segment {
            "*" => format!("{pointer}/items"),
            key => format!("{pointer}/properties/{key}"),
        };
        here = here.iter().map(step).flat_map(|pointer| resolved(root, &pointer)).collect();
    }
    here.retain(|pointer| root.pointer(pointer).is_some_and(|schema| schema.get("properties").is_some()));
    here
}

/// A schema, or what it stands for: behind a reference, or each of several.
fn resolved(root: &Value, pointer: &str) -> Vec<String> {
    let Some(schema) = root.pointer(pointer) else { return Vec::new() };
    if let Some(name) = schema.get("$ref").and_then(|target| target.as_str()?.strip_prefix(DEFINITIONS)) {
        return resolved(root, &format!("/$defs/{name}"));
    }
    let any_of = schema.get("anyOf").and_then(Value::as_array).filter(|_| schema.get("properties").is_none());
    match any_of {
        Some(several) => {
            (0..several.len()).flat_map(|index| resolved(root, &format!("{pointer}/anyOf/{index}"))).collect()
        }
        None => vec![pointer.to_owned()],
    }
}

fn allow(object: &mut Map<String, Value>, key: &str, others: &[&str]) {
    let Some(value) = object.get("properties").and_then(|properties| properties.get(key)).cloned() else { return };
    let names: Vec<&str> = std::iter::once(key).chain(others.iter().copied()).collect();
    let present = |name: &&str| json!({"required": [name]});
    let read_after = |(before, name): (usize, &&str)| {
        let mut alternatives: Vec<Value> = names[..=before].iter().map(present).collect();
        alternatives.push(json!({"properties": {*name: value}}));
        json!({"anyOf": alternatives})
    };
    let mut rules: Vec<Value> = others.iter().enumerate().map(read_after).collect();
    if let Some(required) = object.get_mut("required").and_then(Value::as_array_mut)
        && let Some(position) = required.iter().position(|name| name == key)
    {
        required.remove(position);
        rules.push(json!({"anyOf": names.iter().map(present).collect::<Vec<_>>()}));
    }
    let all_of = object.entry("allOf").or_insert_with(|| json!([])).as_array_mut();
    all_of.into_iter().for_each(|all_of| all_of.append(&mut rules));
}

/// Says of every 32-bit number how large it may be; `format` alone is only a remark.
fn bound(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.get("format").is_some_and(|format| format == "uint32") {
                map.insert("maximum".to_owned(), Value::from(u32::MAX));
            }
            map.values_mut().for_each(bound);
        }
        Value::Array(items) => items.iter_mut().for_each(bound),
        _ => {}
    }
}
