//! Decides what becomes of a service: look, judge, write.
//!
//! Consul's agent cannot compare and write in one request. Within this process, writers of one
//! service take turns; between processes the bus's partitions do that, one node being one key.

use std::hash::{DefaultHasher, Hash, Hasher};

use async_trait::async_trait;
use onex_effect::{
    Applied, AppliedOutcome, RegistryBackend, RegistryEntry, RemovalVerdict, Verdict, codes, judge, judge_removal,
    refused_as_stale,
};
use onex_event::RegistrationIntent;
use onex_event::intent::{CONSUL_DEREGISTER, CONSUL_REGISTER, ConsulDeregister, ConsulRegister};
use onex_node::{ErrorClass, Failure, IdempotencyKey};
use tokio::sync::{Mutex, MutexGuard};

use crate::client::Client;
use crate::config::{ConsulConfig, refused};
use crate::failure::failed;
use crate::service::meta;

const NAME: &str = "consul";

/// Services share this many locks; two that share one only wait a little longer.
const LOCKS: usize = 64;

/// A registry in the catalogue of one Consul agent.
pub struct ConsulRegistry {
    client: Client,
    datacenter: Option<String>,
    turns: [Mutex<()>; LOCKS],
}

impl std::fmt::Debug for ConsulRegistry {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ConsulRegistry").finish_non_exhaustive()
    }
}

impl ConsulRegistry {
    /// A registry that connects at its first use.
    ///
    /// # Errors
    ///
    /// `Validation`: the address, token or a certificate cannot be used.
    pub fn new(config: &ConsulConfig) -> Result<Self, Failure> {
        let turns = std::array::from_fn(|_| Mutex::new(()));
        Ok(Self { client: Client::new(config)?, datacenter: config.datacenter.clone(), turns })
    }

    async fn turn(&self, service_id: &str) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        service_id.hash(&mut hasher);
        let index = hasher.finish() as usize % LOCKS;
        self.turns[index].lock().await
    }

    async fn register(&self, intent: &ConsulRegister, key: &IdempotencyKey) -> Result<Applied, Failure> {
        let id = intent.service_id.as_str();
        let _turn = self.turn(id).await;
        let service = self.client.service(id).await?;
        if let Some(outcome) = service.as_ref().and_then(|service| service.written_with(key)) {
            return Ok(Applied::before(outcome));
        }
        let stored = service.as_ref().and_then(|service| service.stored());
        let outcome = match (judge(&intent.position, stored.as_ref()), stored) {
            (Verdict::Stale, Some(stored)) => return Err(refused_as_stale(&stored.position)),
            (Verdict::Keep, _) => return Ok(Applied::now(AppliedOutcome::Unchanged)),
            // What something else entered under our id gives way.
            (Verdict::Create, _) if service.is_none() => AppliedOutcome::Created,
            (Verdict::Create | Verdict::Replace | Verdict::Stale, _) => AppliedOutcome::Replaced,
        };
        self.client.register(intent, meta(intent, key, outcome)).await?;
        Ok(Applied::now(outcome))
    }

    async fn deregister(&self, intent: &ConsulDeregister) -> Result<Applied, Failure> {
        let id = intent.service_id.as_str();
        let _turn = self.turn(id).await;
        let Some(service) = self.client.service(id).await? else {
            return Ok(Applied::now(AppliedOutcome::Unchanged));
        };
        let stored = service.stored();
        if let (Some(stored), RemovalVerdict::Stale) =
            (stored, judge_removal(intent.position.as_ref(), stored.as_ref()))
        {
            return Err(refused_as_stale(&stored.position));
        }
        self.client.deregister(id).await?;
        Ok(Applied::now(AppliedOutcome::Removed))
    }

    async fn undo_register(&self, intent: &ConsulRegister, key: &IdempotencyKey) -> Result<(), Failure> {
        let id = intent.service_id.as_str();
        let _turn = self.turn(id).await;
        let service = self.client.service(id).await?;
        match service.and_then(|service| service.written_with(key)) {
            Some(_) => self.client.deregister(id).await,
            None => Ok(()),
        }
    }

    async fn check_datacenter(&self) -> Result<(), Failure> {
        let Some(expected) = &self.datacenter else {
            return Ok(());
        };
        let actual = self.client.datacenter().await?;
        match actual == *expected {
            true => Ok(()),
            false => Err(refused(&format!("the Consul agent is in datacenter `{actual}`, not in `{expected}`"))),
        }
    }
}

#[async_trait]
impl RegistryBackend for ConsulRegistry {
    fn name(&self) -> &str {
        NAME
    }

    fn handles(&self, kind: &str) -> bool {
        kind == CONSUL_REGISTER || kind == CONSUL_DEREGISTER
    }

    fn undoes(&self, kind: &str) -> bool {
        kind == CONSUL_REGISTER
    }

    async fn apply(&self, intent: &RegistrationIntent, key: &IdempotencyKey) -> Result<Applied, Failure> {
        match intent {
            RegistrationIntent::ConsulRegister(intent) => self.register(intent, key).await,
            RegistrationIntent::ConsulDeregister(intent) => self.deregister(intent).await,
            RegistrationIntent::PostgresUpsertRegistration(_) | RegistrationIntent::PostgresDeregister(_) => {
                Err(foreign(intent))
            }
        }
    }

    async fn undo(&self, intent: &RegistrationIntent, key: &IdempotencyKey) -> Result<(), Failure> {
        match intent {
            RegistrationIntent::ConsulRegister(intent) => self.undo_register(intent, key).await,
            RegistrationIntent::ConsulDeregister(_) => Err(without_undo()),
            RegistrationIntent::PostgresUpsertRegistration(_) | RegistrationIntent::PostgresDeregister(_) => {
                Err(foreign(intent))
            }
        }
    }

    async fn entries(&self) -> Result<Vec<RegistryEntry>, Failure> {
        let services = self.client.services().await?.into_iter().filter(|service| service.is_ours());
        let mut entries: Vec<_> = services.map(|service| RegistryEntry::of_service(NAME, service.facts())).collect();
        entries.sort_by(|left, right| left.id.cmp(&right.id));
        Ok(entries)
    }

    async fn check(&self) -> Result<(), Failure> {
        let leader = self.client.leader().await?;
        if leader.is_empty() {
            return Err(failed(ErrorClass::Unavailable, "asking Consul for its leader", "the cluster has none"));
        }
        // Anybody may ask for the leader; the services tell whether the token is known.
        self.client.services().await?;
        self.check_datacenter().await
    }
}

fn foreign(intent: &RegistrationIntent) -> Failure {
    let message = format!("`{NAME}` does not carry out `{}`", intent.kind());
    Failure::new(ErrorClass::Validation, codes::UNKNOWN_KIND, message)
}

fn without_undo() -> Failure {
    let message = format!("`{CONSUL_DEREGISTER}` has no undo: Consul keeps nothing of a service that is gone");
    Failure::new(ErrorClass::Validation, codes::NO_UNDO, message)
}
