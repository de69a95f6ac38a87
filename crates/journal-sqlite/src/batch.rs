//! Decides what one transaction holds: all requests of a batch, in their order of arrival. Queries choose their
//! runs themselves, so what was decided before them is written before they look.

use std::sync::Arc;

use onex_journal::planning::{Answer, Demand, Plan, Planned, Query, Request};
use onex_journal::{JournalError, JournalLimits};
use sqlx::{Connection, SqliteConnection};

use crate::error::shared_failure;
use crate::heads::Heads;
use crate::{choose, load, store};

/// Requests on their way into one transaction, and what was decided of the first of them.
pub(crate) struct Batch {
    requests: Vec<Request>,
    answers: Vec<Result<Answer, JournalError>>,
    limits: JournalLimits,
}

impl Batch {
    pub(crate) fn new(requests: Vec<Request>, limits: JournalLimits) -> Self {
        Self { requests, answers: Vec::new(), limits }
    }

    /// Carries every request out and commits. After an error the connection is not to be used again.
    pub(crate) async fn commit(
        &mut self,
        connection: &mut SqliteConnection,
        heads: &mut Heads,
    ) -> Result<(), sqlx::Error> {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        while self.answers.len() < self.requests.len() {
            self.plan(&mut transaction, heads).await?;
            self.query(&mut transaction, heads).await?;
        }
        transaction.commit().await
    }

    /// Answers every request. A refusal waits for the commit as well: it may rest on a neighbour's write.
    pub(crate) fn settle(self, committed: Result<(), &Arc<sqlx::Error>>) {
        match committed {
            Ok(()) => self.requests.into_iter().zip(self.answers).for_each(|(request, answer)| request.answer(answer)),
            Err(error) => {
                self.requests.into_iter().for_each(|request| request.answer(Err(shared_failure(error))));
            }
        }
    }

    /// Carries out what comes before the next query.
    async fn plan(&mut self, connection: &mut SqliteConnection, heads: &mut Heads) -> Result<(), sqlx::Error> {
        let undecided = self.requests[self.answers.len()..].iter().map_while(planned);
        let mut plan = Plan::new(load::known(connection, heads, undecided.clone()).await?, self.limits);
        self.answers.extend(undecided.map(|demand| plan.decide(demand)));
        let (rows, after) = plan.into_rows_and_heads();
        heads.put(after);
        store::write(connection, rows).await
    }

    /// Carries out the query that is next, if one is.
    async fn query(&mut self, connection: &mut SqliteConnection, heads: &mut Heads) -> Result<(), sqlx::Error> {
        let Some(Request { demand: Demand::Query(query), .. }) = self.requests.get(self.answers.len()) else {
            return Ok(());
        };
        heads.clear();
        let answer = match query {
            Query::TakeOver(take_over) => Answer::Claims(choose::take_over(connection, take_over).await?),
            Query::Prune(prune) => Answer::Number(choose::prune(connection, *prune).await?),
        };
        self.answers.push(Ok(answer));
        Ok(())
    }
}

fn planned(request: &Request) -> Option<&Planned> {
    match &request.demand {
        Demand::Planned(planned) => Some(planned),
        Demand::Query(_) => None,
    }
}
