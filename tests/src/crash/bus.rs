//! The in-memory bus with points around what it is asked, and with what leaves on the ledger.

use std::sync::Arc;

use async_trait::async_trait;
use onex_bus::{BusError, Delivery, EventBus, MemoryBus, Message, Settlement, Subscription};

use super::ledger::{Entry, Ledger};
use super::points::Points;

/// A bus that dies around publications and settlements.
pub struct PointedBus {
    inner: MemoryBus,
    points: Arc<Points>,
    ledger: Arc<Ledger>,
    incoming: String,
}

impl PointedBus {
    /// A bus; what is published on any topic but `incoming` has left the system.
    pub fn new(points: &Arc<Points>, ledger: &Arc<Ledger>, incoming: &str) -> Self {
        let (points, ledger) = (Arc::clone(points), Arc::clone(ledger));
        Self { inner: MemoryBus::new(), points, ledger, incoming: incoming.to_owned() }
    }
}

#[async_trait]
impl EventBus for PointedBus {
    async fn publish(&self, topic: &str, message: Message) -> Result<(), BusError> {
        self.points.before();
        if topic != self.incoming {
            let body = serde_json::from_str(&message.body).expect("JSON");
            self.ledger.write(Entry::Published { id: message.id, body });
        }
        let published = self.inner.publish(topic, message).await;
        self.points.after();
        published
    }

    async fn subscribe(&self, group: &str, topics: &[String]) -> Result<Arc<dyn Subscription>, BusError> {
        let inner = self.inner.subscribe(group, topics).await?;
        Ok(Arc::new(Pointed { inner, points: Arc::clone(&self.points) }))
    }
}

struct Pointed {
    inner: Arc<dyn Subscription>,
    points: Arc<Points>,
}

#[async_trait]
impl Subscription for Pointed {
    async fn next(&self) -> Result<Option<Delivery>, BusError> {
        self.inner.next().await
    }

    async fn settle(&self, delivery: &Delivery, settlement: Settlement) -> Result<(), BusError> {
        self.points.before();
        let settled = self.inner.settle(delivery, settlement).await;
        self.points.after();
        settled
    }

    async fn lag(&self) -> Result<u64, BusError> {
        self.inner.lag().await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
