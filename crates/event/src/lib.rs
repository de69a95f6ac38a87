#![doc = include_str!("../README.md")]

// Words and numbers.
pub mod endpoint;
pub mod kind;
pub mod position;
pub mod timestamp;
pub mod version;

// The envelope and who is behind it.
pub mod envelope;
pub mod security;

// What nodes and registries say.
pub mod introspection;

pub mod capabilities;
pub mod heartbeat;
pub mod request;

// What a registration asks for, and how it ends.
pub mod intent;
pub mod result;

pub mod orchestrator;

// Models by name, and what is wrong with a message.
pub mod model;

pub mod error;

mod bounds;
mod object;

pub use endpoint::{EndpointUrl, ParseEndpointError};
pub use kind::{NodeKind, ParseNodeKindError};
pub use onex_topic::{LegacyForm, ParsedTopic, Topic, TopicError, TopicKind};
pub use position::EventPosition;
pub use timestamp::{Timestamp, rfc3339};
pub use version::{Identifier, ParseVersionError, SemanticVersion};

pub use envelope::{Envelope, EnvelopeMetadata, NewEnvelope, ReadError, read_message, read_message_value};
pub use security::{AccessToken, SecurityContext};

pub use introspection::{
    EventBusTopicEntry, IntrospectionPerformanceMetrics, IntrospectionReason, NodeEventBusConfig,
    NodeIntrospectionEvent, NodeMetadata,
};

pub use capabilities::{
    ContractCapabilities, DiscoveredCapabilities, FeatureFlagMetadata, FeatureFlags, McpContractConfig,
    NodeCapabilities,
};
pub use heartbeat::{ConsumerFlowDelta, NodeFlowWindow, NodeHeartbeatEvent, TopicProduceDelta};
pub use request::{RegistryRequestIntrospectionEvent, RequestIntrospectionType};

pub use intent::{
    ConsulDeregister, ConsulRegister, HealthCheck, HttpCheck, PostgresDeregister, PostgresUpsertRegistration,
    RegistrationIntent, RegistrationRecord, ServiceId, ServiceName, TtlCheck,
};
pub use result::{IntentResult, NodeRegistrationResultEvent, RegistrationStatus, StatusError};

pub use orchestrator::{OrchestratorConfig, OrchestratorInput, OrchestratorOutput, RangeError};

pub use model::{EventModel, known_models, model, schemas};

pub use error::{ModelError, read};
