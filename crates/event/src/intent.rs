//! What the registration reducer asks for: a closed set of typed intents, one per backend and
//! deed.
//!
//! Text on the wire is tagged by `kind`, whose part before the dot names the backend. Each intent
//! carries the position of the event it came from, so that a backend can refuse an older one.
//! How an intent is made from an event stands in [`build`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    error::{self, ModelError},
    position::EventPosition,
};

pub mod build;
mod consul;
mod postgres;

pub use consul::{
    ConsulDeregister, ConsulRegister, HealthCheck, HttpCheck, ParseServiceIdError, ParseServiceNameError, ServiceId,
    ServiceName, TtlCheck,
};
pub use postgres::{PostgresDeregister, PostgresUpsertRegistration, RegistrationRecord};

/// The kind of [`ConsulRegister`].
pub const CONSUL_REGISTER: &str = "consul.register";
/// The kind of [`ConsulDeregister`].
pub const CONSUL_DEREGISTER: &str = "consul.deregister";
/// The kind of [`PostgresUpsertRegistration`].
pub const POSTGRES_UPSERT_REGISTRATION: &str = "postgres.upsert_registration";
/// The kind of [`PostgresDeregister`].
pub const POSTGRES_DEREGISTER: &str = "postgres.deregister";

/// One thing to be done to one backend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind")]
pub enum RegistrationIntent {
    /// Enter a service.
    #[serde(rename = "consul.register")]
    ConsulRegister(Box<ConsulRegister>),
    /// Take a service out.
    #[serde(rename = "consul.deregister")]
    ConsulDeregister(ConsulDeregister),
    /// Write a node's row.
    #[serde(rename = "postgres.upsert_registration")]
    PostgresUpsertRegistration(Box<PostgresUpsertRegistration>),
    /// Mark a node's row as gone.
    #[serde(rename = "postgres.deregister")]
    PostgresDeregister(PostgresDeregister),
}

impl RegistrationIntent {
    /// Every kind.
    pub const KINDS: [&'static str; 4] =
        [CONSUL_REGISTER, CONSUL_DEREGISTER, POSTGRES_UPSERT_REGISTRATION, POSTGRES_DEREGISTER];

    /// Reads an intent from its kind and its fields, as a node passes them on.
    pub fn from_parts(kind: &str, payload: &Value) -> Result<Self, ModelError> {
        match kind {
            CONSUL_REGISTER => error::read(payload).map(Self::ConsulRegister),
            CONSUL_DEREGISTER => error::read(payload).map(Self::ConsulDeregister),
            POSTGRES_UPSERT_REGISTRATION => error::read(payload).map(Self::PostgresUpsertRegistration),
            POSTGRES_DEREGISTER => error::read(payload).map(Self::PostgresDeregister),
            _ => Err(ModelError::whole("not a kind of registration intent")),
        }
    }

    /// The fields without the kind; the reverse of [`Self::from_parts`].
    pub fn payload(&self) -> Value {
        match self {
            Self::ConsulRegister(intent) => to_json(intent),
            Self::ConsulDeregister(intent) => to_json(intent),
            Self::PostgresUpsertRegistration(intent) => to_json(intent),
            Self::PostgresDeregister(intent) => to_json(intent),
        }
    }

    /// The text that routes the intent.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ConsulRegister(_) => CONSUL_REGISTER,
            Self::ConsulDeregister(_) => CONSUL_DEREGISTER,
            Self::PostgresUpsertRegistration(_) => POSTGRES_UPSERT_REGISTRATION,
            Self::PostgresDeregister(_) => POSTGRES_DEREGISTER,
        }
    }

    /// The id all messages of one registration share.
    pub fn correlation_id(&self) -> Uuid {
        match self {
            Self::ConsulRegister(intent) => intent.correlation_id,
            Self::ConsulDeregister(intent) => intent.correlation_id,
            Self::PostgresUpsertRegistration(intent) => intent.correlation_id,
            Self::PostgresDeregister(intent) => intent.correlation_id,
        }
    }

    /// The node; `None` when a service id was not made by [`ServiceId::of_node`].
    pub fn node_id(&self) -> Option<Uuid> {
        match self {
            Self::ConsulRegister(intent) => intent.service_id.node_id(),
            Self::ConsulDeregister(intent) => intent.service_id.node_id(),
            Self::PostgresUpsertRegistration(intent) => Some(intent.record.node_id),
            Self::PostgresDeregister(intent) => Some(intent.node_id),
        }
    }

    /// Where the event behind the intent stands; `None` when the intent is to win in any case.
    pub fn position(&self) -> Option<&EventPosition> {
        match self {
            Self::ConsulRegister(intent) => Some(&intent.position),
            Self::ConsulDeregister(intent) => intent.position.as_ref(),
            Self::PostgresUpsertRegistration(intent) => Some(&intent.record.position),
            Self::PostgresDeregister(intent) => intent.position.as_ref(),
        }
    }
}

impl From<ConsulRegister> for RegistrationIntent {
    fn from(intent: ConsulRegister) -> Self {
        Self::ConsulRegister(Box::new(intent))
    }
}

impl From<ConsulDeregister> for RegistrationIntent {
    fn from(intent: ConsulDeregister) -> Self {
        Self::ConsulDeregister(intent)
    }
}

impl From<PostgresUpsertRegistration> for RegistrationIntent {
    fn from(intent: PostgresUpsertRegistration) -> Self {
        Self::PostgresUpsertRegistration(Box::new(intent))
    }
}

impl From<PostgresDeregister> for RegistrationIntent {
    fn from(intent: PostgresDeregister) -> Self {
        Self::PostgresDeregister(intent)
    }
}

/// The backend a kind of intent is for: `consul` of `consul.register`.
pub fn backend(kind: &str) -> &str {
    kind.split_once('.').map_or(kind, |(backend, _)| backend)
}

/// JSON of a model. Models have text keys and finite numbers only, so this cannot fail.
fn to_json(model: &impl Serialize) -> Value {
    serde_json::to_value(model).unwrap_or_default()
}
