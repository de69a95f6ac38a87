//! Decides how a version may be written: `"1.2.3"`, or a map of `major`, `minor`, `patch`.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What semantic versioning allows, see https://semver.org.
const PATTERN: &str = concat!(
    r"^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)",
    r"(-(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?",
    r"(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$",
);
const EXPECTED: &str = "expected \"MAJOR.MINOR.PATCH\" in quotes, or a map of major, minor and patch";

/// A semantic version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub semver::Version);

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(VersionVisitor)
    }
}

struct VersionVisitor;

impl<'de> de::Visitor<'de> for VersionVisitor {
    type Value = Version;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a version: \"MAJOR.MINOR.PATCH\" in quotes, or a map of major, minor and patch")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Version, E> {
        semver::Version::parse(text)
            .map(Version)
            .map_err(|error| E::custom(format!("`{text}` is no version ({error}), {EXPECTED}")))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Version, E> {
        Err(E::custom(format!("the number {number} is no version, {EXPECTED}")))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Version, A::Error> {
        let parts = Parts::deserialize(de::value::MapAccessDeserializer::new(map))?;
        let mut text = format!("{}.{}.{}", parts.major, parts.minor, parts.patch);
        for (mark, part) in [('-', &parts.prerelease), ('+', &parts.build)] {
            if let Some(part) = part.as_ref().and_then(dotted) {
                text.extend([mark]);
                text.push_str(&part);
            }
        }
        self.visit_str(&text)
    }
}

#[derive(Deserialize)]
struct Parts {
    major: u64,
    minor: u64,
    patch: u64,
    #[serde(default)]
    prerelease: Option<serde_json::Value>,
    #[serde(default)]
    build: Option<serde_json::Value>,
}

/// `rc.1` of `"rc.1"` or `["rc", 1]`; nothing of an empty one.
fn dotted(value: &serde_json::Value) -> Option<String> {
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let joined = match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join("."),
        other => text(other),
    };
    (!joined.is_empty()).then_some(joined)
}

impl JsonSchema for Version {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Version".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let whole = serde_json::json!({"type": "integer", "minimum": 0});
        json_schema!({
            "anyOf": [
                {"type": "string", "pattern": PATTERN},
                {"type": "object", "required": ["major", "minor", "patch"],
                 "properties": {"major": whole, "minor": whole, "patch": whole}}
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Version;
    use serde_json::json;

    #[test]
    fn both_forms_are_read() {
        for (value, expected) in [
            (json!("1.2.3-rc.1+b"), Some("1.2.3-rc.1+b")),
            (json!({"major": 1, "minor": 2, "patch": 3}), Some("1.2.3")),
            (json!({"major": 1, "minor": 2, "patch": 3, "prerelease": ["rc", 1], "build": null}), Some("1.2.3-rc.1")),
            (json!("1.2"), None),
            (json!(1.0), None),
            (json!({"major": 1, "minor": -2, "patch": 3}), None),
        ] {
            let version = serde_json::from_value::<Version>(value.clone()).ok();
            assert_eq!(version.map(|version| version.to_string()).as_deref(), expected, "{value}");
        }
    }
}
