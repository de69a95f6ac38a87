//! The journal of tests and of `journal: memory`: it keeps every promise except durability. What is decided is the
//! other journals' [`planning`](crate::planning); here is only where the rows go.

mod tables;

use onex_node::{RunId, Timestamp};
use tokio::sync::Mutex;

use crate::planning::{Answer, Demand, Plan, Query, Store};
use crate::{
    EntityState, InboxMessage, JournalError, JournalLimits, OutboxMessage, RunHeader, RunOrder, RunStatus, StoredRun,
};
use tables::Tables;

/// A journal in memory.
#[derive(Debug, Default)]
pub struct MemoryJournal {
    limits: JournalLimits,
    tables: Mutex<Tables>,
}

impl MemoryJournal {
    /// An empty journal.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty journal with limits of its own.
    pub fn with_limits(limits: JournalLimits) -> Self {
        Self { limits, ..Self::default() }
    }
}

impl Store for MemoryJournal {
    async fn submit(&self, demand: Demand) -> Result<Answer, JournalError> {
        let mut tables = self.tables.lock().await;
        match demand {
            Demand::Query(Query::TakeOver(take_over)) => Ok(Answer::Claims(tables.take_over(&take_over))),
            Demand::Query(Query::Prune(prune)) => Ok(Answer::Number(tables.prune(prune))),
            Demand::Planned(demand) => {
                let mut plan = Plan::new(tables.known(&demand), self.limits);
                let answer = plan.decide(&demand)?;
                tables.write(plan.into_rows(), now());
                Ok(answer)
            }
        }
    }

    async fn contract(&self, fingerprint: &str) -> Result<Option<String>, JournalError> {
        Ok(self.tables.lock().await.contract(fingerprint))
    }

    async fn run(&self, run_id: RunId) -> Result<Option<StoredRun>, JournalError> {
        self.tables.lock().await.load(run_id)
    }

    async fn headers(&self, status: Option<RunStatus>, limit: u32) -> Result<Vec<RunHeader>, JournalError> {
        Ok(self.tables.lock().await.headers(status, limit as usize))
    }

    async fn orders(&self, owner: &str, limit: u32) -> Result<Vec<RunOrder>, JournalError> {
        Ok(self.tables.lock().await.orders(owner, limit as usize))
    }

    async fn entity_state(&self, reducer: &str, entity: &str) -> Result<Option<EntityState>, JournalError> {
        self.tables.lock().await.entity_state(reducer, entity)
    }

    async fn outbox(&self, limit: u32) -> Result<Vec<OutboxMessage>, JournalError> {
        self.tables.lock().await.outbox(limit as usize)
    }

    async fn inbox(&self, limit: u32) -> Result<Vec<InboxMessage>, JournalError> {
        Ok(self.tables.lock().await.inbox(limit as usize))
    }
}

/// The clock of this store, as a database has one; it tells only when a contract was last saved.
#[expect(clippy::disallowed_methods, reason = "it stands for the clock of a database server")]
fn now() -> Timestamp {
    std::time::SystemTime::now().into()
}
