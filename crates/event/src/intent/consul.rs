//! Intents for the service registry.

use std::{collections::BTreeMap, fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{endpoint::EndpointUrl, kind::NodeKind, position::EventPosition};

/// Enters a service, or replaces its entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsulRegister {
    /// The id all messages of one registration share.
    pub correlation_id: Uuid,
    /// The entry: 1 to 200 of `A-Z a-z 0-9 . _ -`.
    pub service_id: ServiceId,
    /// The service, which many nodes share: 1 to 100 characters.
    pub service_name: ServiceName,
    /// To search by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Host of the node; null leaves it to the registry's agent.
    #[serde(default)]
    pub address: Option<String>,
    /// Port of the node.
    #[serde(default)]
    pub port: Option<u16>,
    /// How the registry learns whether the node is well; null for not at all.
    #[serde(default)]
    pub health_check: Option<HealthCheck>,
    /// What the entry carries along.
    #[serde(default)]
    pub meta: BTreeMap<String, String>,
    /// An entry with a newer position is kept.
    pub position: EventPosition,
}

/// Takes a service out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsulDeregister {
    /// The id all messages of one registration share.
    pub correlation_id: Uuid,
    /// The entry.
    pub service_id: ServiceId,
    /// An entry with a newer position is kept; null takes out any.
    #[serde(default)]
    pub position: Option<EventPosition>,
}

/// How Consul learns whether a service is well, in Consul's own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a check with `HTTP`, `Interval` and `Timeout`, or one with `TTL`")]
pub enum HealthCheck {
    /// Consul asks the service.
    Http(HttpCheck),
    /// The service, or someone for it, tells Consul.
    Ttl(TtlCheck),
}

/// Consul asks the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct HttpCheck {
    /// What to ask.
    #[serde(rename = "HTTP")]
    pub http: EndpointUrl,
    /// How often, such as `10s`.
    pub interval: String,
    /// How long an answer may take, such as `5s`.
    pub timeout: String,
    /// How long a service may fail before it is taken out, such as `60m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deregister_critical_service_after: Option<String>,
}

/// The service, or someone for it, tells Consul.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct TtlCheck {
    /// How long silence counts as well, such as `90s`.
    #[serde(rename = "TTL")]
    pub ttl: String,
    /// How long a service may fail before it is taken out, such as `60m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deregister_critical_service_after: Option<String>,
}

/// The id of one entry: 1 to 200 of `A-Z a-z 0-9 . _ -`, since it becomes part of a URL path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(!try_from, !into)]
pub struct ServiceId(#[schemars(length(min = 1, max = 200), regex(pattern = "^[A-Za-z0-9._-]+$"))] String);

/// The name of a service: 1 to 100 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(!try_from, !into)]
pub struct ServiceName(#[schemars(length(min = 1, max = 100))] String);

/// The text is no service id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a service id has 1 to 200 characters out of `A-Z a-z 0-9 . _ -`")]
pub struct ParseServiceIdError;

/// The text is no service name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a service name has 1 to 100 characters")]
pub struct ParseServiceNameError;

impl ServiceId {
    /// The id under which a node is entered: `onex-{type}-{node_id}`.
    pub fn of_node(kind: NodeKind, node_id: Uuid) -> Self {
        Self(format!("onex-{}-{node_id}", kind.as_label()))
    }

    /// The node of an id made by [`Self::of_node`].
    pub fn node_id(&self) -> Option<Uuid> {
        let rest = self.0.strip_prefix("onex-")?;
        let label = |kind: NodeKind| rest.strip_prefix(kind.as_label())?.strip_prefix('-');
        let id = NodeKind::ALL.into_iter().find_map(label)?;
        id.parse().ok()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ServiceName {
    /// The service of all nodes of one kind: `onex-{type}`.
    pub fn of_kind(kind: NodeKind) -> Self {
        Self(format!("onex-{}", kind.as_label()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ServiceId {
    type Error = ParseServiceIdError;

    fn try_from(text: String) -> Result<Self, ParseServiceIdError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        match (1..=200).contains(&text.len()) && text.bytes().all(allowed) {
            true => Ok(Self(text)),
            false => Err(ParseServiceIdError),
        }
    }
}

impl TryFrom<String> for ServiceName {
    type Error = ParseServiceNameError;

    fn try_from(text: String) -> Result<Self, ParseServiceNameError> {
        match (1..=100).contains(&text.chars().count()) {
            true => Ok(Self(text)),
            false => Err(ParseServiceNameError),
        }
    }
}

impl FromStr for ServiceId {
    type Err = ParseServiceIdError;

    fn from_str(text: &str) -> Result<Self, ParseServiceIdError> {
        text.to_owned().try_into()
    }
}

impl FromStr for ServiceName {
    type Err = ParseServiceNameError;

    fn from_str(text: &str) -> Result<Self, ParseServiceNameError> {
        text.to_owned().try_into()
    }
}

impl From<ServiceId> for String {
    fn from(id: ServiceId) -> Self {
        id.0
    }
}

impl From<ServiceName> for String {
    fn from(name: ServiceName) -> Self {
        name.0
    }
}

impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
