//! Decides how much a run may write down, so that one run cannot fill the store that all share.

use crate::JournalError;
use onex_node::RunId;
use serde::{Deserialize, Serialize};

/// How much a run may write down.
///
/// # Contract
///
/// An append that ends a run is bound by the size of a record only: a run that has reached a limit can still be
/// ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JournalLimits {
    /// Most records of a run, its start included.
    pub records_per_run: u64,
    /// Most bytes of one record's body, as JSON text.
    pub bytes_per_record: u64,
    /// Most bytes of a run's bodies together.
    pub bytes_per_run: u64,
}

impl Default for JournalLimits {
    /// 10,000 records a run, 1 MiB a record, 16 MiB a run.
    fn default() -> Self {
        Self { records_per_run: 10_000, bytes_per_record: 1 << 20, bytes_per_run: 16 << 20 }
    }
}

impl JournalLimits {
    pub(crate) fn check_record(&self, run_id: RunId, bytes: u64) -> Result<(), JournalError> {
        let limit = self.bytes_per_record;
        if bytes > limit { Err(JournalError::RecordTooLarge { run_id, bytes, limit }) } else { Ok(()) }
    }

    pub(crate) fn check_run(&self, run_id: RunId, records: u64, bytes: u64) -> Result<(), JournalError> {
        if records > self.records_per_run {
            return Err(JournalError::HistoryTooLong { run_id, limit: self.records_per_run });
        }
        if bytes > self.bytes_per_run {
            return Err(JournalError::RunTooLarge { run_id, bytes, limit: self.bytes_per_run });
        }
        Ok(())
    }
}
