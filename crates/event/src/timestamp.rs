//! Points in time, as they are written on the wire.
//!
//! A time without an offset means a different moment on each machine, and the order of two events
//! of one node hangs on it, so it is refused. The finest unit is the microsecond: that is what
//! the Python models write and what Postgres stores, and a finer time would look newer than its
//! own stored copy.

use chrono::{DateTime, Utc};

/// A moment in UTC, to the microsecond.
pub type Timestamp = DateTime<Utc>;

/// Serde for [`Timestamp`] fields: `#[serde(with = "onex_event::rfc3339")]`, and where a schema is
/// derived `#[schemars(with = "Timestamp")]`, because schemars takes the module for a type.
pub mod rfc3339 {
    use std::fmt;

    use chrono::{SecondsFormat, SubsecRound as _, Timelike as _};
    use serde::{Deserializer, Serializer, de};

    use super::{DateTime, Timestamp, Utc};

    pub(crate) const NEEDS_OFFSET: &str = "timestamp needs an offset, such as `2026-07-24T10:00:00Z`";

    /// The text of `timestamp`: UTC with `Z`, microseconds unless they are zero.
    pub fn text(timestamp: &Timestamp) -> String {
        let format = match timestamp.nanosecond() / 1_000 {
            0 => SecondsFormat::Secs,
            _ => SecondsFormat::Micros,
        };
        timestamp.to_rfc3339_opts(format, true)
    }

    /// Reads RFC 3339 text; `None` when it is something else or has no offset.
    pub fn parse(text: &str) -> Option<Timestamp> {
        let read = DateTime::parse_from_rfc3339(text).ok()?;
        Some(read.with_timezone(&Utc).trunc_subsecs(6))
    }

    /// Writes [`text`].
    pub fn serialize<S: Serializer>(timestamp: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&text(timestamp))
    }

    /// Reads text with an offset, and nothing else.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        from.deserialize_any(TextWithOffset)
    }

    struct TextWithOffset;

    impl de::Visitor<'_> for TextWithOffset {
        type Value = Timestamp;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a timestamp with an offset")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
            parse(text).ok_or_else(|| E::custom(NEEDS_OFFSET))
        }

        fn visit_i64<E: de::Error>(self, _: i64) -> Result<Timestamp, E> {
            Err(E::custom(NEEDS_OFFSET))
        }

        fn visit_u64<E: de::Error>(self, _: u64) -> Result<Timestamp, E> {
            Err(E::custom(NEEDS_OFFSET))
        }

        fn visit_f64<E: de::Error>(self, _: f64) -> Result<Timestamp, E> {
            Err(E::custom(NEEDS_OFFSET))
        }
    }

    /// The same for `Option<Timestamp>`, which also needs `#[serde(default)]`.
    pub mod option {
        use serde::{Deserialize, Deserializer, Serialize, Serializer};

        use super::Timestamp;

        #[derive(Serialize, Deserialize)]
        #[serde(transparent)]
        struct Inner(#[serde(with = "super")] Timestamp);

        /// Writes the text, or null.
        pub fn serialize<S: Serializer>(timestamp: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
            timestamp.map(Inner).serialize(to)
        }

        /// Reads text with an offset, or null.
        pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
            Ok(Option::<Inner>::deserialize(from)?.map(|inner| inner.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: &Value) -> Result<Timestamp, String> {
        rfc3339::deserialize(value).map_err(|error| error.to_string())
    }

    #[test]
    fn written_in_utc_to_the_microsecond() {
        let table = [
            ("2026-07-24T10:00:00.561913Z", "2026-07-24T10:00:00.561913Z"),
            ("2026-07-24T12:00:00+02:00", "2026-07-24T10:00:00Z"),
            ("2026-07-24T10:00:00.5Z", "2026-07-24T10:00:00.500000Z"),
            ("2026-07-24T10:00:00.123456789Z", "2026-07-24T10:00:00.123456Z"),
            ("2026-07-24T10:00:00.0000001Z", "2026-07-24T10:00:00Z"),
        ];
        for (given, written) in table {
            assert_eq!(rfc3339::text(&read(&given.into()).unwrap()), written);
        }
    }

    #[test]
    fn needs_an_offset() {
        let table = [
            json!("2026-07-24T10:00:00"),
            json!("2026-07-24"),
            json!("yesterday"),
            json!(""),
            json!(1_784_887_200),
            json!(-1),
            json!(1.5),
        ];
        for given in table {
            assert_eq!(read(&given), Err(rfc3339::NEEDS_OFFSET.to_owned()), "{given}");
        }
    }

    #[test]
    fn optional_times_may_be_null() {
        assert_eq!(rfc3339::option::deserialize(&Value::Null).unwrap(), None);
        let error = rfc3339::option::deserialize(&json!("2026-07-24")).unwrap_err();
        assert_eq!(error.to_string(), rfc3339::NEEDS_OFFSET);
    }
}
