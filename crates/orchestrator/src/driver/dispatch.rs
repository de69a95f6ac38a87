//! Carries out what a run asks for: attempts of effects and of undoing them, runs that are its steps, and timers. Each is
//! started here and ends with an event, unless it is called off.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{AbortHandle, abortable};
use onex_node::{Effect, EffectCall, ErrorClass, Failure, IdempotencyKey, Intent, Timestamp};
use serde_json::Value;
use tracing::debug;

use super::child;
use super::drive::Drive;
use super::orders::{Order, Wish};
use crate::event::{CallId, Command, Event, Timer};
use crate::nodes;

/// What a run wants of those that are its steps when it does not wait for them any more.
const CANCEL: Order = Order { id: None, wish: Wish::Cancel };

impl Drive<'_> {
    pub(super) fn carry_out_all(&mut self) {
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
        let abort = self.start(async move {
            tokio::time::sleep(after).await;
            Event::TimerFired { timer: fired, at: clock.now() }
        });
        self.timers.insert(timer, abort);
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
        self.start_call(id.clone(), async move {
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
        self.start_call(id.clone(), async move {
            let result = attempted(&call, async { effect?.undo(&call, &output).await }).await;
            let at = clock.now();
            match result {
                Ok(()) => Event::UndoSucceeded { call: id, at },
                Err(failure) => Event::UndoFailed { call: id, attempt, failure, at },
            }
        });
    }

    fn start_call(&mut self, call: CallId, work: impl Future<Output = Event> + Send + 'static) {
        let abort = self.start(work);
        self.aborts.insert(call, abort);
    }

    fn start(&mut self, work: impl Future<Output = Event> + Send + 'static) -> AbortHandle {
        let (work, abort) = abortable(work);
        self.under_way.push(Box::pin(async move { work.await.ok() }));
        abort
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
