//! The loop of one run: commands out, events in, records before anything that the world could see.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use futures::future::{AbortHandle, Either, select};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use onex_journal::{Append, End, NewRecord};
use onex_node::RunId;
use serde_json::Value;
use uuid::Uuid;

use super::orders::{Mailbox, Order};
use super::{DriveError, NodeOrchestrator, RunEnd, Worker};
use crate::event::{CallId, Command, Event, Timer};
use crate::nodes;
use crate::state::{Refusal, RunState};

/// What a run can wait for.
enum Next {
    /// Work that ended, with an event unless it was aborted.
    Ended(Option<Event>),
    /// Somebody's wish.
    Told(Order),
}

/// Something under way that ends with an event, unless it is aborted.
type Work = Pin<Box<dyn Future<Output = Option<Event>> + Send>>;

pub(super) struct Drive<'a> {
    pub(super) orchestrator: &'a NodeOrchestrator,
    pub(super) worker: &'a Worker,
    pub(super) run_id: RunId,
    pub(super) state: RunState,
    pub(super) epoch: u64,
    pub(super) sequence: u64,
    /// Records not yet written.
    pub(super) held_back: Vec<NewRecord>,
    /// Commands not yet carried out.
    pub(super) outgoing: VecDeque<Command>,
    pub(super) under_way: FuturesUnordered<Work>,
    pub(super) aborts: BTreeMap<CallId, AbortHandle>,
    pub(super) timers: BTreeMap<Timer, AbortHandle>,
    /// Runs that are steps of this one and were told to stop; their answers are of no interest any more.
    pub(super) stopping: BTreeSet<CallId>,
    /// Runs that are calls of this one.
    pub(super) children: BTreeMap<CallId, RunId>,
    mailbox: Mailbox,
    /// Orders whose wishes are among the records not yet written.
    settled_orders: Vec<Uuid>,
}

/// What an event is written as: itself, and the hash of all that was computed before it.
pub(super) fn body(event: &Event, before: &RunState) -> Value {
    let mut body = serde_json::to_value(event).unwrap_or(Value::Null);
    if let Some(map) = body.as_object_mut() {
        map.insert("pure_hash".to_owned(), Value::String(before.pure_hash()));
    }
    body
}

impl<'a> Drive<'a> {
    pub(super) fn new(orchestrator: &'a NodeOrchestrator, worker: &'a Worker, run_id: RunId, epoch: u64) -> Box<Self> {
        Box::new(Self {
            state: RunState::new(run_id, Arc::clone(&orchestrator.plan)),
            orchestrator,
            worker,
            run_id,
            epoch,
            sequence: 1,
            held_back: Vec::new(),
            outgoing: VecDeque::new(),
            under_way: FuturesUnordered::new(),
            aborts: BTreeMap::new(),
            timers: BTreeMap::new(),
            stopping: BTreeSet::new(),
            children: BTreeMap::new(),
            mailbox: worker.orders.open(run_id),
            settled_orders: Vec::new(),
        })
    }

    /// Feeds one event and everything pure that follows from it.
    pub(super) fn take(&mut self, event: Event) -> Result<(), DriveError> {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let commands =
                self.state.apply(event).map_err(|source| DriveError::Refused { run_id: self.run_id, source })?;
            for command in commands {
                match command {
                    Command::Compute { step } => {
                        let result = nodes::compute(&self.state, &self.orchestrator.nodes, &step);
                        events.push_back(Event::Computed { step, result });
                    }
                    Command::Finish => {}
                    outgoing => self.outgoing.push_back(outgoing),
                }
            }
        }
        Ok(())
    }

    /// Goes on until the run is over.
    pub(super) async fn go_on(mut self: Box<Self>) -> Result<RunEnd, DriveError> {
        while !self.state.is_finished() {
            self.write().await?;
            let may_rest = self.may_rest();
            self.carry_out_all();
            let event = if may_rest { self.rest().await? } else { self.next_event().await? };
            self.happened(event)?;
            self.gather()?;
        }
        self.stop_children().await?;
        Box::pin(self.finish()).await
    }

    /// Takes what else has happened by now, so that outcomes that arrive together are written together. Once something
    /// is to be called off nothing more is taken, since it may be what is not wanted any more.
    fn gather(&mut self) -> Result<(), DriveError> {
        let asks_for_more = |command: &Command| matches!(command, Command::Dispatch { .. } | Command::Arm { .. });
        while !self.state.is_finished() && self.outgoing.iter().all(asks_for_more) {
            match self.under_way.next().now_or_never().flatten() {
                Some(Some(event)) if !self.has_stopped(&event) => self.happened(event)?,
                Some(_) => {}
                None => break,
            }
        }
        Ok(())
    }

    /// A run ends after those that are its steps. Why they are to stop is written down before they are told.
    async fn stop_children(&mut self) -> Result<(), DriveError> {
        if self.children.is_empty() {
            return Ok(());
        }
        self.write().await?;
        self.carry_out_all();
        while !self.stopping.is_empty() {
            let Some(ended) = self.under_way.next().await else { break };
            ended.iter().for_each(|event| {
                self.has_stopped(event);
            });
        }
        Ok(())
    }

    /// Whether the event is the answer of a child that was told to stop.
    fn has_stopped(&mut self, event: &Event) -> bool {
        let (Event::CallSucceeded { call, .. } | Event::CallFailed { call, .. }) = event else { return false };
        self.children.remove(call);
        self.stopping.remove(call)
    }

    /// Takes an event that is news to the run's journal.
    pub(super) fn happened(&mut self, event: Event) -> Result<(), DriveError> {
        if let Some(kind) = event.record_kind() {
            self.held_back.push(NewRecord { kind: kind.to_owned(), body: body(&event, &self.state) });
        }
        self.take(event)
    }

    /// What happens next. Aborted work ends without a word; a paused run may have nothing under way.
    pub(super) async fn next_event(&mut self) -> Result<Event, DriveError> {
        loop {
            match self.next().await {
                Some(Next::Ended(Some(event))) if !self.has_stopped(&event) => return Ok(event),
                Some(Next::Ended(_)) => {}
                Some(Next::Told(order)) => {
                    self.settled_orders.extend(order.id);
                    return Ok(order.wish.event(self.worker.clock.now()));
                }
                None => return Err(self.stuck()),
            }
        }
    }

    /// What ends or is wanted next; `None` when nothing ever will.
    async fn next(&mut self) -> Option<Next> {
        let order = self.mailbox.receiver.next();
        if !self.under_way.is_empty() {
            return match select(self.under_way.next(), order).await {
                Either::Left((ended, _)) => ended.map(Next::Ended),
                Either::Right((order, _)) => order.map(Next::Told),
            };
        }
        if self.state.is_paused() { order.await.map(Next::Told) } else { None }
    }

    /// The defect that would otherwise be a run that hangs.
    pub(super) fn stuck(&self) -> DriveError {
        DriveError::Refused { run_id: self.run_id, source: Refusal::Stuck }
    }

    /// Writes down what happened, before anything is done about it and before the run waits.
    async fn write(&mut self) -> Result<(), DriveError> {
        if self.held_back.is_empty() {
            return Ok(());
        }
        let records = std::mem::take(&mut self.held_back);
        self.append(records, None).await
    }

    pub(super) async fn append(&mut self, records: Vec<NewRecord>, end: Option<End>) -> Result<(), DriveError> {
        let run_id = self.run_id;
        let (epoch, expected_sequence) = (self.epoch, self.sequence);
        let settled_orders = std::mem::take(&mut self.settled_orders);
        let append = Append { run_id, epoch, expected_sequence, records, end, settled_orders };
        let appended = self.worker.journal.append(append).await;
        self.sequence = appended.map_err(|source| DriveError::Journal { run_id, source })?;
        Ok(())
    }
}
