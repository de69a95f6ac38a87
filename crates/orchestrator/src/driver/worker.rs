//! Says who runs, what starts a run, and what a run came to.

use std::sync::Arc;
use std::time::Duration;

use onex_journal::{Journal, OutboxMessage};
use onex_node::{RunId, Timestamp};
use serde_json::Value;
use uuid::Uuid;

use super::{Orders, Workflows};
use crate::event::{CarriedCall, Parent, RunLimits};
use crate::state::Outcome;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;
}

/// Who runs: where it is written down, by which clock, as whom.
#[derive(Clone)]
pub struct Worker {
    /// The journal.
    pub journal: Arc<dyn Journal>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The name leases are held in.
    pub owner: String,
    /// How long a lease holds.
    pub lease: Duration,
    /// What a run may use.
    pub limits: RunLimits,
    /// The runs that are driven here, to give them orders.
    pub orders: Orders,
    /// The workflows that runs can have as steps.
    pub workflows: Workflows,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Worker").field("owner", &self.owner).finish_non_exhaustive()
    }
}

impl Worker {
    /// A worker that knows no workflow yet, with limits as they are by default.
    pub fn new(journal: Arc<dyn Journal>, clock: Arc<dyn Clock>, owner: &str, lease: Duration) -> Self {
        let (limits, orders, workflows) = (RunLimits::default(), Orders::default(), Workflows::default());
        Self { journal, clock, owner: owner.to_owned(), lease, limits, orders, workflows }
    }

    pub(super) fn lease_until(&self) -> Timestamp {
        self.clock.now() + self.lease
    }
}

/// What starts a run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRequest {
    /// The run's id.
    pub run_id: RunId,
    /// The payload of the event that starts it.
    pub input: Value,
    /// The event's type.
    pub event_type: Option<String>,
    /// The chain of events it belongs to; a chain of its own when absent.
    pub correlation_id: Option<Uuid>,
    /// The envelope that starts it.
    pub parent_envelope_id: Option<Uuid>,
    /// The inbox message it came from.
    pub inbox_id: Option<Uuid>,
    /// The run whose step it is.
    pub parent: Option<Parent>,
    /// Effects that an earlier run over the same input left in place.
    pub carried: Vec<CarriedCall>,
    /// The order in the journal that wants the run.
    pub order_id: Option<Uuid>,
}

impl RunRequest {
    /// A run over an input, and nothing else known.
    pub fn new(run_id: RunId, input: Value) -> Self {
        Self {
            run_id,
            input,
            event_type: None,
            correlation_id: None,
            parent_envelope_id: None,
            inbox_id: None,
            parent: None,
            carried: Vec::new(),
            order_id: None,
        }
    }
}

/// A run that ended.
#[derive(Clone, Debug, PartialEq)]
pub struct RunEnd {
    /// The run.
    pub run_id: RunId,
    /// How it ended.
    pub outcome: Outcome,
    /// What waits in the outbox because of it.
    pub messages: Vec<OutboxMessage>,
    /// Outputs of the steps that no other depends on, by step.
    pub results: Value,
}
