//! Decides what each demand of a batch comes to, in the order of arrival. Later ones see what earlier ones of the
//! same batch did; a refused one leaves nothing behind, so that its neighbours never notice it.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use onex_node::RunId;

use super::request::{Answer, Planned};
use super::row::{ContractRow, MessageRow, OrderRow, RecordRow, RunRow, RunUpdate, StateRow, StateWriteRow};
use super::runs::{Head, Place};
use crate::{JournalError, JournalLimits, RunOrder};

/// A reducer's name and an entity.
pub type EntityKey = (String, String);

/// What a batch's demands are judged by.
#[derive(Debug, Default)]
pub struct Known {
    /// The runs they name, and the parents of those that are to be claimed.
    pub heads: HashMap<RunId, Head>,
    /// The versions of the entities' states they write.
    pub versions: HashMap<EntityKey, u64>,
    /// Of the orders they give, those that were given before.
    pub orders: HashSet<Uuid>,
}

/// What is to be written, each list by one statement.
#[derive(Debug, Default)]
pub struct Rows<'a> {
    /// Contracts; a fingerprint that is known keeps its first.
    pub contracts: Vec<&'a ContractRow>,
    /// New runs, in the order of their start.
    pub runs: Vec<RunRow<'a>>,
    /// Changes of runs that were there, one for each.
    pub updates: Vec<RunUpdate<'a>>,
    /// Records.
    pub records: Vec<&'a RecordRow>,
    /// States, one for each entity.
    pub states: Vec<StateRow<'a>>,
    /// Orders that were there and are settled.
    pub settled_orders: Vec<Uuid>,
    /// New orders.
    pub orders: Vec<OrderRow>,
    /// Changes of the outbox.
    pub outbox: Queue<'a>,
    /// Changes of the inbox.
    pub inbox: Queue<'a>,
}

/// Changes of a table that messages enter and leave: what left does so before the rest enters.
#[derive(Debug, Default)]
pub struct Queue<'a> {
    /// What leaves.
    pub left: Vec<Uuid>,
    /// What enters, in order.
    pub entered: Vec<&'a MessageRow>,
}

/// A batch as decided so far.
#[derive(Debug)]
pub struct Plan<'a> {
    pub(super) limits: JournalLimits,
    pub(super) known: Known,
    pub(super) places: HashMap<RunId, Place>,
    pub(super) rows: Rows<'a>,
    states: HashMap<EntityKey, usize>,
}

impl<'a> Plan<'a> {
    /// Nothing decided yet.
    pub fn new(known: Known, limits: JournalLimits) -> Self {
        Self { limits, known, places: HashMap::new(), rows: Rows::default(), states: HashMap::new() }
    }

    /// Decides the next demand.
    ///
    /// # Errors
    ///
    /// It is refused.
    pub fn decide(&mut self, demand: &'a Planned) -> Result<Answer, JournalError> {
        match demand {
            Planned::SaveContract(contract) => self.rows.contracts.push(contract),
            Planned::Start(start) => return self.start(start).map(Answer::Number),
            Planned::Append(append) => return self.append(append).map(Answer::Number),
            Planned::Renew { claims, lease_until } => return Ok(Answer::Lost(self.renew(claims, *lease_until))),
            Planned::Claim { run_id, lease } => {
                return Ok(Answer::Claims(self.claim(*run_id, lease).into_iter().collect()));
            }
            Planned::SetAside { run_id, reason } => self.set_aside(*run_id, reason)?,
            Planned::Order(order) => self.order(order)?,
            Planned::MarkPublished(ids) => self.rows.outbox.remove(ids),
            Planned::Accept(messages) => self.rows.inbox.entered.extend(messages),
            Planned::Forget(ids) => self.rows.inbox.remove(ids),
        }
        Ok(Answer::Done)
    }

    /// What all decided demands write.
    pub fn into_rows(self) -> Rows<'a> {
        self.rows
    }

    /// As [`Plan::into_rows`], and where that leaves the runs that were named.
    pub fn into_rows_and_heads(self) -> (Rows<'a>, HashMap<RunId, Head>) {
        (self.rows, self.known.heads)
    }

    pub(super) fn check_state(&self, write: &StateWriteRow) -> Result<(), JournalError> {
        let (reducer, entity) = (write.reducer.clone(), write.entity.clone());
        let key = (reducer, entity);
        let current = self.known.versions.get(&key).copied().unwrap_or(0);
        if current == write.expected_version {
            return Ok(());
        }
        let (reducer, entity) = key;
        Err(JournalError::StateConflict { reducer, entity, expected: write.expected_version, current })
    }

    pub(super) fn write_state(&mut self, write: &'a StateWriteRow) {
        let StateWriteRow { reducer, entity, expected_version, state } = write;
        let version = expected_version.saturating_add(1);
        let key = (reducer.clone(), entity.clone());
        self.known.versions.insert(key.clone(), version);
        match self.states.entry(key) {
            Entry::Occupied(place) => {
                let row = &mut self.rows.states[*place.get()];
                (row.version, row.state) = (version, state);
            }
            Entry::Vacant(place) => {
                place.insert(self.rows.states.len());
                let expected_version = *expected_version;
                self.rows.states.push(StateRow { expected_version, version, reducer, entity, state });
            }
        }
    }

    fn order(&mut self, order: &RunOrder) -> Result<(), JournalError> {
        if self.known.orders.contains(&order.id) {
            return Ok(());
        }
        let head = self.known.heads.get(&order.run_id).ok_or(JournalError::RunUnknown { run_id: order.run_id })?;
        order.kind.check(order.run_id, head.status)?;
        self.known.orders.insert(order.id);
        let RunOrder { id, run_id, kind, at } = *order;
        self.rows.orders.push(OrderRow { id, run_id, kind, at: at.into(), settled: false });
        Ok(())
    }

    pub(super) fn settle_order(&mut self, id: Uuid) {
        match self.rows.orders.iter_mut().find(|order| order.id == id) {
            Some(order) => order.settled = true,
            None => self.rows.settled_orders.push(id),
        }
    }
}

impl Queue<'_> {
    pub(super) fn remove(&mut self, ids: &[Uuid]) {
        if !self.entered.is_empty() && !ids.is_empty() {
            let ids: HashSet<_> = ids.iter().collect();
            self.entered.retain(|message| !ids.contains(&message.0));
        }
        self.left.extend(ids);
    }
}
