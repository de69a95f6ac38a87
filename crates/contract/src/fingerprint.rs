//! Decides when two contracts are the same: when their canonical JSON is, whatever the order of keys,
//! comments, quoting and layout. Lists keep their order, since order of steps has a meaning.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// SHA-256 of a contract's canonical JSON, as 64 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint of a canonical JSON text, as [`crate::Reading::canonical`] gives it.
    pub fn of(canonical: &str) -> Self {
        let digest = Sha256::digest(canonical.as_bytes());
        Self(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// JSON with sorted keys and no white space. `serde_json` maps are sorted unless its `preserve_order`
/// feature is on somewhere in the build, hence the explicit sort.
pub(crate) fn canonical(value: &Value) -> String {
    // Writing a JSON value whose keys are texts into a string does not fail.
    serde_json::to_string(&Sorted(value)).unwrap_or_default()
}

struct Sorted<'v>(&'v Value);

impl Serialize for Sorted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(map) => {
                let mut entries: Vec<_> = map.iter().collect();
                entries.sort_by_key(|(key, _)| *key);
                serializer.collect_map(entries.into_iter().map(|(key, value)| (key, Sorted(value))))
            }
            Value::Array(items) => serializer.collect_seq(items.iter().map(Sorted)),
            scalar => scalar.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Fingerprint, canonical};
    use crate::yaml::parse;

    fn fingerprint(text: &str) -> Fingerprint {
        Fingerprint::of(&canonical(&parse(text, &|_| Err(String::new())).expect("yaml").value))
    }

    #[test]
    fn layout_is_no_difference_and_content_is() {
        let original = fingerprint("a: 1\nb: {c: [x, y]}\n");
        assert_eq!(original, fingerprint("# comment\nb:\n  \"c\":\n  - x\n  - 'y'\na: 1\n"));
        assert_ne!(original, fingerprint("a: 1\nb: {c: [y, x]}\n"));
        assert_ne!(original, fingerprint("a: 2\nb: {c: [x, y]}\n"));
        assert_eq!(original.as_str().len(), 64);
    }
}
