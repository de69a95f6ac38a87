#![doc = include_str!("../README.md")]
//!
//! Decides what a bus promises: order per key, redelivery until settled, and back-pressure. What is
//! done with a message, and when it counts as done, is the runtime's business.

pub mod codes;
#[cfg(feature = "conformance")]
pub mod conformance;
mod memory;
mod queue;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

pub use memory::{Limits, MemoryBus};

/// What is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Identity of this publication; the same over every redelivery.
    pub id: Uuid,
    /// Entity the message is about; messages of one key are delivered in order.
    pub key: Option<String>,
    /// Transport headers, such as the correlation id.
    pub headers: BTreeMap<String, String>,
    /// The body, JSON text.
    pub body: Arc<str>,
}

impl Message {
    /// A message without key and headers.
    pub fn new(id: Uuid, body: impl Into<Arc<str>>) -> Self {
        Self { id, key: None, headers: BTreeMap::new(), body: body.into() }
    }

    /// The same message about one entity.
    #[must_use]
    pub fn with_key(self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self }
    }
}

/// One message handed to one subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Where it was published.
    pub topic: String,
    /// Position within the topic, from 0.
    pub offset: u64,
    /// 1 for the first delivery.
    pub attempt: u32,
    /// What was published.
    pub message: Message,
}

/// What becomes of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It is dealt with for good and never delivered to this group again.
    Done,
    /// It is delivered again no sooner than after this delay; later messages of its key wait for it.
    Redeliver {
        /// The delay.
        after: Duration,
    },
}

/// Why a bus did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// Nothing more is published or delivered.
    #[error("the bus is closed")]
    Closed,
    /// The topic already belongs to another consumer of the same group.
    #[error("group `{group}` already consumes topic `{topic}`")]
    AlreadyOwned {
        /// The group.
        group: String,
        /// The topic.
        topic: String,
    },
    /// The delivery is not in flight: settled before, or never delivered.
    #[error("delivery {offset} of topic `{topic}` is not in flight")]
    NotInFlight {
        /// The topic.
        topic: String,
        /// The position.
        offset: u64,
    },
}

impl BusError {
    /// Stable code, see `docs/errors.md`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Closed => "ONEX6001",
            Self::AlreadyOwned { .. } => "ONEX6002",
            Self::NotInFlight { .. } => "ONEX6003",
        }
    }
}

/// Carries messages from publishers to groups of subscribers.
#[async_trait]
pub trait EventBus: Send + Sync {
    /// Publishes one message; waits while a consuming group is full.
    ///
    /// # Errors
    ///
    /// The bus is closed.
    async fn publish(&self, topic: &str, message: Message) -> Result<(), BusError>;

    /// Makes `group` the owner of `topics`. A group seen for the first time starts at the earliest message held.
    ///
    /// # Errors
    ///
    /// A topic is already consumed by this group, or the bus is closed.
    async fn subscribe(&self, group: &str, topics: &[String]) -> Result<Arc<dyn Subscription>, BusError>;
}

/// A group's view of its topics.
#[async_trait]
pub trait Subscription: Send + Sync {
    /// The next message; waits for one. `None` once the subscription is closed.
    ///
    /// # Errors
    ///
    /// The bus cannot be read.
    async fn next(&self) -> Result<Option<Delivery>, BusError>;

    /// Settles a delivery.
    ///
    /// # Errors
    ///
    /// The delivery is not in flight.
    async fn settle(&self, delivery: &Delivery, settlement: Settlement) -> Result<(), BusError>;

    /// Messages published and not settled as done.
    ///
    /// # Errors
    ///
    /// The bus cannot be asked.
    async fn lag(&self) -> Result<u64, BusError>;

    /// Gives the topics up: what is not settled is delivered to the group's next subscriber.
    async fn close(&self);
}
