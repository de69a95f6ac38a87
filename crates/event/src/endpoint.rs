//! The address of something a node exposes.
//!
//! Health checks and service entries are made from these, so an endpoint needs a scheme and a
//! host; a path alone is refused. The text is kept as it was read: a normalised copy would no
//! longer be equal to what the node wrote. User-info in a URL is a secret, so neither `Debug` nor
//! an error shows it.

use std::{fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use url::Url;

/// The longest endpoint, in characters: the limit of the Python models.
pub const MAX_ENDPOINT_CHARS: usize = 2048;

/// A URL with a scheme and a host.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointUrl {
    text: String,
    url: Url,
}

/// Why a text is no endpoint. The text itself is left out: it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseEndpointError {
    /// More than [`MAX_ENDPOINT_CHARS`].
    #[error("endpoint is longer than 2048 characters")]
    TooLong,
    /// No scheme, no host, or no URL at all.
    #[error("endpoint needs a scheme and a host, such as `http://node:8080/health`")]
    Incomplete,
}

impl EndpointUrl {
    /// The text the endpoint was read from.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The scheme in lower case, such as `http`.
    pub fn scheme(&self) -> &str {
        self.url.scheme()
    }

    /// The name or address; an IPv6 address is without its brackets.
    pub fn host(&self) -> &str {
        let host = self.url.host_str().unwrap_or_default();
        host.trim_start_matches('[').trim_end_matches(']')
    }

    /// The port, or the usual one of the scheme; `None` when the scheme has none.
    pub fn port_or_default(&self) -> Option<u16> {
        self.url.port_or_known_default()
    }

    /// Whether the URL holds a user name or a password.
    pub fn has_user_info(&self) -> bool {
        !self.url.username().is_empty() || self.url.password().is_some()
    }
}

impl FromStr for EndpointUrl {
    type Err = ParseEndpointError;

    fn from_str(text: &str) -> Result<Self, ParseEndpointError> {
        if text.chars().count() > MAX_ENDPOINT_CHARS {
            return Err(ParseEndpointError::TooLong);
        }
        if !spells_out_a_host(text) {
            return Err(ParseEndpointError::Incomplete);
        }
        let url = Url::parse(text).map_err(|_| ParseEndpointError::Incomplete)?;
        if url.host_str().is_none_or(str::is_empty) {
            return Err(ParseEndpointError::Incomplete);
        }
        Ok(Self { text: text.to_owned(), url })
    }
}

/// The URL parser repairs `http:/a`, `http:///a` and stray blanks; a node that writes them is
/// refused rather than guessed at.
fn spells_out_a_host(text: &str) -> bool {
    let blank = text.chars().any(|c| c.is_whitespace() || c.is_control());
    let host = text.split_once("://").and_then(|(_, rest)| rest.chars().next());
    !blank && host.is_some_and(|first| !matches!(first, '/' | '\\' | '?' | '#'))
}

impl fmt::Display for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.has_user_info() {
            return write!(f, "\"{}://[redacted]@{}\"", self.scheme(), self.host());
        }
        write!(f, "{:?}", self.text)
    }
}

impl Serialize for EndpointUrl {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for EndpointUrl {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for EndpointUrl {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EndpointUrl".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A URL with a scheme and a host.",
            "type": "string",
            "format": "uri",
            "maxLength": MAX_ENDPOINT_CHARS,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_port() {
        let table = [
            ("http://127.0.0.1:8000/health", "127.0.0.1", Some(8000)),
            ("https://node", "node", Some(443)),
            ("HTTP://Node/", "node", Some(80)),
            ("http://[::1]:8080/h", "::1", Some(8080)),
            ("grpc://node:50051", "node", Some(50051)),
            ("grpc://node", "node", None),
        ];
        for (text, host, port) in table {
            let endpoint: EndpointUrl = text.parse().unwrap();
            assert_eq!((endpoint.host(), endpoint.port_or_default()), (host, port), "{text}");
            assert_eq!(serde_json::to_value(&endpoint).unwrap(), text);
        }
    }

    #[test]
    fn incomplete_endpoints_are_refused() {
        let table = [
            "",
            "/health",
            "not a url",
            "http://",
            "http:/node",
            "http:///node",
            "node:8080",
            "file:///x",
            "mailto:a@b",
            " http://node",
            "http://no de",
            "http://node\n",
            "grpc://",
            "http://:80",
            "http://node:99999",
            "http://?q",
        ];
        for text in table {
            assert_eq!(text.parse::<EndpointUrl>(), Err(ParseEndpointError::Incomplete), "{text}");
        }
        let long = format!("http://node/{}", "a".repeat(MAX_ENDPOINT_CHARS));
        assert_eq!(long.parse::<EndpointUrl>(), Err(ParseEndpointError::TooLong));
    }

    #[test]
    fn debug_hides_user_info() {
        let endpoint: EndpointUrl = "http://user:hunter2@node/health".parse().unwrap();
        assert_eq!(format!("{endpoint:?}"), "\"http://[redacted]@node\"");
        assert_eq!(endpoint.as_str(), "http://user:hunter2@node/health");
    }
}
