//! Decides which backend carries out a registration intent, and runs it there.
//!
//! The backends are a list: the first that handles the kind is meant. Each has a [`Gate`] of its own,
//! so that one that does not answer is left alone while the others work.

use std::sync::Arc;

use async_trait::async_trait;
use onex_event::RegistrationIntent;
use onex_node::{Effect, EffectCall, ErrorClass, Failure, Intent};
use serde_json::{Value, json};

use crate::backend::RegistryBackend;
use crate::breaker::BreakerSettings;
use crate::codes;
use crate::gate::Gate;
use crate::message::safe_message;

struct Watched {
    backend: Arc<dyn RegistryBackend>,
    gate: Gate,
}

/// The effect node of node registration, over any number of backends.
///
/// Its output is `{"backend": "consul", "outcome": "created", "already_applied": false}`.
pub struct RegistryEffect {
    watched: Vec<Watched>,
}

impl RegistryEffect {
    /// An effect over `backends`, each behind its own breaker with these settings.
    pub fn new(backends: Vec<Arc<dyn RegistryBackend>>, settings: BreakerSettings) -> Self {
        let watch = |backend: Arc<dyn RegistryBackend>| {
            let gate = Gate::new(backend.name(), settings);
            Watched { backend, gate }
        };
        Self { watched: backends.into_iter().map(watch).collect() }
    }

    /// The backends, in the order they are asked.
    pub fn backends(&self) -> impl Iterator<Item = &Arc<dyn RegistryBackend>> {
        self.watched.iter().map(|watched| &watched.backend)
    }

    /// Names of the backends whose breaker is refusing calls.
    pub fn open_breakers(&self) -> Vec<&str> {
        self.watched.iter().filter(|watched| watched.gate.is_open()).map(|watched| watched.backend.name()).collect()
    }

    fn find(&self, kind: &str) -> Option<&Watched> {
        self.watched.iter().find(|watched| watched.backend.handles(kind))
    }

    fn resolve(&self, intent: &Intent) -> Result<(&Watched, RegistrationIntent), Failure> {
        let watched = self.find(&intent.kind).ok_or_else(|| self.unknown(&intent.kind))?;
        Ok((watched, decode(intent)?))
    }

    fn unknown(&self, kind: &str) -> Failure {
        let names: Vec<_> = self.backends().map(|backend| backend.name()).collect();
        let message = format!("no backend carries out `{kind}`; configured: {}", names.join(", "));
        Failure::new(ErrorClass::Validation, codes::UNKNOWN_KIND, safe_message(&message))
    }
}

#[async_trait]
impl Effect for RegistryEffect {
    async fn execute(&self, call: &EffectCall) -> Result<Value, Failure> {
        let (watched, intent) = self.resolve(&call.intent)?;
        let work = watched.backend.apply(&intent, &call.idempotency_key);
        let applied = watched.gate.pass(call.timeout, work).await?;
        Ok(json!({
            "backend": watched.backend.name(),
            "outcome": applied.outcome.as_str(),
            "already_applied": applied.already_applied,
        }))
    }

    fn can_undo(&self, kind: &str) -> bool {
        self.find(kind).is_some_and(|watched| watched.backend.undoes(kind))
    }

    async fn undo(&self, call: &EffectCall, _output: &Value) -> Result<(), Failure> {
        let (watched, intent) = self.resolve(&call.intent)?;
        let work = watched.backend.undo(&intent, &call.idempotency_key);
        watched.gate.pass(call.timeout, work).await
    }
}

fn decode(intent: &Intent) -> Result<RegistrationIntent, Failure> {
    RegistrationIntent::from_parts(&intent.kind, &intent.payload).map_err(|error| {
        let message = format!("payload of `{}`: {error}", intent.kind);
        Failure::new(ErrorClass::Validation, codes::BAD_PAYLOAD, safe_message(&message))
    })
}

#[cfg(test)]
mod tests {
    use super::RegistryEffect;
    use crate::{Applied, AppliedOutcome, BreakerSettings, RegistryBackend, RegistryEntry};
    use async_trait::async_trait;
    use onex_event::RegistrationIntent;
    use onex_node::{Effect, EffectCall, ErrorClass, Failure, IdempotencyKey, Intent, RunId};
    use serde_json::{Value, json};
    use std::sync::Arc;
    use std::time::Duration;
    use uuid::Uuid;

    struct Backend {
        name: &'static str,
        result: Result<Applied, Failure>,
    }

    #[async_trait]
    impl RegistryBackend for Backend {
        fn name(&self) -> &str {
            self.name
        }

        fn handles(&self, kind: &str) -> bool {
            kind.starts_with(self.name)
        }

        fn undoes(&self, kind: &str) -> bool {
            self.handles(kind) && !kind.ends_with(".deregister")
        }

        async fn apply(&self, _: &RegistrationIntent, _: &IdempotencyKey) -> Result<Applied, Failure> {
            self.result.clone()
        }

        async fn undo(&self, _: &RegistrationIntent, _: &IdempotencyKey) -> Result<(), Failure> {
            self.result.clone().map(drop)
        }

        async fn entries(&self) -> Result<Vec<RegistryEntry>, Failure> {
            Ok(Vec::new())
        }

        async fn check(&self) -> Result<(), Failure> {
            Ok(())
        }
    }

    fn effect() -> RegistryEffect {
        let applied = Applied::now(AppliedOutcome::Created);
        let down = Failure::new(ErrorClass::Connection, "ONEX4006", "cannot reach http://u:hunter2@consul");
        let postgres = Backend { name: "postgres", result: Ok(applied) };
        let consul = Backend { name: "consul", result: Err(down) };
        let settings = BreakerSettings { failure_threshold: 2, ..BreakerSettings::default() };
        RegistryEffect::new(vec![Arc::new(postgres), Arc::new(consul)], settings)
    }

    fn call(kind: &str, payload: Value) -> EffectCall {
        EffectCall {
            intent: Intent { kind: kind.to_owned(), payload },
            idempotency_key: IdempotencyKey::from("run/step"),
            run_id: RunId(Uuid::nil()),
            correlation_id: Uuid::nil(),
            attempt: 1,
            timeout: Duration::from_secs(5),
        }
    }

    fn deregister() -> Value {
        json!({"correlation_id": Uuid::nil(), "node_id": Uuid::nil()})
    }

    fn take_out() -> Value {
        json!({"correlation_id": Uuid::nil(), "service_id": "onex-effect-1"})
    }

    #[tokio::test(start_paused = true)]
    async fn the_output_names_backend_and_outcome() {
        let output = effect().execute(&call("postgres.deregister", deregister())).await.unwrap();
        assert_eq!(output, json!({"backend": "postgres", "outcome": "created", "already_applied": false}));
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_carried_out_is_refused_by_name() {
        let unknown = effect().execute(&call("vault.write", json!({}))).await.unwrap_err();
        assert_eq!((unknown.class, unknown.code.as_str()), (ErrorClass::Validation, "ONEX4002"));
        assert_eq!(unknown.message, "no backend carries out `vault.write`; configured: postgres, consul");
        let payload = json!({"correlation_id": Uuid::nil(), "node_id": "hunter2"});
        let bad = effect().execute(&call("postgres.deregister", payload)).await.unwrap_err();
        assert_eq!((bad.class, bad.code.as_str()), (ErrorClass::Validation, "ONEX4003"));
        assert!(bad.message.starts_with("payload of `postgres.deregister`: node_id"), "{}", bad.message);
    }

    #[tokio::test(start_paused = true)]
    async fn each_backend_has_its_own_breaker() {
        let effect = effect();
        for _ in 0..2 {
            let failure = effect.execute(&call("consul.deregister", take_out())).await.unwrap_err();
            assert_eq!(failure.message, "cannot reach http://REDACTED@consul");
        }
        let refused = effect.execute(&call("consul.deregister", take_out())).await.unwrap_err();
        assert_eq!(refused.code, "ONEX4005");
        assert_eq!(effect.open_breakers(), ["consul"]);
        effect.execute(&call("postgres.deregister", deregister())).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn undo_goes_to_the_same_backend() {
        let effect = effect();
        assert!(effect.can_undo("postgres.upsert_registration") && !effect.can_undo("postgres.deregister"));
        assert!(!effect.can_undo("vault.write"));
        effect.undo(&call("postgres.deregister", deregister()), &Value::Null).await.unwrap();
        effect.undo(&call("consul.deregister", take_out()), &Value::Null).await.unwrap_err();
    }
}
