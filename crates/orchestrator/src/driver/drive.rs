//! The loop of one run: commands out, events in, records before anything that the world could see.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{AbortHandle, abortable};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use onex_journal::{Append, End, NewRecord};
use onex_node::{Effect, EffectCall, ErrorClass, Failure, IdempotencyKey, Intent, RunId};
use serde_json::Value;
use tracing::debug;

use super::{DriveError, NodeOrchestrator, RunEnd, Worker};
use crate::event::{CallId, Command, Event};
use crate::nodes;
use crate::state::{Refusal, RunState};

/// Something under way that ends with an event, unless it is aborted.
type Work = Pin<Box<dyn Future<Output = Option<Event>> + Send>>;

pub(super) struct Drive<'a> {
    pub(super) orchestrator: &'a NodeOrchestrator,
    pub(super) worker: &'a Worker,
    pub(super) run_id: RunId,
    pub(super) state: RunState,
    epoch: u64,
    pub(super) sequence: u64,
    /// Records not yet written.
    pub(super) held_back: Vec<NewRecord>,
    /// Commands not yet carried out.
    pub(super) outgoing: VecDeque<Command>,
    under_way: FuturesUnordered<Work>,
    aborts: BTreeMap<CallId, AbortHandle>,
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
    pub(super) fn new(orchestrator: &'a NodeOrchestrator, worker: &'a Worker, run_id: RunId, epoch: u64) -> Self {
        Self {
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
        }
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
    pub(super) async fn go_on(mut self) -> Result<RunEnd, DriveError> {
        while !self.state.is_finished() {
            self.write().await?;
            while let Some(command) = self.outgoing.pop_front() {
                self.carry_out(command);
            }
            let event = self.next_event().await?;
            self.happened(event)?;
        }
        self.finish().await
    }

    /// Takes an event that is news to the run's journal.
    pub(super) fn happened(&mut self, event: Event) -> Result<(), DriveError> {
        if let Some(kind) = event.record_kind() {
            self.held_back.push(NewRecord { kind: kind.to_owned(), body: body(&event, &self.state) });
        }
        self.take(event)
    }

    /// What happens next. Aborted work ends without a word.
    async fn next_event(&mut self) -> Result<Event, DriveError> {
        loop {
            match self.under_way.next().await {
                Some(Some(event)) => return Ok(event),
                Some(None) => {}
                None => return Err(self.stuck()),
            }
        }
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
        let (epoch, expected_sequence, settled_orders) = (self.epoch, self.sequence, Vec::new());
        let append = Append { run_id, epoch, expected_sequence, records, end, settled_orders };
        let appended = self.worker.journal.append(append).await;
        self.sequence = appended.map_err(|source| DriveError::Journal { run_id, source })?;
        Ok(())
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Dispatch { call, attempt, intent, timeout } => self.dispatch(call, attempt, intent, timeout),
            Command::Undo { call, attempt, intent, output, timeout } => {
                self.undo(call, attempt, intent, output, timeout);
            }
            Command::Abort { call } => {
                self.aborts.remove(&call).iter().for_each(AbortHandle::abort);
            }
            Command::Arm { timer, after } => {
                let clock = Arc::clone(&self.worker.clock);
                self.under_way.push(Box::pin(async move {
                    tokio::time::sleep(after).await;
                    Some(Event::TimerFired { timer, at: clock.now() })
                }));
            }
            Command::Compute { .. } | Command::Finish => {}
        }
    }

    fn dispatch(&mut self, id: CallId, attempt: u32, intent: Intent, timeout: Duration) {
        debug!(run_id = %self.run_id, step = %id.step, attempt, kind = intent.kind, "effect dispatched");
        let effect = self.effect_for(&id, &intent.kind);
        let call = self.effect_call(&id, attempt, intent, timeout);
        let clock = Arc::clone(&self.worker.clock);
        self.start(id.clone(), async move {
            let result = attempted(&call, async { effect?.execute(&call).await }).await;
            let at = clock.now();
            match result {
                Ok(output) => Event::CallSucceeded { call: id, attempt, output, at },
                Err(failure) => Event::CallFailed { call: id, attempt, failure, at },
            }
        });
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
        Err(_) => {
            let message = format!("`{kind}` took longer than {} ms", call.timeout.as_millis());
            Err(Failure::new(ErrorClass::Timeout, "ONEX3024", message))
        }
    }
}
