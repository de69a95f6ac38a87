//! Decides how a place inside a contract is named: `workflow.nodes[2].depends_on[0]`.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// One step into a contract.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// The value below a key.
    Key(String),
    /// An element of a list, from 0.
    Index(usize),
}

/// Stored as a text or a number.
impl Serialize for Segment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Key(key) => serializer.serialize_str(key),
            Self::Index(index) => index.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Segment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SegmentVisitor;
        impl de::Visitor<'_> for SegmentVisitor {
            type Value = Segment;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a key or an index")
            }

            fn visit_str<E: de::Error>(self, key: &str) -> Result<Segment, E> {
                Ok(Segment::Key(key.to_owned()))
            }

            fn visit_u64<E: de::Error>(self, index: u64) -> Result<Segment, E> {
                usize::try_from(index).map(Segment::Index).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(SegmentVisitor)
    }
}

/// A place inside a contract; empty for the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyPath(pub Vec<Segment>);

impl KeyPath {
    /// The path of these keys.
    pub fn of(keys: &[&str]) -> Self {
        Self(keys.iter().map(|key| Segment::Key((*key).to_owned())).collect())
    }

    /// The place below `key`.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.with(Segment::Key(key.to_owned()))
    }

    /// The place of the element `index`.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.with(Segment::Index(index))
    }

    /// The place this one is directly inside of.
    pub fn parent(&self) -> Option<Self> {
        let (_, rest) = self.0.split_last()?;
        Some(Self(rest.to_vec()))
    }

    /// The key it ends with; none where it ends with an index, or is empty.
    pub fn last_key(&self) -> Option<&str> {
        match self.0.last()? {
            Segment::Key(key) => Some(key),
            Segment::Index(_) => None,
        }
    }

    /// The key before the last segment; none where an index stands there, or nothing.
    pub fn parent_key(&self) -> Option<&str> {
        match self.0.iter().rev().nth(1)? {
            Segment::Key(key) => Some(key),
            Segment::Index(_) => None,
        }
    }

    fn with(&self, segment: Segment) -> Self {
        Self(self.0.iter().cloned().chain([segment]).collect())
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) if position == 0 => write!(formatter, "{key}")?,
                Segment::Key(key) => write!(formatter, ".{key}")?,
                Segment::Index(index) => write!(formatter, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::KeyPath;

    #[test]
    fn paths_read_like_code() {
        assert_eq!(KeyPath::of(&["a", "b"]).index(2).key("c").to_string(), "a.b[2].c");
        assert_eq!(KeyPath::of(&["a"]).index(0).parent(), Some(KeyPath::of(&["a"])));
        assert_eq!(KeyPath::default().parent(), None);
    }
}
