//! Decides how an entry of any backend is shown: one shape, in which what a backend does not know
//! is absent.

use std::collections::BTreeMap;

use onex_event::intent::{ConsulRegister, HealthCheck, RegistrationRecord, ServiceId};
use onex_event::{EventPosition, Timestamp, rfc3339};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// Whether a node may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryState {
    /// In service.
    Active,
    /// Out of service; kept for its history.
    Deregistered,
}

impl EntryState {
    /// The word in outputs and columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deregistered => "deregistered",
        }
    }

    /// The state of a word; any other than `active` is out of service.
    pub fn from_word(word: &str) -> Self {
        if word == "active" { Self::Active } else { Self::Deregistered }
    }
}

/// One registered node as one backend has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegistryEntry {
    /// The backend's name.
    pub backend: String,
    /// Service id in a catalogue, node id in a table.
    pub id: String,
    /// The node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_id: Option<Uuid>,
    /// The kind of node, lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_type: Option<String>,
    /// Semantic version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_version: Option<String>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_name: Option<String>,
    /// Host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Name to URL.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub endpoints: BTreeMap<String, String>,
    /// Where the node answers whether it is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_endpoint: Option<String>,
    /// To search by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Where the event behind the entry stands among its node's events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<EventPosition>,
    /// In service or not.
    pub state: EntryState,
    /// When the node was first seen.
    #[serde(default, with = "rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub registered_at: Option<Timestamp>,
    /// When the entry was last written.
    #[serde(default, with = "rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// The node's own words, an object; in a catalogue the entry's meta.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// What the node can do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Value>,
}

/// What a catalogue tells about one service.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceFacts {
    /// The service id.
    pub id: String,
    /// To search by; `node-type:` and `node-version:` have a meaning.
    pub tags: Vec<String>,
    /// Host.
    pub address: Option<String>,
    /// Port.
    pub port: Option<u16>,
    /// Key to text; `node_id` has a meaning.
    pub meta: BTreeMap<String, String>,
    /// Where the event behind the entry stands.
    pub position: Option<EventPosition>,
    /// What the catalogue's HTTP check asks.
    pub health_endpoint: Option<String>,
}

impl From<&ConsulRegister> for ServiceFacts {
    fn from(intent: &ConsulRegister) -> Self {
        let health_endpoint = match &intent.health_check {
            Some(HealthCheck::Http(check)) => Some(check.http.to_string()),
            Some(HealthCheck::Ttl(_)) | None => None,
        };
        Self {
            id: intent.service_id.to_string(),
            tags: intent.tags.clone(),
            address: intent.address.clone(),
            port: intent.port,
            meta: intent.meta.clone(),
            position: Some(intent.position),
            health_endpoint,
        }
    }
}

impl ServiceFacts {
    fn tagged(&self, prefix: &str) -> Option<String> {
        self.tags.iter().find_map(|tag| tag.strip_prefix(prefix)).map(str::to_owned)
    }

    fn node_id(&self) -> Option<Uuid> {
        let named = self.meta.get("node_id").and_then(|text| text.parse().ok());
        named.or_else(|| self.id.parse::<ServiceId>().ok()?.node_id())
    }
}

impl RegistryEntry {
    /// The entry of a table's row.
    pub fn of_record(backend: &str, record: RegistrationRecord, state: EntryState) -> Self {
        Self {
            backend: backend.to_owned(),
            id: record.node_id.to_string(),
            node_id: Some(record.node_id),
            node_type: Some(record.node_type.to_string()),
            node_version: Some(record.node_version),
            node_name: record.node_name,
            address: None,
            port: None,
            endpoints: record.endpoints,
            health_endpoint: record.health_endpoint,
            tags: Vec::new(),
            position: Some(record.position),
            state,
            registered_at: Some(record.registered_at),
            updated_at: Some(record.updated_at),
            metadata: Some(record.metadata),
            capabilities: Some(record.capabilities),
        }
    }

    /// The entry of a catalogue's service; a catalogue holds only what is in service.
    pub fn of_service(backend: &str, facts: ServiceFacts) -> Self {
        Self {
            backend: backend.to_owned(),
            node_id: facts.node_id(),
            node_type: facts.tagged("node-type:"),
            node_version: facts.tagged("node-version:"),
            node_name: None,
            id: facts.id,
            address: facts.address,
            port: facts.port,
            endpoints: BTreeMap::new(),
            health_endpoint: facts.health_endpoint,
            tags: facts.tags,
            position: facts.position,
            state: EntryState::Active,
            registered_at: None,
            updated_at: None,
            metadata: serde_json::to_value(facts.meta).ok(),
            capabilities: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{RegistryEntry, ServiceFacts};
    use serde_json::json;
    use std::collections::BTreeMap;

    #[test]
    fn what_a_catalogue_does_not_know_is_absent() {
        let id = "onex-effect-6513270e-269e-4d37-b2a7-4de452e6b438";
        let facts = ServiceFacts {
            id: id.to_owned(),
            tags: vec!["onex".to_owned(), "node-type:effect".to_owned()],
            address: Some("n".to_owned()),
            port: Some(80),
            meta: BTreeMap::new(),
            position: None,
            health_endpoint: None,
        };
        let entry = RegistryEntry::of_service("consul", facts);
        let expected = json!({
            "backend": "consul", "id": id, "node_id": "6513270e-269e-4d37-b2a7-4de452e6b438", "node_type": "effect",
            "address": "n", "port": 80, "tags": ["onex", "node-type:effect"], "state": "active", "metadata": {},
        });
        assert_eq!(serde_json::to_value(&entry).unwrap(), expected);
        assert_eq!(serde_json::from_value::<RegistryEntry>(expected).unwrap(), entry);
    }
}
