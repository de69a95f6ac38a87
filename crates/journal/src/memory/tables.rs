//! Decides how rows are kept in memory and found again.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use onex_node::{RunId, Timestamp};
use serde_json::Value;
use uuid::Uuid;

use crate::planning::{
    EntityKey, Head, Known, MessageRow, OrderRow, Planned, Prune, Queue, RecordRow, Rows, RunRow, RunUpdate, TakeOver,
};
use crate::{
    Claim, EntityState, InboxMessage, JournalError, OrderKind, OutboxMessage, Record, RunHeader, RunOrder, RunStatus,
    StoredRun,
};

#[derive(Debug, Default)]
pub(super) struct Tables {
    /// By fingerprint: the text, and when it was last saved.
    contracts: HashMap<String, (String, Timestamp)>,
    /// In the order of their start.
    runs: BTreeMap<u64, Run>,
    positions: HashMap<RunId, u64>,
    started: u64,
    states: HashMap<EntityKey, (u64, String)>,
    orders: Vec<OrderRow>,
    outbox: Messages,
    inbox: Messages,
}

/// Messages in the order they entered.
#[derive(Debug, Default)]
struct Messages {
    rows: BTreeMap<u64, MessageRow>,
    positions: HashMap<Uuid, u64>,
    entered: u64,
}

#[derive(Debug)]
struct Run {
    header: RunHeader,
    bytes: u64,
    records: Vec<RecordRow>,
}

impl Tables {
    /// What a demand is judged by.
    pub(super) fn known(&self, demand: &Planned) -> Known {
        let mut known = Known::default();
        let named = demand.run_ids().into_iter().filter_map(|run_id| Some((run_id, self.run(run_id)?.head())));
        known.heads.extend(named);
        let parents: Vec<_> = known.heads.values().filter_map(|head| head.parent).collect();
        known.heads.extend(parents.into_iter().filter_map(|run_id| Some((run_id, self.run(run_id)?.head()))));
        for write in demand.states() {
            let key = (write.reducer.clone(), write.entity.clone());
            if let Some((version, _)) = self.states.get(&key) {
                known.versions.insert(key, *version);
            }
        }
        let given = demand.order().filter(|id| self.orders.iter().any(|order| order.id == *id));
        known.orders.extend(given);
        known
    }

    /// Keeps what a plan came to.
    pub(super) fn write(&mut self, rows: Rows<'_>, now: Timestamp) {
        for contract in rows.contracts {
            let kept = self.contracts.entry(contract.0.clone()).or_insert_with(|| (contract.1.clone(), now));
            kept.1 = now;
        }
        rows.runs.iter().for_each(|row| self.insert(row));
        rows.updates.iter().for_each(|update| self.update(update));
        for record in rows.records {
            if let Some(run) = self.run_mut(record.0) {
                run.records.push(record.clone());
            }
        }
        for row in rows.states {
            self.states.insert((row.reducer.to_owned(), row.entity.to_owned()), (row.version, row.state.to_owned()));
        }
        let settled: HashSet<_> = rows.settled_orders.into_iter().collect();
        self.orders.iter_mut().filter(|order| settled.contains(&order.id)).for_each(|order| order.settled = true);
        self.orders.extend(rows.orders);
        self.outbox.exchange(&rows.outbox);
        self.inbox.exchange(&rows.inbox);
    }

    pub(super) fn contract(&self, fingerprint: &str) -> Option<String> {
        Some(self.contracts.get(fingerprint)?.0.clone())
    }

    pub(super) fn load(&self, run_id: RunId) -> Result<Option<StoredRun>, JournalError> {
        let Some(run) = self.run(run_id) else { return Ok(None) };
        let records = run.records.iter().map(record).collect::<Result<_, _>>()?;
        Ok(Some(StoredRun { header: run.header.clone(), records }))
    }

    /// Newest first.
    pub(super) fn headers(&self, status: Option<RunStatus>, limit: usize) -> Vec<RunHeader> {
        let newest_first = self.runs.values().rev();
        let chosen = newest_first.filter(|run| status.is_none_or(|status| run.header.status == status));
        chosen.take(limit).map(|run| run.header.clone()).collect()
    }

    pub(super) fn take_over(&mut self, take_over: &TakeOver) -> Vec<Claim> {
        let free =
            self.runs.iter().filter(|(_, run)| run.head().is_free_for(take_over) && !self.has_unfinished_parent(run));
        let mut free: Vec<_> = free.map(|(position, run)| (run.header.lease_until, *position)).collect();
        free.sort_unstable();
        free.truncate(take_over.limit as usize);
        free.into_iter().filter_map(|(_, position)| Some(self.runs.get_mut(&position)?.taken_by(take_over))).collect()
    }

    pub(super) fn orders(&self, owner: &str, limit: usize) -> Vec<RunOrder> {
        let waiting = self.orders.iter().filter(|order| self.waits(order));
        let for_owner = waiting.filter(|order| {
            order.kind == OrderKind::Retry || self.run(order.run_id).is_some_and(|run| run.header.owner == owner)
        });
        for_owner.take(limit).map(run_order).collect()
    }

    pub(super) fn prune(&mut self, prune: Prune) -> u64 {
        let before: Timestamp = prune.ended_before.into();
        let old = self.runs.iter().filter_map(|(position, run)| Some((run.header.ended_at?, *position, run)));
        let old = old.filter(|(ended_at, _, run)| *ended_at < before && !self.is_needed(run));
        let mut old: Vec<_> = old.map(|(ended_at, position, _)| (ended_at, position)).collect();
        old.sort_unstable();
        old.truncate(prune.limit as usize);
        let removed: HashSet<_> = old.iter().filter_map(|(_, position)| self.remove(*position)).collect();
        self.orders.retain(|order| !removed.contains(&order.run_id));
        let kept: HashSet<_> = self.runs.values().map(|run| run.header.contract_fingerprint.as_str()).collect();
        self.contracts.retain(|fingerprint, (_, saved_at)| kept.contains(fingerprint.as_str()) || *saved_at >= before);
        removed.len() as u64
    }

    pub(super) fn entity_state(&self, reducer: &str, entity: &str) -> Result<Option<EntityState>, JournalError> {
        let stored = self.states.get(&(reducer.to_owned(), entity.to_owned()));
        let Some((version, state)) = stored else { return Ok(None) };
        Ok(Some(EntityState { version: *version, state: json(state)? }))
    }

    pub(super) fn outbox(&self, limit: usize) -> Result<Vec<OutboxMessage>, JournalError> {
        let message = |row: &MessageRow| {
            let envelope = json(&row.3)?;
            Ok(OutboxMessage { id: row.0, topic: row.1.clone(), key: row.2.clone(), envelope })
        };
        self.outbox.rows.values().take(limit).map(message).collect()
    }

    pub(super) fn inbox(&self, limit: usize) -> Vec<InboxMessage> {
        let message = |row: &MessageRow| InboxMessage {
            id: row.0,
            topic: row.1.clone(),
            key: row.2.clone(),
            body: row.3.clone(),
        };
        self.inbox.rows.values().take(limit).map(message).collect()
    }

    fn insert(&mut self, row: &RunRow<'_>) {
        self.started += 1;
        self.positions.insert(row.run_id, self.started);
        self.runs.insert(self.started, Run { header: header(row), bytes: row.bytes, records: Vec::new() });
    }

    fn update(&mut self, update: &RunUpdate<'_>) {
        if let Some(run) = self.run_mut(update.run_id) {
            run.apply(update);
        }
    }

    fn remove(&mut self, position: u64) -> Option<RunId> {
        let run_id = self.runs.remove(&position)?.header.run_id;
        self.positions.remove(&run_id);
        Some(run_id)
    }

    /// Whether an ended run has to stay, however old it is.
    fn is_needed(&self, run: &Run) -> bool {
        let run_id = run.header.run_id;
        run.header.status == RunStatus::SetAside
            || self.outbox.rows.values().any(|message| message.4 == Some(run_id))
            || self.orders.iter().any(|order| order.run_id == run_id && self.waits(order))
            || self.runs.values().any(|child| child.header.parent == Some(run_id) && child.header.ended_at.is_none())
    }

    fn waits(&self, order: &OrderRow) -> bool {
        let status = self.run(order.run_id).map(|run| run.header.status);
        !order.settled && status.is_some_and(|status| order.kind.check(order.run_id, status).is_ok())
    }

    fn has_unfinished_parent(&self, run: &Run) -> bool {
        let parent = run.header.parent.and_then(|parent| self.run(parent));
        parent.is_some_and(|parent| parent.header.status == RunStatus::Running)
    }

    fn run(&self, run_id: RunId) -> Option<&Run> {
        self.runs.get(self.positions.get(&run_id)?)
    }

    fn run_mut(&mut self, run_id: RunId) -> Option<&mut Run> {
        self.runs.get_mut(self.positions.get(&run_id)?)
    }
}

impl Run {
    fn head(&self) -> Head {
        Head {
            epoch: self.header.epoch,
            status: self.header.status,
            sequence: self.records.last().map_or(0, |record| record.1),
            bytes: self.bytes,
            owner: self.header.owner.clone(),
            lease_until: self.header.lease_until.into(),
            parent: self.header.parent,
        }
    }

    fn taken_by(&mut self, take_over: &TakeOver) -> Claim {
        let header = &mut self.header;
        header.epoch += 1;
        header.owner.clone_from(&take_over.owner);
        header.lease_until = take_over.lease_until.into();
        Claim { run_id: header.run_id, epoch: header.epoch }
    }

    fn apply(&mut self, update: &RunUpdate<'_>) {
        let (header, change) = (&mut self.header, &update.change);
        self.bytes += change.added_bytes;
        header.status = change.status.unwrap_or(header.status);
        header.ended_at = change.ended_at.map(Timestamp::from).or(header.ended_at);
        header.epoch = change.epoch.unwrap_or(header.epoch);
        header.lease_until = change.lease_until.map_or(header.lease_until, Timestamp::from);
        if let Some(owner) = change.owner {
            owner.clone_into(&mut header.owner);
        }
        if let Some(reason) = change.reason {
            header.reason = Some(reason.to_owned());
        }
    }
}

impl Messages {
    fn exchange(&mut self, queue: &Queue<'_>) {
        for id in &queue.left {
            if let Some(position) = self.positions.remove(id) {
                self.rows.remove(&position);
            }
        }
        for message in &queue.entered {
            if let Entry::Vacant(place) = self.positions.entry(message.0) {
                self.entered += 1;
                place.insert(self.entered);
                self.rows.insert(self.entered, (*message).clone());
            }
        }
    }
}

fn header(row: &RunRow<'_>) -> RunHeader {
    RunHeader {
        run_id: row.run_id,
        orchestrator: row.orchestrator.to_owned(),
        contract_fingerprint: row.contract_fingerprint.to_owned(),
        entity: row.entity.map(str::to_owned),
        status: row.status,
        owner: row.owner.to_owned(),
        epoch: row.epoch,
        lease_until: row.lease_until.into(),
        parent: row.parent,
        started_at: row.started_at.into(),
        ended_at: row.ended_at.map(Timestamp::from),
        reason: row.reason.map(str::to_owned),
    }
}

fn run_order(order: &OrderRow) -> RunOrder {
    RunOrder { id: order.id, run_id: order.run_id, kind: order.kind, at: order.at.into() }
}

fn record(row: &RecordRow) -> Result<Record, JournalError> {
    Ok(Record { sequence: row.1, kind: row.2.clone(), body: json(&row.3)? })
}

fn json(text: &str) -> Result<Value, JournalError> {
    serde_json::from_str(text).map_err(|error| JournalError::corrupt("a text", error))
}
