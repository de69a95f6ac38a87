//! Semantic versions, as they are written on the wire.
//!
//! The models of today write a map, those of 2025 wrote text; both are read and the map is
//! written. Versions are compared nowhere on the wire, so there is no order here.

use std::{fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

const EXPECTED: &str = "a version such as `1.2.3-rc.1+b` or `{\"major\": 1, \"minor\": 2, \"patch\": 3}`";

/// A version by <https://semver.org>.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct SemanticVersion {
    /// Raised for changes that break readers.
    pub major: u64,
    /// Raised for additions.
    pub minor: u64,
    /// Raised for repairs.
    pub patch: u64,
    /// What stands after `-`; null when absent.
    pub prerelease: Option<Vec<Identifier>>,
    /// What stands after `+`; null when absent.
    pub build: Option<Vec<String>>,
}

/// One dot-separated part of a prerelease.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a prerelease identifier is text or a whole number")]
pub enum Identifier {
    /// Digits only.
    Number(u64),
    /// Letters, digits and hyphens.
    Text(String),
}

/// The text is no semantic version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a version such as `1.2.3-rc.1+b`")]
pub struct ParseVersionError;

impl SemanticVersion {
    /// A released version.
    pub const fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self { major, minor, patch, prerelease: None, build: None }
    }
}

/// What a node has that states no version: 1.0.0, as in the Python models.
impl Default for SemanticVersion {
    fn default() -> Self {
        Self::new(1, 0, 0)
    }
}

impl fmt::Display for SemanticVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        write_parts(f, '-', self.prerelease.as_deref())?;
        write_parts(f, '+', self.build.as_deref())
    }
}

fn write_parts<T: fmt::Display>(f: &mut fmt::Formatter<'_>, sign: char, parts: Option<&[T]>) -> fmt::Result {
    for (index, part) in parts.unwrap_or_default().iter().enumerate() {
        write!(f, "{}{part}", if index == 0 { sign } else { '.' })?;
    }
    Ok(())
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl FromStr for SemanticVersion {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, ParseVersionError> {
        let (text, build) = split(text, '+');
        let (numbers, prerelease) = split(text, '-');
        let numbers: Vec<&str> = numbers.split('.').collect();
        let [major, minor, patch] = numbers[..] else {
            return Err(ParseVersionError);
        };
        Ok(Self {
            major: number(major)?,
            minor: number(minor)?,
            patch: number(patch)?,
            prerelease: prerelease.map(identifiers).transpose()?,
            build: build.map(build_parts).transpose()?,
        })
    }
}

fn split(text: &str, sign: char) -> (&str, Option<&str>) {
    match text.split_once(sign) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn number(text: &str) -> Result<u64, ParseVersionError> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let padded = text.len() > 1 && text.starts_with('0');
    if !digits || padded {
        return Err(ParseVersionError);
    }
    text.parse().map_err(|_| ParseVersionError)
}

fn identifiers(text: &str) -> Result<Vec<Identifier>, ParseVersionError> {
    let identifier = |part: &str| match part {
        _ if part.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Identifier::Number(number(part)?)),
        _ if is_word(part) => Ok(Identifier::Text(part.to_owned())),
        _ => Err(ParseVersionError),
    };
    text.split('.').map(identifier).collect()
}

fn build_parts(text: &str) -> Result<Vec<String>, ParseVersionError> {
    let part = |part: &str| is_word(part).then(|| part.to_owned()).ok_or(ParseVersionError);
    text.split('.').map(part).collect()
}

fn is_word(part: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !part.is_empty() && part.bytes().all(allowed)
}

impl<'de> Deserialize<'de> for SemanticVersion {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TextOrMap)
    }
}

struct TextOrMap;

impl<'de> de::Visitor<'de> for TextOrMap {
    type Value = SemanticVersion;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<SemanticVersion, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<SemanticVersion, A::Error> {
        let parts = Parts::deserialize(de::value::MapAccessDeserializer::new(map))?;
        parts.check().map_err(de::Error::custom)
    }
}

/// The map form. The schema does not forbid further keys here, and they say nothing: ignored.
#[derive(Deserialize)]
struct Parts {
    major: u64,
    minor: u64,
    patch: u64,
    #[serde(default)]
    prerelease: Option<Vec<Identifier>>,
    #[serde(default)]
    build: Option<Vec<String>>,
}

impl Parts {
    fn check(self) -> Result<SemanticVersion, ParseVersionError> {
        let text = |part: &Identifier| match part {
            Identifier::Number(_) => true,
            Identifier::Text(text) => is_word(text),
        };
        let prerelease = self.prerelease.iter().flatten().all(text);
        let build = self.build.iter().flatten().all(|part| is_word(part));
        if !prerelease || !build {
            return Err(ParseVersionError);
        }
        let Self { major, minor, patch, prerelease, build } = self;
        Ok(SemanticVersion { major, minor, patch, prerelease, build })
    }
}

impl JsonSchema for SemanticVersion {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SemanticVersion".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let identifier = generator.subschema_for::<Identifier>();
        let number = json_schema!({ "type": "integer", "minimum": 0 });
        let map = json_schema!({
            "type": "object",
            "properties": {
                "major": number,
                "minor": number,
                "patch": number,
                "prerelease": { "type": ["array", "null"], "items": identifier, "default": null },
                "build": { "type": ["array", "null"], "items": { "type": "string" }, "default": null },
            },
            "required": ["major", "minor", "patch"],
        });
        let text = json_schema!({
            "type": "string",
            "pattern": r"^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$",
        });
        json_schema!({
            "description": "A semantic version: written as a map, read as a map or as text.",
            "anyOf": [map, text],
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: &Value) -> Result<SemanticVersion, String> {
        SemanticVersion::deserialize(value).map_err(|error| error.to_string())
    }

    #[test]
    fn text_survives() {
        for text in ["1.0.0", "1.2.3-rc.1+b", "0.0.1-a-b.0", "1.2.3+001.x", "18446744073709551615.0.0"] {
            let version: SemanticVersion = text.parse().unwrap();
            assert_eq!(version.to_string(), text);
            assert_eq!(read(&text.into()), Ok(version.clone()));
            assert_eq!(read(&serde_json::to_value(&version).unwrap()), Ok(version));
        }
    }

    #[test]
    fn other_text_is_refused() {
        let table = [
            "",
            "1",
            "1.0",
            "1.0.0.0",
            "v1.0.0",
            "01.0.0",
            "1.0.x",
            "1.0.0-",
            "1.0.0+",
            "1.0.0-01",
            "1.0.0-a..b",
            "1.0.0-a_b",
            " 1.0.0",
            "-1.0.0",
            "18446744073709551616.0.0",
        ];
        for text in table {
            assert_eq!(text.parse::<SemanticVersion>(), Err(ParseVersionError), "{text}");
        }
    }

    #[test]
    fn writes_the_map() {
        let written = serde_json::to_value("1.2.3-rc.1".parse::<SemanticVersion>().unwrap());
        let map = json!({ "major": 1, "minor": 2, "patch": 3, "prerelease": ["rc", 1], "build": null });
        assert_eq!(written.unwrap(), map);
    }

    #[test]
    fn errors_say_what_was_expected() {
        let table = [
            (json!("1.0"), "expected a version such as `1.2.3-rc.1+b`"),
            (json!(1), "expected a version such as"),
            (json!(null), "expected a version such as"),
            (json!({ "major": 1, "minor": 0 }), "missing field `patch`"),
            (json!({ "major": -1, "minor": 0, "patch": 0 }), "expected u64"),
            (json!({ "major": 1, "minor": 0, "patch": 0, "build": ["a b"] }), "expected a version"),
        ];
        for (given, message) in table {
            let error = read(&given).unwrap_err();
            assert!(error.contains(message), "{given}: {error}");
        }
    }
}
