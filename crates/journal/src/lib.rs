#![doc = include_str!("../README.md")]
//!
//! Decides what a journal promises: one owner per run, appends in sequence or not at all, and a run's
//! end in one commit with its outgoing messages and its entities' states. What a record means is the
//! orchestrator's business; to a journal it is a kind and a body.

pub mod codes;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod limits;
mod memory;
mod model;
mod order;
pub mod planning;

use async_trait::async_trait;
use onex_node::{RunId, Timestamp};
use uuid::Uuid;

pub use error::JournalError;
pub use limits::JournalLimits;
pub use memory::MemoryJournal;
pub use model::{
    Append, Claim, End, EntityState, InboxMessage, NewRecord, NewRun, OutboxMessage, Record, RunHeader, RunStatus,
    StateWrite, StoredRun,
};
pub use order::{OrderKind, RunOrder};

/// Where runs are written down.
///
/// # Contract
///
/// - A call that returned is durable; a call that failed with [`JournalError::Unavailable`] may or may not be.
/// - Every write to a run names its epoch; a write with an older epoch than the run's is refused.
/// - Calls may be made concurrently; a journal may commit several of them together.
/// - Times come back in whole microseconds.
/// - What a run writes down is bound by the journal's [`JournalLimits`].
#[async_trait]
pub trait Journal: Send + Sync {
    /// Keeps a contract's canonical JSON under its fingerprint; a repeat changes nothing but when it was last saved.
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

    /// Starts a run with its first record, owned at epoch 1, forgets the inbox message it came from, and settles
    /// the order it was started for. Returns the epoch.
    ///
    /// # Errors
    ///
    /// [`JournalError::RunExists`] when the run was started before, [`JournalError::RecordTooLarge`].
    async fn start(&self, run: NewRun) -> Result<u64, JournalError>;

    /// Appends records and, at the end of a run, its end. Returns the sequence of the last record.
    ///
    /// # Errors
    ///
    /// Refused whole when the epoch is stale, the sequence is not the expected one, the run has ended, an entity's
    /// state is not at the expected version, or the run writes more than it may.
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

    /// Takes over unfinished runs whose lease is `owner`'s own or has expired at `now`, the oldest lease first, of
    /// equal ones the run that started first. Each claimed run's epoch rises by one, so that its former owner's
    /// writes are refused from here on. A run whose parent is unfinished is left to the parent's owner, see
    /// [`Journal::claim`].
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

    /// As [`Journal::take_over`], but only runs whose lease has expired: for an owner that is at work, whose other
    /// runs are in its hands already.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    async fn take_over_expired(
        &self,
        owner: &str,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Claim>, JournalError>;

    /// Takes one unfinished run over if it is free: `owner`'s own, expired at `now`, or started by an unfinished
    /// run that is `owner`'s. Its epoch rises by one. `None` when it is not free, has ended, or is unknown.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    async fn claim(
        &self,
        run_id: RunId,
        owner: &str,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<Claim>, JournalError>;

    /// Prolongs the leases of runs still owned at the given epochs. Returns the runs that are not any more.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    async fn renew(&self, claims: &[Claim], lease_until: Timestamp) -> Result<Vec<RunId>, JournalError>;

    /// Sets a run aside that cannot be carried on, with the reason; it is not taken over any more. A repeat
    /// changes nothing.
    ///
    /// # Errors
    ///
    /// The run is unknown or has ended, or the journal cannot be written.
    async fn set_aside(&self, run_id: RunId, reason: &str) -> Result<(), JournalError>;

    /// Keeps what somebody wants of a run until the run's owner has taken it up; see [`Append::settled_orders`]
    /// and [`NewRun::settled_order`]. An order with a known id changes nothing. A run's end forgets what else was
    /// wanted of it.
    ///
    /// # Errors
    ///
    /// [`JournalError::RunUnknown`]; [`JournalError::RunEnded`] for all but a retry, and
    /// [`JournalError::RunNotEnded`] for a retry.
    async fn order(&self, order: &RunOrder) -> Result<(), JournalError>;

    /// What waits for `owner`, oldest first: orders for its unfinished runs, and retries of ended runs, which
    /// anybody may take up.
    ///
    /// # Errors
    ///
    /// The journal cannot be read.
    async fn orders(&self, owner: &str, limit: u32) -> Result<Vec<RunOrder>, JournalError>;

    /// Removes runs that ended before `ended_before`, the earliest first, with their records and settled orders;
    /// then contracts that no run keeps and that were last saved before that time. Returns how many runs it
    /// removed. A run stays while it is set aside, has unpublished messages or a waiting order, or started a run
    /// that has not ended.
    ///
    /// # Contract
    ///
    /// Contracts are as old as the store's clock says. A process that means to start runs saves its contracts
    /// again before they are as old as what it prunes.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    async fn prune(&self, ended_before: Timestamp, limit: u32) -> Result<u64, JournalError>;

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
