//! Decides what one transaction holds: all requests of a batch, in their order of arrival. Take-overs choose their
//! runs by a query, so what was decided before them is written before they look.

use std::mem;

use sqlx::{Connection, SqliteConnection};

use crate::plan::Plan;
use crate::request::{Committed, Planned, Request, Settlement};
use crate::{load, store};

/// Requests on their way into one transaction.
pub(crate) struct Batch {
    undecided: Vec<Request>,
    settlements: Vec<Settlement>,
}

impl Batch {
    pub(crate) fn new(requests: Vec<Request>) -> Self {
        Self { undecided: requests, settlements: Vec::new() }
    }

    /// Carries every request out and commits. After an error the connection is not to be used again.
    pub(crate) async fn commit(&mut self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        while !self.undecided.is_empty() {
            self.plan(&mut transaction).await?;
            self.take_over(&mut transaction).await?;
        }
        transaction.commit().await
    }

    /// Answers every request.
    pub(crate) fn settle(self, committed: Committed<'_>) {
        self.settlements.into_iter().for_each(|settlement| settlement.settle(committed));
        if let Err(error) = committed {
            self.undecided.into_iter().for_each(|request| request.fail(error));
        }
    }

    /// Carries out what comes before the next take-over.
    async fn plan(&mut self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let known = load::known(connection, self.undecided.iter().map_while(planned)).await?;
        let mut plan = Plan::new(known);
        let mut requests = mem::take(&mut self.undecided).into_iter().peekable();
        while let Some(request) = requests.next_if(|request| planned(request).is_some()) {
            if let Request::Planned(request) = request {
                self.settlements.push(plan.decide(request));
            }
        }
        self.undecided = requests.collect();
        store::write(connection, plan.into_rows()).await
    }

    /// Carries out the take-over that is next, if one is.
    async fn take_over(&mut self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let Some(Request::TakeOver { take_over, .. }) = self.undecided.first() else {
            return Ok(());
        };
        let claims = store::take_over(connection, take_over).await?;
        if let Request::TakeOver { reply, .. } = self.undecided.remove(0) {
            self.settlements.push(Settlement::new(reply, Ok(claims)));
        }
        Ok(())
    }
}

fn planned(request: &Request) -> Option<&Planned> {
    match request {
        Request::Planned(request) => Some(request),
        Request::TakeOver { .. } => None,
    }
}
