#![doc = include_str!("../README.md")]
//!
//! It stands alone because contracts and events both name topics, and a second grammar anywhere is how
//! messages get lost.

mod topic;

pub use topic::{LegacyForm, MAX_TOPIC_CHARS, ParsedTopic, Topic, TopicError, TopicKind};
