//! Topic names: one form is written, the forms found in the wild are read.
//!
//! Canonical is `onex.{kind}.{producer}.{event}.v{n}`. Contracts of December 2025 left the
//! producer out and put `{env}.{namespace}.` in front; both are still read, and the reader is told
//! which legacy form it saw, so that a checker can warn. Words are lower case; an underscore in
//! a word is kept, because a different name would be a different topic.

use std::{fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The longest topic name Kafka takes, in characters.
pub const MAX_TOPIC_CHARS: usize = 249;

/// The producer of a dead letter whose topic names none.
const UNNAMED_PRODUCER: &str = "onex";

/// Where messages of one sort go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic {
    /// What sort of message.
    pub kind: TopicKind,
    /// Who writes; `None` in the form of December 2025.
    pub producer: Option<String>,
    /// What is said, such as `node-introspection`.
    pub event: String,
    /// The version of what is said; at least 1.
    pub version: u32,
}

/// What sort of message a topic holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TopicKind {
    /// Somebody is to do something.
    Cmd,
    /// Something happened.
    Evt,
    /// A reducer asks for an effect.
    Intent,
    /// A message that could not be handled.
    Dlq,
    /// The newest state per key.
    Snapshot,
}

/// A form that is read but not written, or warned about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LegacyForm {
    /// `{env}.` or `{env}.{namespace}.` stands in front.
    Prefixed,
    /// Four segments: nobody is named as the producer.
    WithoutProducer,
    /// A word has an underscore where a hyphen belongs.
    Underscore,
}

/// A topic and the legacy forms it was written in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedTopic {
    /// The topic, without prefix.
    pub topic: Topic,
    /// In the order of [`LegacyForm`]; empty when the text was canonical.
    pub legacy: Vec<LegacyForm>,
}

/// Why a text is no topic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// More than [`MAX_TOPIC_CHARS`].
    #[error("a topic has at most 249 characters")]
    TooLong,
    /// There is no segment `onex`.
    #[error("a topic starts with `onex.`, or with at most `{{env}}.{{namespace}}.` before it")]
    NoOnex,
    /// The prefix has too many segments, or one that is neither a word nor a placeholder.
    #[error("`{0}` before `onex.` is no prefix: expected `{{env}}.` or `{{env}}.{{namespace}}.`")]
    Prefix(String),
    /// The number of segments is wrong.
    #[error("a topic has 5 segments, `onex.kind.producer.event.v1`, found {0}")]
    Segments(usize),
    /// The second segment is no kind.
    #[error("unknown topic kind `{0}`, expected `cmd`, `evt`, `intent`, `dlq` or `snapshot`")]
    Kind(String),
    /// Producer or event is not lower-case kebab.
    #[error("`{0}` is no topic word: expected lower-case letters and digits, joined by `-`")]
    Word(String),
    /// The last segment is no version.
    #[error("`{0}` is no topic version: expected `v1` or higher")]
    Version(String),
}

impl Topic {
    /// Reads any known form.
    pub fn parse(text: &str) -> Result<ParsedTopic, TopicError> {
        if text.chars().count() > MAX_TOPIC_CHARS {
            return Err(TopicError::TooLong);
        }
        let segments: Vec<&str> = text.split('.').collect();
        let onex = segments.iter().position(|&segment| segment == "onex").ok_or(TopicError::NoOnex)?;
        let (prefix, name) = segments.split_at(onex);
        check_prefix(prefix)?;
        let topic = match *name {
            [_, kind, producer, event, version] => Self::of(kind, Some(producer), event, version)?,
            [_, kind, event, version] => Self::of(kind, None, event, version)?,
            _ => return Err(TopicError::Segments(name.len())),
        };
        let legacy = topic.legacy_forms(!prefix.is_empty());
        Ok(ParsedTopic { topic, legacy })
    }

    /// The canonical text of a topic, in whatever form it is written; the text itself where it is no topic.
    pub fn canonical(text: &str) -> String {
        Self::parse(text).map_or_else(|_| text.to_owned(), |parsed| parsed.topic.to_string())
    }

    /// Where a message of this topic goes when it cannot be handled; a dead letter stays put.
    pub fn dead_letter(&self) -> Self {
        let producer = self.producer.as_deref().unwrap_or(UNNAMED_PRODUCER);
        Self { kind: TopicKind::Dlq, producer: Some(producer.to_owned()), ..self.clone() }
    }

    /// The routing key in envelopes: `{producer}.{event}`, without a producer just `{event}`.
    pub fn event_type(&self) -> String {
        match &self.producer {
            Some(producer) => format!("{producer}.{}", self.event),
            None => self.event.clone(),
        }
    }

    fn of(kind: &str, producer: Option<&str>, event: &str, version: &str) -> Result<Self, TopicError> {
        Ok(Self {
            kind: kind.parse()?,
            producer: producer.map(word).transpose()?,
            event: word(event)?,
            version: parse_version(version)?,
        })
    }

    fn legacy_forms(&self, prefixed: bool) -> Vec<LegacyForm> {
        let words = self.producer.iter().chain([&self.event]);
        let underscore = words.into_iter().any(|word| word.contains('_'));
        let seen = [
            (prefixed, LegacyForm::Prefixed),
            (self.producer.is_none(), LegacyForm::WithoutProducer),
            (underscore, LegacyForm::Underscore),
        ];
        seen.into_iter().filter_map(|(seen, form)| seen.then_some(form)).collect()
    }
}

fn check_prefix(prefix: &[&str]) -> Result<(), TopicError> {
    let placeholder =
        |segment: &str| segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(segment).to_owned();
    let plain = |segment: &&str| {
        let name = placeholder(segment);
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    match prefix.len() <= 2 && prefix.iter().all(plain) {
        true => Ok(()),
        false => Err(TopicError::Prefix(format!("{}.", prefix.join(".")))),
    }
}

fn word(text: &str) -> Result<String, TopicError> {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    match text.split(['-', '_']).all(part) {
        true => Ok(text.to_owned()),
        false => Err(TopicError::Word(text.to_owned())),
    }
}

fn parse_version(text: &str) -> Result<u32, TopicError> {
    let digits = text.strip_prefix('v').filter(|rest| rest.starts_with(|c| matches!(c, '1'..='9')));
    let number = digits.and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| TopicError::Version(text.to_owned()))
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "onex.{}.", self.kind)?;
        if let Some(producer) = &self.producer {
            write!(f, "{producer}.")?;
        }
        write!(f, "{}.v{}", self.event, self.version)
    }
}

impl FromStr for Topic {
    type Err = TopicError;

    /// [`Topic::parse`] for those who do not care about legacy forms.
    fn from_str(text: &str) -> Result<Self, TopicError> {
        Self::parse(text).map(|parsed| parsed.topic)
    }
}

impl TopicKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Cmd, Self::Evt, Self::Intent, Self::Dlq, Self::Snapshot];

    /// The segment.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cmd => "cmd",
            Self::Evt => "evt",
            Self::Intent => "intent",
            Self::Dlq => "dlq",
            Self::Snapshot => "snapshot",
        }
    }
}

impl fmt::Display for TopicKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for TopicKind {
    type Err = TopicError;

    fn from_str(text: &str) -> Result<Self, TopicError> {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        known.ok_or_else(|| TopicError::Kind(text.to_owned()))
    }
}

impl Serialize for Topic {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Topic {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Topic {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Topic".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A topic: `onex.{kind}.{producer}.{event}.v{n}` or a legacy form of it.",
            "type": "string",
            "maxLength": MAX_TOPIC_CHARS,
        })
    }
}

#[cfg(test)]
mod tests {
    use LegacyForm::{Prefixed, Underscore, WithoutProducer};

    use super::*;

    #[test]
    fn every_known_form_is_read() {
        let canonical = "onex.evt.platform.node-introspection.v1";
        let short = "onex.evt.node-introspection.v1";
        let table: [(&str, &str, &[LegacyForm]); 11] = [
            (canonical, canonical, &[]),
            ("onex.cmd.omnibase-infra.consumer-restart.v12", "onex.cmd.omnibase-infra.consumer-restart.v12", &[]),
            ("onex.snapshot.a.b2.v1", "onex.snapshot.a.b2.v1", &[]),
            ("onex.evt.onex.x.v1", "onex.evt.onex.x.v1", &[]),
            (short, short, &[WithoutProducer]),
            ("{env}.{namespace}.onex.evt.node-introspection.v1", short, &[Prefixed, WithoutProducer]),
            ("{env}.onex.evt.platform.node-introspection.v1", canonical, &[Prefixed]),
            ("dev.onex.evt.platform.node-introspection.v1", canonical, &[Prefixed]),
            ("org.omninode.onex.evt.platform.node-introspection.v1", canonical, &[Prefixed]),
            ("tenant-a_b.onex.evt.platform.node-introspection.v1", canonical, &[Prefixed]),
            ("onex.evt.node_introspection.v1", "onex.evt.node_introspection.v1", &[WithoutProducer, Underscore]),
        ];
        for (text, written, legacy) in table {
            let parsed = Topic::parse(text).unwrap();
            assert_eq!(parsed.topic.to_string(), written);
            assert_eq!(parsed.legacy, legacy, "{text}");
        }
    }

    #[test]
    fn other_text_says_why_not() {
        let table = [
            ("", TopicError::NoOnex),
            ("dev.platform.events.v1", TopicError::NoOnex),
            ("ONEX.evt.a.b.v1", TopicError::NoOnex),
            ("a.b.c.onex.evt.a.b.v1", TopicError::Prefix("a.b.c.".to_owned())),
            ("{}.onex.evt.a.b.v1", TopicError::Prefix("{}.".to_owned())),
            (".onex.evt.a.b.v1", TopicError::Prefix(".".to_owned())),
            ("onex.runtime.ready", TopicError::Segments(3)),
            ("onex.evt.a.b.c.v1", TopicError::Segments(6)),
            ("onex.evt.a.b.v1.dlq", TopicError::Segments(6)),
            ("onex.runtime.node_graph.ready", TopicError::Kind("runtime".to_owned())),
            ("onex.events.a.b.v1", TopicError::Kind("events".to_owned())),
            ("onex.evt.A.b.v1", TopicError::Word("A".to_owned())),
            ("onex.evt.a.b--c.v1", TopicError::Word("b--c".to_owned())),
            ("onex.evt.a.-b.v1", TopicError::Word("-b".to_owned())),
            ("onex.evt.a..v1", TopicError::Word(String::new())),
            ("onex.evt.a.b.1", TopicError::Version("1".to_owned())),
            ("onex.evt.a.b.v0", TopicError::Version("v0".to_owned())),
            ("onex.evt.a.b.v01", TopicError::Version("v01".to_owned())),
            ("onex.evt.a.b.v+1", TopicError::Version("v+1".to_owned())),
            ("onex.evt.a.b.v4294967296", TopicError::Version("v4294967296".to_owned())),
        ];
        for (text, error) in table {
            assert_eq!(Topic::parse(text), Err(error), "{text}");
        }
        assert_eq!(Topic::parse(&"a".repeat(250)), Err(TopicError::TooLong));
        let prefix = TopicError::Prefix("x.y.z.".to_owned()).to_string();
        assert_eq!(prefix, "`x.y.z.` before `onex.` is no prefix: expected `{env}.` or `{env}.{namespace}.`");
    }

    #[test]
    fn dead_letters_and_routing_keys() {
        let table = [
            ("onex.evt.platform.x.v2", "onex.dlq.platform.x.v2", "platform.x"),
            ("onex.evt.x.v1", "onex.dlq.onex.x.v1", "x"),
            ("onex.dlq.platform.x.v2", "onex.dlq.platform.x.v2", "platform.x"),
        ];
        for (text, dead_letter, event_type) in table {
            let topic: Topic = text.parse().unwrap();
            assert_eq!(topic.dead_letter().to_string(), dead_letter);
            assert_eq!(topic.event_type(), event_type);
            let wire = serde_json::to_value(&topic).unwrap();
            assert_eq!(wire, text);
            assert_eq!(serde_json::from_value::<Topic>(wire).unwrap(), topic);
        }
    }
}
