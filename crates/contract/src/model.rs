//! The typed contract, in the shape and with the names of the file, so that the JSON Schema generated
//! from it is the file's schema. What a missing value means is decided where it is used.

mod contract;
mod error_handling;
mod event;
mod event_bus;
mod kind;
mod state_machine;
mod strategy;
mod version;
mod workflow;

pub use contract::{Contract, Dependencies, Dependency, Descriptor, HealthCheck, IntentConsumption, ModelReference};
pub use error_handling::{CircuitBreaker, ErrorHandling, ErrorType, RetryPolicy};
pub use event::EventDeclaration;
pub use event_bus::{EventBus, Publish, Subscribe, TopicEntry};
pub use kind::{Archetype, NodeType};
pub use state_machine::{Condition, State, StateMachine, Transition};
pub use strategy::{ErrorAction, ExecutionMode, FailureRecoveryStrategy};
pub use version::Version;
pub use workflow::{
    CoordinationRules, Edge, ExecutionGraph, GraphNode, StepConfig, WorkflowCoordination, WorkflowDefinition,
    WorkflowMetadata,
};

/// The schema of a value that this runtime keeps as it is.
pub(crate) fn anything(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::Schema::from(true)
}
