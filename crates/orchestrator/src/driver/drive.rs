//! The loop of one run: commands out, events in, records before anything that the world could see.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use futures::future::{AbortHandle, Either, abortable, select};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use onex_journal::{Append, End, NewRecord};
use onex_node::{Effect, EffectCall, ErrorClass, Failure, IdempotencyKey, Intent, RunId, Timestamp};
use serde_json::Value;
use tracing::debug;
use uuid::Uuid;

use super::orders::{Mailbox, Order, Wish};
use super::{DriveError, NodeOrchestrator, RunEnd, Worker, child};
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

/// What a run wants of those that are its steps when it does not wait for them any more.
const CANCEL: Order = Order { id: None, wish: Wish::Cancel };

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
    under_way: FuturesUnordered<Work>,
    pub(super) aborts: BTreeMap<CallId, AbortHandle>,
    timers: BTreeMap<Timer, AbortHandle>,
    /// Runs that are steps of this one and were told to stop; their answers are of no interest any more.
    stopping: BTreeSet<CallId>,
    /// Runs that are calls of this one.
    children: BTreeMap<CallId, RunId>,
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

    fn carry_out_all(&mut self) {
        while let Some(command) = self.outgoing.pop_front() {
            self.carry_out(command);
        }
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Dispatch { call, attempt, intent, timeout } => self.dispatch(call, attempt, intent, timeout),
            Command::Undo { call, attempt, intent, output, timeout } => {
                self.undo(call, attempt, intent, output, timeout);
            }
            Command::Abort { call } => self.abort(&call),
            Command::Arm { timer, after } => self.arm(timer, after),
            Command::Disarm { timer } => {
                self.timers.remove(&timer).iter().for_each(AbortHandle::abort);
            }
            Command::Compute { .. } | Command::Finish => {}
        }
    }

    fn arm(&mut self, timer: Timer, after: Duration) {
        let clock = Arc::clone(&self.worker.clock);
        let fired = timer.clone();
        let (work, abort) = abortable(async move {
            tokio::time::sleep(after).await;
            Event::TimerFired { timer: fired, at: clock.now() }
        });
        self.timers.insert(timer, abort);
        self.under_way.push(Box::pin(async move { work.await.ok() }));
    }

    /// Stops waiting for a call. A run that it is goes on until it has stopped in order.
    fn abort(&mut self, call: &CallId) {
        if let Some(child) = self.children.get(call) {
            self.worker.orders.give(*child, CANCEL);
            self.stopping.insert(call.clone());
        }
        self.aborts.remove(call).iter().for_each(AbortHandle::abort);
    }

    fn dispatch(&mut self, id: CallId, attempt: u32, intent: Intent, timeout: Duration) {
        debug!(run_id = %self.run_id, step = %id.step, attempt, kind = intent.kind, "effect dispatched");
        let index = self.orchestrator.plan.index_of(&id.step);
        if index.is_some_and(|index| self.orchestrator.plan.steps[index].is_workflow()) {
            return self.run_child(id, attempt, intent, timeout);
        }
        let effect = self.effect_for(&id, &intent.kind);
        let call = self.effect_call(&id, attempt, intent, timeout);
        let clock = Arc::clone(&self.worker.clock);
        self.start(id.clone(), async move {
            let result = attempted(&call, async { effect?.execute(&call).await }).await;
            answer(id, attempt, result, clock.now())
        });
    }

    fn run_child(&mut self, id: CallId, attempt: u32, intent: Intent, timeout: Duration) {
        let (worker, most, name) = (self.worker.clone(), self.state.limits().depth, intent.kind.clone());
        let request = child::request(&self.state, &id, attempt, intent);
        self.children.insert(id.clone(), request.run_id);
        self.under_way.push(Box::pin(async move {
            let child = request.run_id;
            let mut running = pin!(child::run(&worker, &name, request, most));
            let result = match tokio::time::timeout(timeout, &mut running).await {
                Ok(result) => result,
                Err(_) => {
                    worker.orders.give(child, CANCEL);
                    running.await.map_err(|_| took_too_long(&name, timeout))
                }
            };
            Some(answer(id, attempt, result, worker.clock.now()))
        }));
    }

    fn undo(&mut self, id: CallId, attempt: u32, intent: Intent, output: Value, timeout: Duration) {
        debug!(run_id = %self.run_id, step = %id.step, attempt, kind = intent.kind, "undo dispatched");
        let effect = self.effect_for(&id, &intent.kind);
        let call = self.effect_call(&id, attempt, intent, timeout);
        let clock = Arc::clone(&self.worker.clock);
        self.start(id.clone(), async move {
            let result = attempted(&call, async { effect?.undo(&call, &output).await }).await;
            let at = clock.now();
            match result {
                Ok(()) => Event::UndoSucceeded { call: id, at },
                Err(failure) => Event::UndoFailed { call: id, attempt, failure, at },
            }
        });
    }

    fn start(&mut self, call: CallId, work: impl Future<Output = Event> + Send + 'static) {
        let (work, abort) = abortable(work);
        self.aborts.insert(call, abort);
        self.under_way.push(Box::pin(async move { work.await.ok() }));
    }

    fn effect_for(&self, call: &CallId, kind: &str) -> Result<Arc<dyn Effect>, Failure> {
        let index = self.orchestrator.plan.index_of(&call.step);
        let name = index.and_then(|index| self.orchestrator.plan.steps[index].effect_for(kind));
        let no_route = || Failure::new(ErrorClass::Validation, "ONEX3021", format!("no effect carries out `{kind}`"));
        self.orchestrator.nodes.effect(name.ok_or_else(no_route)?).map_err(|_| no_route())
    }

    fn effect_call(&self, call: &CallId, attempt: u32, intent: Intent, timeout: Duration) -> EffectCall {
        EffectCall {
            intent,
            idempotency_key: IdempotencyKey::new(self.run_id, &call.step, call.call),
            run_id: self.run_id,
            correlation_id: self.state.correlation_id(),
            attempt,
            timeout,
        }
    }
}

/// One attempt, cancelled when it takes too long (G-40). An effect that panics has failed (O-51).
async fn attempted<T>(
    call: &EffectCall,
    attempt: impl Future<Output = Result<T, Failure>> + Send,
) -> Result<T, Failure> {
    let kind = &call.intent.kind;
    let caught = AssertUnwindSafe(attempt).catch_unwind();
    match tokio::time::timeout(call.timeout, caught).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(nodes::panicked(&format!("the effect of `{kind}`"))),
        Err(_) => Err(took_too_long(kind, call.timeout)),
    }
}

fn took_too_long(what: &str, timeout: Duration) -> Failure {
    let message = format!("`{what}` took longer than {} ms", timeout.as_millis());
    Failure::new(ErrorClass::Timeout, "ONEX3024", message)
}

fn answer(call: CallId, attempt: u32, result: Result<Value, Failure>, at: Timestamp) -> Event {
    match result {
        Ok(output) => Event::CallSucceeded { call, attempt, output, at },
        Err(failure) => Event::CallFailed { call, attempt, failure, at },
    }
}
