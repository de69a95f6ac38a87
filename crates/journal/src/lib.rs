#![doc = include_str!("../README.md")]
//!
//! Decides what a journal promises: one owner per run, appends in sequence or not at all, and a run's
//! end in one commit with its outgoing messages and its entities' states. What a record means is the
//! orchestrator's business; to a journal it is a kind and a body.

pub mod codes;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod memory;
mod model;

use async_trait::async_trait;
use onex_node::{RunId, Timestamp};
use uuid::Uuid;

pub use error::JournalError;
pub use memory::MemoryJournal;
pub use model::{
    Append, Claim, End, EntityState, InboxMessage, NewRecord, NewRun, OutboxMessage, Record, RunHeader, RunStatus,
    StateWrite, StoredRun,
};

/// Where runs are written down.
///
/// # Contract
///
/// - A call that returned is durable; a call that failed with [`JournalError::Unavailable`] may or may not be.
/// - Every write to a run names its epoch; a write with an older epoch than the run's is refused.
/// - Calls may be made concurrently; a journal may commit several of them together.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Keeps a contract's canonical JSON under its fingerprint; a repeat changes nothing.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    async fn save_contract(&self, fingerprint: &str, canonical: &str) -> Result<(), JournalError>;

    /// The contract kept under a fingerprint.
    ///
    /// # Errors
    ///
    /// The journal cannot be read.
    async fn contract(&self, fingerprint: &str) -> Result<Option<String>, JournalError>;

    /// Starts a run with its first record, owned at epoch 1, and forgets the inbox message it came from.
    /// Returns the epoch.
    ///
    /// # Errors
    ///
    /// [`JournalError::RunExists`] when the run was started before.
    async fn start(&self, run: NewRun) -> Result<u64, JournalError>;

    /// Appends records and, at the end of a run, its end. Returns the sequence of the last record.
    ///
    /// # Errors
    ///
    /// Refused whole when the epoch is stale, the sequence is not the expected one, the run has ended, or an
    /// entity's state is not at the expected version.
    async fn append(&self, append: Append) -> Result<u64, JournalError>;

    /// A run with all its records.
    ///
    /// # Errors
    ///
    /// The journal cannot be read, or what it holds of the run cannot be understood.
    async fn load(&self, run_id: RunId) -> Result<Option<StoredRun>, JournalError>;

    /// Headers of runs, newest first.
    ///
    /// # Errors
    ///
    /// The journal cannot be read.
    async fn runs(&self, status: Option<RunStatus>, limit: u32) -> Result<Vec<RunHeader>, JournalError>;

    /// Takes over unfinished runs whose lease is `owner`'s own or has expired at `now`, oldest first. Each
    /// claimed run's epoch rises by one, so that its former owner's writes are refused from here on.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    async fn take_over(
        &self,
        owner: &str,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Claim>, JournalError>;

    /// Prolongs the leases of runs still owned at the given epochs. Returns the runs that are not any more.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    async fn renew(&self, claims: &[Claim], lease_until: Timestamp) -> Result<Vec<RunId>, JournalError>;

    /// Sets a run aside that cannot be carried on, with the reason; it is not taken over any more.
    ///
    /// # Errors
    ///
    /// The run is unknown or the journal cannot be written.
    async fn set_aside(&self, run_id: RunId, reason: &str) -> Result<(), JournalError>;

    /// The state an entity of a reducer is in.
    ///
    /// # Errors
    ///
    /// The journal cannot be read.
    async fn entity_state(&self, reducer: &str, entity: &str) -> Result<Option<EntityState>, JournalError>;

    /// Messages of ended runs that were not marked as published, oldest first.
    ///
    /// # Errors
    ///
    /// The journal cannot be read.
    async fn outbox(&self, limit: u32) -> Result<Vec<OutboxMessage>, JournalError>;

    /// Marks messages as published; unknown ids are ignored.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    async fn mark_published(&self, ids: &[Uuid]) -> Result<(), JournalError>;

    /// Keeps incoming messages of a bus that does not survive the process, until their runs start.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    async fn accept(&self, messages: &[InboxMessage]) -> Result<(), JournalError>;

    /// Messages accepted and neither started nor forgotten, oldest first.
    ///
    /// # Errors
    ///
    /// The journal cannot be read.
    async fn inbox(&self, limit: u32) -> Result<Vec<InboxMessage>, JournalError>;

    /// Forgets accepted messages, such as dead-lettered ones; unknown ids are ignored.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    async fn forget(&self, ids: &[Uuid]) -> Result<(), JournalError>;
}
