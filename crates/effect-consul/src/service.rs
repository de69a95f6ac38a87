//! Decides what of a registration travels in a service's meta, and how it is read back.

use std::collections::{BTreeMap, HashMap};

use onex_effect::{AppliedOutcome, EntryState, ServiceFacts, Stored};
use onex_event::intent::ConsulRegister;
use onex_event::{EventPosition, rfc3339};
use onex_node::IdempotencyKey;
use serde::Deserialize;

const EPOCH: &str = "epoch";
const TIMESTAMP: &str = "timestamp";
const KEY: &str = "idempotency_key";
const OUTCOME: &str = "outcome";

/// The tag that every service of ours has.
const OURS: &str = "onex";

/// A service as the agent tells it. consulrs has a model of its own, which cannot read a service
/// that has an address.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct AgentService {
    #[serde(rename = "ID")]
    id: String,
    tags: Option<Vec<String>>,
    address: Option<String>,
    port: Option<u16>,
    meta: Option<BTreeMap<String, String>>,
}

impl AgentService {
    pub(crate) fn is_ours(&self) -> bool {
        self.tags.iter().flatten().any(|tag| tag == OURS)
    }

    /// What the writer with this key did, when it was the last one.
    pub(crate) fn written_with(&self, key: &IdempotencyKey) -> Option<AppliedOutcome> {
        let ours = self.meta(KEY) == Some(key.as_str());
        ours.then(|| self.meta(OUTCOME).and_then(AppliedOutcome::from_word).unwrap_or(AppliedOutcome::Created))
    }

    /// Where it stands; `None` when something else wrote it.
    pub(crate) fn stored(&self) -> Option<Stored> {
        Some(Stored { position: self.position()?, state: EntryState::Active })
    }

    pub(crate) fn facts(self) -> ServiceFacts {
        ServiceFacts {
            position: self.position(),
            id: self.id,
            tags: self.tags.unwrap_or_default(),
            address: self.address.filter(|address| !address.is_empty()),
            port: self.port.filter(|port| *port != 0),
            meta: self.meta.unwrap_or_default(),
            health_endpoint: None,
        }
    }

    fn position(&self) -> Option<EventPosition> {
        let epoch = self.meta(EPOCH).map(str::parse).transpose().ok()?;
        Some(EventPosition { epoch, timestamp: rfc3339::parse(self.meta(TIMESTAMP)?)? })
    }

    fn meta(&self, key: &str) -> Option<&str> {
        self.meta.as_ref()?.get(key).map(String::as_str)
    }
}

/// The meta of a service: the intent's own, and what a later writer has to know.
pub(crate) fn meta(intent: &ConsulRegister, key: &IdempotencyKey, outcome: AppliedOutcome) -> HashMap<String, String> {
    let mut meta: HashMap<_, _> = intent.meta.clone().into_iter().collect();
    meta.remove(EPOCH);
    meta.extend(intent.position.epoch.map(|epoch| (EPOCH.to_owned(), epoch.to_string())));
    meta.insert(TIMESTAMP.to_owned(), rfc3339::text(&intent.position.timestamp));
    meta.insert(KEY.to_owned(), key.as_str().to_owned());
    meta.insert(OUTCOME.to_owned(), outcome.as_str().to_owned());
    meta
}

#[cfg(test)]
mod tests {
    use super::AgentService;
    use onex_effect::AppliedOutcome;
    use serde_json::json;

    fn read(value: serde_json::Value) -> AgentService {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_service_with_an_address_can_be_read() {
        let service = read(json!({
            "ID": "a", "Service": "onex-effect", "Tags": ["onex"], "Address": "n", "Port": 80, "EnableTagOverride": false,
            "TaggedAddresses": {"lan_ipv4": {"Address": "127.0.0.1", "Port": 80}},
            "Meta": {"epoch": "7", "timestamp": "2026-01-01T00:00:00Z", "idempotency_key": "k", "outcome": "replaced"},
        }));
        assert!(service.is_ours());
        assert_eq!(service.written_with(&"k".into()), Some(AppliedOutcome::Replaced));
        assert_eq!(service.written_with(&"other".into()), None);
        assert_eq!(service.stored().and_then(|stored| stored.position.epoch), Some(7));
    }

    #[test]
    fn a_service_that_something_else_wrote_has_no_position() {
        for meta in [json!(null), json!({}), json!({"timestamp": "now"}), json!({"epoch": "x", "timestamp": "y"})] {
            let service = read(json!({"ID": "web", "Tags": null, "Address": "", "Port": 0, "Meta": meta}));
            assert!(!service.is_ours() && service.stored().is_none());
            let facts = service.facts();
            assert_eq!((facts.address, facts.port), (None, None));
        }
    }
}
