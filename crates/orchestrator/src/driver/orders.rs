//! Hands what somebody wants of a run to the run, while it is driven in this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use onex_node::{RunId, Timestamp};
use uuid::Uuid;

use crate::event::Event;

/// What somebody can want of a run that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// That it stops.
    Cancel,
    /// That it begins nothing.
    Pause,
    /// That it goes on.
    Resume,
}

impl Wish {
    pub(super) fn event(self, at: Timestamp) -> Event {
        match self {
            Self::Cancel => Event::CancelRequested { at },
            Self::Pause => Event::PauseRequested { at },
            Self::Resume => Event::ResumeRequested { at },
        }
    }
}

/// A wish, and the journal's order that it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The order in the journal, which is forgotten when the run has written the wish down; none for a wish of this
    /// process.
    pub id: Option<Uuid>,
    /// What is wanted.
    pub wish: Wish,
}

/// The runs that are driven in this process, by id.
#[derive(Clone, Debug, Default)]
pub struct Orders(Arc<Mutex<HashMap<RunId, UnboundedSender<Order>>>>);

impl Orders {
    /// Gives an order to a run. Tells whether the run is driven here; it may end before it reads the order.
    pub fn give(&self, run_id: RunId, order: Order) -> bool {
        let runs = self.runs();
        runs.get(&run_id).is_some_and(|run| run.unbounded_send(order).is_ok())
    }

    /// The runs that are driven in this process.
    pub fn running(&self) -> Vec<RunId> {
        self.runs().keys().copied().collect()
    }

    pub(super) fn open(&self, run_id: RunId) -> Mailbox {
        let (sender, receiver) = unbounded();
        self.runs().insert(run_id, sender);
        Mailbox { run_id, orders: self.clone(), receiver }
    }

    fn runs(&self) -> MutexGuard<'_, HashMap<RunId, UnboundedSender<Order>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A run's end of it. Nobody can reach the run any more when it is dropped.
#[derive(Debug)]
pub(super) struct Mailbox {
    run_id: RunId,
    orders: Orders,
    pub(super) receiver: UnboundedReceiver<Order>,
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.orders.runs().remove(&self.run_id);
    }
}
