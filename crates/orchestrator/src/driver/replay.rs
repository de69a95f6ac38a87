//! Brings a run back to where its records end: the same events through the same code, its pure steps
//! computed again and compared.

use onex_journal::Record;
use serde_json::Value;

use super::DriveError;
use super::drive::Drive;
use super::end::ENDED;
use crate::event::Event;

impl Drive<'_> {
    /// Takes a run's records.
    pub(super) fn replay(&mut self, records: Vec<Record>) -> Result<(), DriveError> {
        for record in records.into_iter().filter(|record| record.kind != ENDED) {
            self.compare(&record)?;
            self.sequence = record.sequence;
            let event = self.event_of(record)?;
            let sequence = self.sequence;
            self.take(event).map_err(|error| self.bad_record(sequence, error))?;
            self.outgoing.clear();
        }
        Ok(())
    }

    /// Asks again for what the run waited for.
    pub(super) fn wake(&mut self) {
        self.outgoing = self.state.outstanding().into();
    }

    /// A run that computes something else than before must not go on: its effects were made from the other.
    fn compare(&self, record: &Record) -> Result<(), DriveError> {
        match record.body.get("pure_hash").and_then(Value::as_str) {
            Some(hash) if hash != self.state.pure_hash() => {
                Err(DriveError::Diverged { run_id: self.run_id, sequence: record.sequence })
            }
            _ => Ok(()),
        }
    }

    fn event_of(&self, record: Record) -> Result<Event, DriveError> {
        let sequence = record.sequence;
        serde_json::from_value(record.body).map_err(|error| self.bad_record(sequence, error))
    }

    fn bad_record(&self, sequence: u64, source: impl std::error::Error + Send + Sync + 'static) -> DriveError {
        DriveError::BadRecord { run_id: self.run_id, sequence, source: Box::new(source) }
    }
}
