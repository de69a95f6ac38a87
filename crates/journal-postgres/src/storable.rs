//! Decides which texts PostgreSQL can keep. One that it cannot would fail the statement that carries its neighbours
//! too, so it is refused before it is among them. JSON bodies are safe: U+0000 is escaped in them.

use onex_journal::JournalError;
use onex_journal::planning::{AppendRows, Demand, MessageRow, Planned, Query, StartRun};

/// The demand, as it can be kept.
pub(crate) fn storable(mut demand: Demand) -> Result<Demand, JournalError> {
    if let Demand::Planned(Planned::SetAside { reason, .. }) = &mut demand {
        // The reason may quote anything; a mark in place of what cannot be kept is better than no reason.
        *reason = reason.replace('\0', "\u{fffd}");
    }
    check(&demand).map(|()| demand)
}

/// Refuses a demand with a text that cannot be kept.
fn check(demand: &Demand) -> Result<(), JournalError> {
    match demand {
        Demand::Planned(Planned::SaveContract(row)) => check_texts("a contract", [row.0.as_str(), row.1.as_str()]),
        Demand::Planned(Planned::Start(start)) => check_start(start),
        Demand::Planned(Planned::Append(append)) => check_append(append),
        Demand::Planned(Planned::Claim { lease, .. }) | Demand::Query(Query::TakeOver(lease)) => {
            check_texts("an owner", [lease.owner.as_str()])
        }
        Demand::Planned(Planned::SetAside { reason, .. }) => check_texts("a reason", [reason.as_str()]),
        Demand::Planned(Planned::Accept(messages)) => messages.iter().try_for_each(check_message),
        Demand::Planned(Planned::Renew { .. } | Planned::Order(_) | Planned::MarkPublished(_) | Planned::Forget(_))
        | Demand::Query(Query::Prune(_)) => Ok(()),
    }
}

fn check_start(start: &StartRun) -> Result<(), JournalError> {
    let run = &start.run;
    let names = [run.orchestrator.as_str(), run.contract_fingerprint.as_str(), run.owner.as_str()];
    check_texts("a run", names.into_iter().chain(run.entity.as_deref()))
}

fn check_append(append: &AppendRows) -> Result<(), JournalError> {
    check_texts("a record's kind", append.records.iter().map(|record| record.2.as_str()))?;
    let Some(end) = &append.end else { return Ok(()) };
    end.outbox.iter().try_for_each(check_message)?;
    end.states.iter().try_for_each(|write| check_texts("an entity", [write.reducer.as_str(), write.entity.as_str()]))
}

fn check_message(message: &MessageRow) -> Result<(), JournalError> {
    let texts = [message.1.as_str(), message.3.as_str()];
    check_texts("a message", texts.into_iter().chain(message.2.as_deref()))
}

fn check_texts<'a>(what: &'static str, texts: impl IntoIterator<Item = &'a str>) -> Result<(), JournalError> {
    match texts.into_iter().any(|text| text.contains('\0')) {
        true => Err(JournalError::Unstorable { what }),
        false => Ok(()),
    }
}
