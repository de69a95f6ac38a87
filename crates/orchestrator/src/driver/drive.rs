//! The loop of one run: commands out, events in, records before anything that the world could see.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::{AbortHandle, abortable};
use futures::stream::FuturesUnordered;
use onex_journal::{Append, NewRecord};
use onex_node::{Effect, EffectCall, ErrorClass, Failure, IdempotencyKey, Intent, RunId};
use serde_json::Value;
use tracing::debug;

use super::{DriveError, NodeOrchestrator, RunEnd, Worker};
use crate::event::{CallId, Command, Event};
use crate::nodes;
use crate::state::RunState;

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
    /// Commands whose effect the world can see.
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
            let commands = self.state.apply(event).map_err(|source| DriveError::Refused { run_id: self.run_id, source })?;
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
    pub(super) async fn to_the_end(mut self) -> Result<RunEnd, DriveError> {
        while !self.state.is_finished() {
            if self.outgoing.iter().any(is_visible) {
                self.write().await?;
            }
            while let Some(command) = self.outgoing.pop_front() {
                self.carry_out(command);
            }
            let event = self.next_event().await;
            if let Some(kind) = event.record_kind() {
                self.held_back.push(NewRecord { kind: kind.to_owned(), body: body(&event, &self.state) });
            }
            self.take(event)?;
        }
        self.finish().await
    }

    /// What happens next. Aborted work ends without a word.
    async fn next_event(&mut self) -> Event {
        loop {
            match self.under_way.next().await {
                Some(Some(event)) => return event,
                Some(None) => {}
                // A run that waits for nothing is a defect of `RunState`; it must not spin.
                None => std::future::pending().await,
            }
        }
    }

    async fn write(&mut self) -> Result<(), DriveError> {
        if self.held_back.is_empty() {
            return Ok(());
        }
        let records = std::mem::take(&mut self.held_back);
        self.append(Append { run_id: self.run_id, epoch: self.epoch, expected_sequence: self.sequence, records, end: None }).await
    }

    pub(super) async fn append(&mut self, append: Append) -> Result<(), DriveError> {
        let run_id = self.run_id;
        let appended = self.worker.journal.append(append).await;
        self.sequence = appended.map_err(|source| DriveError::Journal { run_id, source })?;
        Ok(())
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Dispatch { call, attempt, intent, timeout } => self.dispatch(call, attempt, intent, timeout),
            Command::Undo { call, attempt, intent, output, timeout } => self.undo(call, attempt, intent, output, timeout),
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

    fn dispatch(&mut self, call: CallId, attempt: u32, intent: Intent, timeout: Duration) {
        debug!(run_id = %self.run_id, step = %call.step, attempt, kind = intent.kind, "effect dispatched");
        let effect = self.effect_for(&call, &intent.kind);
        let effect_call = self.effect_call(&call, attempt, intent, timeout);
        let (clock, id) = (Arc::clone(&self.worker.clock), call.clone());
        self.start(call, async move {
            let result = attempted(effect, &effect_call, |effect, call| Box::pin(async move { effect.execute(call).await })).await;
            let at = clock.now();
            match result {
                Ok(output) => Event::CallSucceeded { call: id, attempt, output, at },
                Err(failure) => Event::CallFailed { call: id, attempt, failure, at },
            }
        });
    }

    fn undo(&mut self, call: CallId, attempt: u32, intent: Intent, output: Value, timeout: Duration) {
        debug!(run_id = %self.run_id, step = %call.step, attempt, kind = intent.kind, "undo dispatched");
        let effect = self.effect_for(&call, &intent.kind);
        let effect_call = self.effect_call(&call, attempt, intent, timeout);
        let (clock, id) = (Arc::clone(&self.worker.clock), call.clone());
        self.start(call, async move {
            let result = attempted(effect, &effect_call, |effect, call| {
                let output = output.clone();
                Box::pin(async move { effect.undo(call, &output).await.map(|()| Value::Null) })
            });
            let (result, at) = (result.await, clock.now());
            match result {
                Ok(_) => Event::UndoSucceeded { call: id, at },
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
        let name = index.and_then(|index| nodes::effect_name(&self.orchestrator.plan.steps[index], kind));
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

type Attempt<'c> = Pin<Box<dyn Future<Output = Result<Value, Failure>> + Send + 'c>>;

/// One attempt, cancelled when it takes too long (G-40).
async fn attempted<F>(effect: Result<Arc<dyn Effect>, Failure>, call: &EffectCall, make: F) -> Result<Value, Failure>
where
    F: for<'c> Fn(&'c dyn Effect, &'c EffectCall) -> Attempt<'c> + Send,
{
    let effect = effect?;
    match tokio::time::timeout(call.timeout, make(&*effect, call)).await {
        Ok(result) => result,
        Err(_) => {
            let message = format!("`{}` took longer than {} ms", call.intent.kind, call.timeout.as_millis());
            Err(Failure::new(ErrorClass::Timeout, "ONEX3024", message))
        }
    }
}

/// Whether the world can see a command's effect, so that what led to it must be written down first.
fn is_visible(command: &Command) -> bool {
    match command {
        Command::Dispatch { .. } | Command::Undo { .. } => true,
        Command::Arm { .. } | Command::Abort { .. } | Command::Compute { .. } | Command::Finish => false,
    }
}
