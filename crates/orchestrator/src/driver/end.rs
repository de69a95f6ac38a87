//! Ends a run in one commit: its last records, its outgoing messages, and its entity's state.

use onex_event::{Envelope, NewEnvelope, Topic};
use onex_journal::{End, NewRecord, OutboxMessage, StateWrite};
use serde_json::{Value, json};
use uuid::Uuid;

use super::drive::Drive;
use super::{DriveError, RunEnd};
use crate::nodes;
use crate::state::{Outcome, Publication};

/// The kind of a run's last record.
pub(super) const ENDED: &str = "ended";

impl Drive<'_> {
    pub(super) async fn finish(mut self: Box<Self>) -> Result<RunEnd, DriveError> {
        let end = self.end()?;
        let mut records = std::mem::take(&mut self.held_back);
        records.push(ended(&end.outcome));
        let (outbox, states) = (end.messages.clone(), self.states(&end.outcome)?);
        let committed = End { status: end.outcome.status, at: self.state.now(), outbox, states };
        self.append(records, Some(committed)).await?;
        Ok(end)
    }

    /// The end of a finished run.
    pub(super) fn end(&self) -> Result<RunEnd, DriveError> {
        let outcome = self.state.outcome().ok_or_else(|| self.stuck())?;
        let messages = outcome.publications.iter().map(|publication| self.message(publication)).collect();
        Ok(RunEnd { run_id: self.run_id, outcome, messages, results: self.state.results() })
    }

    /// The envelope of a publication; its id is the same over every attempt to end the run.
    fn message(&self, publication: &Publication) -> OutboxMessage {
        let name = format!("{}:{}", publication.step, publication.event_type);
        let id = Uuid::new_v5(&self.run_id.0, name.as_bytes());
        let topic = Topic::parse(&publication.topic).ok().map(|parsed| parsed.topic);
        let envelope = Envelope::new(NewEnvelope {
            envelope_id: id,
            timestamp: self.state.now(),
            correlation_id: Some(self.state.correlation_id()),
            event_type: topic.map(|topic| topic.event_type()),
            payload_type: Some(publication.event_type.clone()),
            parent_envelope_id: self.state.parent_envelope_id(),
            source_tool: Some(self.orchestrator.plan.name.clone()),
            payload: publication.payload.clone(),
        });
        OutboxMessage {
            id,
            topic: publication.topic.clone(),
            key: self.state.entity().map(|entity| entity.entity.clone()),
            envelope: serde_json::to_value(envelope).unwrap_or(Value::Null),
        }
    }

    fn states(&self, outcome: &Outcome) -> Result<Vec<StateWrite>, DriveError> {
        let (Some(reduced), Some(entity)) = (&outcome.reduced, self.state.entity()) else {
            return Ok(Vec::new());
        };
        let own = outcome.intents.iter().filter(|intent| reduced.asked_for.contains(&intent.intent_kind));
        let confirmed = nodes::confirmed(&self.orchestrator.nodes, &entity.reducer, reduced.state.clone(), own);
        let state = confirmed.map_err(|source| DriveError::Unconfirmed { run_id: self.run_id, source })?;
        if state == entity.state {
            return Ok(Vec::new());
        }
        let (reducer, name) = (entity.reducer.clone(), entity.entity.clone());
        Ok(vec![StateWrite { reducer, entity: name, expected_version: entity.version, state }])
    }
}

/// The last record: for people, since nothing is decided from it any more.
fn ended(outcome: &Outcome) -> NewRecord {
    let body = json!({
        "status": outcome.status,
        "failure": outcome.failure,
        "steps": outcome.steps,
        "undo_failures": outcome.undo_failures,
    });
    NewRecord { kind: ENDED.to_owned(), body }
}
