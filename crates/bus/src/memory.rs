//! Decides how one process carries its own messages: every group of a topic has its own queue, and a
//! topic that nobody consumes keeps its newest messages for a group that comes later.
//!
//! Nothing here survives the process. What must survive is in the journal: the ingress's inbox, the
//! runs, the outbox.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::queue::{Moment, Next, Queue};
use crate::{BusError, Delivery, EventBus, Message, Settlement, Subscription};

/// How much the bus holds.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Unsettled messages a group may have in one topic before publishers wait.
    pub queue: usize,
    /// Newest messages a topic keeps for groups that come later.
    pub retained: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { queue: 10_000, retained: 1_000 }
    }
}

/// The in-memory bus.
#[derive(Clone, Debug)]
pub struct MemoryBus {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    limits: Limits,
    born: Instant,
    topics: Mutex<BTreeMap<String, Topic>>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Topic {
    next_offset: u64,
    retained: VecDeque<(u64, Message)>,
    groups: BTreeMap<String, Group>,
}

#[derive(Debug, Default)]
struct Group {
    owned: bool,
    queue: Queue,
}

impl MemoryBus {
    /// A bus with the default limits.
    pub fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    /// A bus with other limits.
    pub fn with_limits(limits: Limits) -> Self {
        let shared = Shared { limits, born: now(), topics: Mutex::default(), changed: Notify::new() };
        Self { shared: Arc::new(shared) }
    }
}

impl Default for MemoryBus {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl EventBus for MemoryBus {
    async fn publish(&self, topic: &str, message: Message) -> Result<(), BusError> {
        loop {
            let room = self.shared.changed.notified();
            if self.shared.try_publish(topic, &message) {
                self.shared.changed.notify_waiters();
                return Ok(());
            }
            room.await;
        }
    }

    async fn subscribe(&self, group: &str, topics: &[String]) -> Result<Arc<dyn Subscription>, BusError> {
        self.shared.own(group, topics)?;
        Ok(Arc::new(MemorySubscription {
            shared: Arc::clone(&self.shared),
            group: group.to_owned(),
            topics: topics.to_vec(),
            closed: Mutex::new(false),
        }))
    }
}

impl Shared {
    fn topics(&self) -> MutexGuard<'_, BTreeMap<String, Topic>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Moment {
        now() - self.born
    }

    fn try_publish(&self, name: &str, message: &Message) -> bool {
        let mut topics = self.topics();
        let topic = topics.entry(name.to_owned()).or_default();
        if topic.groups.values().any(|group| group.queue.lag() >= self.limits.queue) {
            return false;
        }
        let offset = topic.next_offset;
        topic.next_offset += 1;
        for group in topic.groups.values_mut() {
            group.queue.push(offset, message.clone());
        }
        topic.retained.push_back((offset, message.clone()));
        if topic.retained.len() > self.limits.retained {
            topic.retained.pop_front();
        }
        true
    }

    fn own(&self, group: &str, names: &[String]) -> Result<(), BusError> {
        let mut topics = self.topics();
        let owned = |name: &&String| {
            topics.get(*name).and_then(|topic| topic.groups.get(group)).is_some_and(|group| group.owned)
        };
        let mut seen = HashSet::new();
        if let Some(topic) = names.iter().find(|name| owned(name) || !seen.insert(*name)) {
            return Err(BusError::AlreadyOwned { group: group.to_owned(), topic: topic.clone() });
        }
        for name in names {
            topics.entry(name.clone()).or_default().own(group);
        }
        Ok(())
    }
}

impl Topic {
    fn own(&mut self, group: &str) {
        let retained = &self.retained;
        let group = self.groups.entry(group.to_owned()).or_insert_with(|| {
            let mut group = Group::default();
            retained.iter().for_each(|(offset, message)| group.queue.push(*offset, message.clone()));
            group
        });
        group.owned = true;
    }
}

struct MemorySubscription {
    shared: Arc<Shared>,
    group: String,
    topics: Vec<String>,
    closed: Mutex<bool>,
}

impl MemorySubscription {
    fn is_closed(&self) -> bool {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next delivery of any topic, or when there may be one.
    fn take(&self) -> Result<Delivery, Option<Moment>> {
        let now = self.shared.now();
        let mut topics = self.shared.topics();
        let mut earliest: Option<Moment> = None;
        for name in &self.topics {
            let Some(group) = topics.get_mut(name).and_then(|topic| topic.groups.get_mut(&self.group)) else {
                continue;
            };
            match group.queue.take(now) {
                Next::Ready { offset, attempt, message } => {
                    return Ok(Delivery { topic: name.clone(), offset, attempt, message });
                }
                Next::Wait { until } => earliest = earliest.into_iter().chain(until).min(),
            }
        }
        Err(earliest)
    }

    fn with_queue<T>(&self, topic: &str, act: impl FnOnce(&mut Queue) -> T) -> Option<T> {
        let mut topics = self.shared.topics();
        topics.get_mut(topic)?.groups.get_mut(&self.group).map(|group| act(&mut group.queue))
    }
}

#[async_trait]
impl Subscription for MemorySubscription {
    async fn next(&self) -> Result<Option<Delivery>, BusError> {
        loop {
            let changed = self.shared.changed.notified();
            if self.is_closed() {
                return Ok(None);
            }
            match self.take() {
                Ok(delivery) => return Ok(Some(delivery)),
                Err(None) => changed.await,
                Err(Some(moment)) => tokio::select! {
                    () = changed => {}
                    () = sleep_until(self.shared.born + moment) => {}
                },
            }
        }
    }

    async fn settle(&self, delivery: &Delivery, settlement: Settlement) -> Result<(), BusError> {
        let now = self.shared.now();
        let found = self.with_queue(&delivery.topic, |queue| match settlement {
            Settlement::Done => queue.finish(delivery.offset),
            Settlement::Redeliver { after } => queue.put_back(delivery.offset, now + after),
        });
        self.shared.changed.notify_waiters();
        match found {
            Some(true) => Ok(()),
            _ => Err(BusError::NotInFlight { topic: delivery.topic.clone(), offset: delivery.offset }),
        }
    }

    async fn lag(&self) -> Result<u64, BusError> {
        let lags = self.topics.iter().filter_map(|topic| self.with_queue(topic, |queue| queue.lag()));
        Ok(lags.sum::<usize>() as u64)
    }

    async fn close(&self) {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = true;
        let mut topics = self.shared.topics();
        for name in &self.topics {
            if let Some(group) = topics.get_mut(name).and_then(|topic| topic.groups.get_mut(&self.group)) {
                group.owned = false;
                group.queue.release();
            }
        }
        drop(topics);
        self.shared.changed.notify_waiters();
    }
}

fn now() -> Instant {
    Instant::now()
}
