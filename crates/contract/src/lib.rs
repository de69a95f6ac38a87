#![doc = include_str!("../README.md")]
//!
//! Decides what a contract says and whether it can be run as written. Reading is lenient in form and
//! strict in meaning: every spelling found in real contracts is accepted, every problem is reported at
//! its place, and a key that nothing acts on is never silent. Finding files is the runtime's business.

mod allow;
mod condition;
mod diagnostic;
mod diff;
mod fingerprint;
mod locate;
mod model;
mod near;
pub mod order;
mod path;
mod policy;
mod read;
mod receive;
mod rules;
mod schema;
mod system;
mod topics;
mod yaml;

pub use allow::{has_allows, silence};
pub use condition::{Expression, ExpressionError, Verdict, evaluate, lookup};
pub use diagnostic::{Diagnostic, Severity, Span};
pub use diff::{Change, ChangeClass, diff};
pub use fingerprint::Fingerprint;
pub use locate::Locator;
pub use model::{
    Archetype, CircuitBreaker, Condition, Contract, CoordinationRules, Dependencies, Dependency, Descriptor, Edge,
    ErrorAction, ErrorHandling, ErrorType, EventBus, EventDeclaration, ExecutionGraph, ExecutionMode,
    FailureRecoveryStrategy, GraphNode, HealthCheck, IntentConsumption, ModelReference, NodeType, Publish, RetryPolicy,
    State, StateMachine, StepConfig, Subscribe, TopicEntry, Transition, Version, WorkflowCoordination,
    WorkflowDefinition, WorkflowMetadata,
};
pub use path::{KeyPath, Segment};
pub use policy::{FailureAction, Policies, RetrySettings, Setting};
pub use read::{FileKind, Include, Included, MAX_BYTES, Reading, Source, examine, read, read_canonical, read_with};
pub use rules::{Rule, rules};
pub use schema::schema;
pub use system::{FileFacts, Pin, SystemContract, SystemFacts, SystemTopic, TakenBack, check_facts, check_system};
pub use topics::{Direction, NamedTopic};
