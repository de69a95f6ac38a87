//! Decides what a commit is. In the usual case it is one statement, made on the assumption that every caller is right
//! and checked by the statement itself. Where an assumption fails, where one of the callers would be refused, or
//! where a demand needs to know more, the runs are locked, in the order of their ids, and judged by what is there.

use onex_journal::planning::{Answer, Demand, Plan, Planned, Query, Request, Rows};
use onex_journal::{JournalError, JournalLimits};
use sqlx::{Connection as _, PgConnection};

use crate::error::{Meaning, meaning};
use crate::{assume, choose, load, write};

/// How often a batch is tried that others are in the way of.
const ATTEMPTS: usize = 10;

/// What each request came to.
pub(crate) type Answers = Vec<Result<Answer, JournalError>>;

/// Carries requests out in their order. What comes between two queries is one commit.
pub(crate) async fn commit(
    connection: &mut PgConnection,
    requests: &[Request],
    limits: JournalLimits,
) -> Result<Answers, sqlx::Error> {
    let mut answers = Vec::with_capacity(requests.len());
    while let Some(request) = requests.get(answers.len()) {
        match &request.demand {
            Demand::Query(query) => answers.push(Ok(choose(connection, query).await?)),
            Demand::Planned(_) => {
                let demands: Vec<_> = requests[answers.len()..].iter().map_while(planned).collect();
                answers.extend(decide(connection, &demands, limits).await?);
            }
        }
    }
    Ok(answers)
}

async fn choose(connection: &mut PgConnection, query: &Query) -> Result<Answer, sqlx::Error> {
    match query {
        Query::TakeOver(take_over) => Ok(Answer::Claims(choose::take_over(connection, take_over).await?)),
        Query::Prune(prune) => Ok(Answer::Number(choose::prune(connection, *prune).await?)),
    }
}

async fn decide(
    connection: &mut PgConnection,
    demands: &[&Planned],
    limits: JournalLimits,
) -> Result<Answers, sqlx::Error> {
    if let Some((answers, rows)) = all_right(demands, limits) {
        match write::write(connection, rows, limits).await {
            Ok(()) => return Ok(answers),
            Err(error) if meaning(&error) != Meaning::Again => return Err(error),
            Err(_) => {}
        }
    }
    let mut attempts = 1;
    loop {
        match locked(connection, demands, limits).await {
            Err(error) if meaning(&error) == Meaning::Again && attempts < ATTEMPTS => attempts += 1,
            outcome => return outcome,
        }
    }
}

/// What is written if every caller is right; `None` when that cannot be assumed.
fn all_right<'a>(demands: &[&'a Planned], limits: JournalLimits) -> Option<(Answers, Rows<'a>)> {
    let mut plan = Plan::new(assume::known(demands)?, limits);
    let answers: Answers = demands.iter().map(|demand| plan.decide(demand)).collect();
    let is_lost = |answer: &Answer| matches!(answer, Answer::Lost(lost) if !lost.is_empty());
    let right = answers.iter().all(|answer| answer.as_ref().is_ok_and(|answer| !is_lost(answer)));
    right.then(|| (answers, plan.into_rows()))
}

/// Judges by what is there and will stay there until the commit.
async fn locked(
    connection: &mut PgConnection,
    demands: &[&Planned],
    limits: JournalLimits,
) -> Result<Answers, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let mut plan = Plan::new(load::known(&mut transaction, demands).await?, limits);
    let answers = demands.iter().map(|demand| plan.decide(demand)).collect();
    write::write(&mut transaction, plan.into_rows(), limits).await?;
    transaction.commit().await?;
    Ok(answers)
}

fn planned(request: &Request) -> Option<&Planned> {
    match &request.demand {
        Demand::Planned(planned) => Some(planned),
        Demand::Query(_) => None,
    }
}
