//! Decides what a batch may be judged by without asking the database: that every caller is right. Nearly always
//! they are, since a run's owner knows where it stands; then one statement is one commit. The statement checks
//! what was assumed, and when something does not hold it is undone and the batch is judged by what is there.
//!
//! Nothing is refused on an assumption: see [`crate::batch`].

use std::collections::HashSet;

use onex_journal::RunStatus;
use onex_journal::planning::{Head, Known, Micros, Planned};
use onex_node::{RunId, Timestamp};

/// What would make every demand right; `None` when one of them has to know what only the database does.
pub(crate) fn known(demands: &[&Planned]) -> Option<Known> {
    let mut known = Known::default();
    let mut started = HashSet::new();
    for demand in demands {
        match demand {
            Planned::Start(start) => {
                started.insert(start.run.run_id);
            }
            Planned::Append(append) => {
                if !started.contains(&append.run_id) {
                    let head = head(append.epoch, append.expected_sequence);
                    known.heads.entry(append.run_id).or_insert(head);
                }
            }
            Planned::Renew { claims, .. } => {
                for claim in claims.iter().filter(|claim| !started.contains(&claim.run_id)) {
                    assume_claim(&mut known, claim.run_id, claim.epoch)?;
                }
            }
            Planned::Claim { .. } | Planned::SetAside { .. } | Planned::Order(_) => return None,
            Planned::SaveContract(_) | Planned::MarkPublished(_) | Planned::Accept(_) | Planned::Forget(_) => {}
        }
        for write in demand.states() {
            let key = (write.reducer.clone(), write.entity.clone());
            known.versions.entry(key).or_insert(write.expected_version);
        }
    }
    Some(known)
}

/// A renewal tells no sequence, so a batch that appends to the same run cannot be assumed from it.
fn assume_claim(known: &mut Known, run_id: RunId, epoch: u64) -> Option<()> {
    if known.heads.contains_key(&run_id) {
        return None;
    }
    known.heads.insert(run_id, head(epoch, UNKNOWN));
    Some(())
}

/// No run is there: an append after a renewal is refused on it, and so judged by what is there.
const UNKNOWN: u64 = u64::MAX;

/// The size is not known and counts from zero; the statement adds to what is there and checks it.
fn head(epoch: u64, sequence: u64) -> Head {
    Head {
        epoch,
        status: RunStatus::Running,
        sequence,
        bytes: 0,
        owner: String::new(),
        lease_until: Micros::from(Timestamp::UNIX_EPOCH),
        parent: None,
    }
}

#[cfg(test)]
mod tests {
    use onex_journal::planning::{Plan, Planned};
    use onex_journal::{Append, Claim, JournalLimits, NewRun};
    use onex_node::{RunId, Timestamp};
    use uuid::Uuid;

    use super::known;

    fn refused(demands: &[Planned]) -> Option<usize> {
        let demands: Vec<&Planned> = demands.iter().collect();
        let mut plan = Plan::new(known(&demands)?, JournalLimits::default());
        Some(demands.iter().filter(|demand| plan.decide(demand).is_err()).count())
    }

    fn append(epoch: u64, expected_sequence: u64) -> Planned {
        Planned::Append(Box::new(Append::example(run_id(), epoch, expected_sequence).into()))
    }

    fn start() -> Planned {
        Planned::Start(Box::new(NewRun::example(run_id(), "f").into()))
    }

    fn renew() -> Planned {
        Planned::Renew { claims: vec![Claim { run_id: run_id(), epoch: 1 }], lease_until: Timestamp::UNIX_EPOCH.into() }
    }

    fn run_id() -> RunId {
        RunId(Uuid::from_u128(1))
    }

    #[test]
    fn callers_are_right_unless_they_contradict_each_other() {
        assert_eq!(refused(&[append(3, 7), append(3, 8)]), Some(0));
        assert_eq!(refused(&[start(), append(1, 1), renew()]), Some(0));
        assert_eq!(refused(&[append(3, 7), append(4, 7)]), Some(1));
        assert_eq!(refused(&[append(3, 7), start()]), Some(1));
        assert_eq!(refused(&[renew(), append(1, 7)]), Some(1), "a renewal tells no sequence");
        assert_eq!(refused(&[append(1, 7), renew()]), None);
    }
}
