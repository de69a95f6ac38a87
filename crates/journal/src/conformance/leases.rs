//! Who may take a run over: in the order of leases, never a step's run from under its parent's owner.

use onex_node::RunId;
use uuid::Uuid;

use super::{append, at, finish, run};
use crate::{Claim, Journal, JournalError, NewRun};

pub(super) async fn take_overs_go_by_lease(journal: &dyn Journal) {
    for (number, lease_until) in [(30, 103), (31, 101), (32, 102), (33, 101)] {
        let lease_until = at(lease_until);
        journal.start(NewRun { lease_until, ..run(id(number)) }).await.expect("it starts");
    }
    let header = journal.load(id(30)).await.expect("readable").expect("there").header;
    assert_eq!((header.lease_until, header.parent), (at(103), None), "a header tells the lease");
    assert_eq!(taken(journal, "a", 110, 2).await, [id(31), id(33)], "the oldest lease first, then the oldest run");
    assert_eq!(taken(journal, "b", 110, 9).await, [id(32), id(30)], "then the others, and nobody twice");
    for number in 30..34 {
        finish(journal, id(number), 2, 1).await.expect("it can end");
    }
}

pub(super) async fn an_owner_at_work_takes_over_what_has_expired(journal: &dyn Journal) {
    for (number, lease_until) in [(34, 130), (35, 120), (36, 120)] {
        let (owner, lease_until) = ("worker".to_owned(), at(lease_until));
        journal.start(NewRun { owner, lease_until, ..run(id(number)) }).await.expect("it starts");
    }
    journal.start(NewRun { parent: Some(id(34)), ..run(id(37)) }).await.expect("it starts");
    let expired = async |now: i64, limit: u32| -> Vec<RunId> {
        let claims = journal.take_over_expired("worker", at(now), at(now + 100), limit).await.expect("writable");
        claims.into_iter().map(|claim| claim.run_id).collect()
    };
    assert_eq!(expired(119, 9).await, [], "what it holds is not taken from its own hands");
    assert_eq!(expired(129, 1).await, [id(35)], "the oldest lease first, then the oldest run");
    assert_eq!(expired(140, 9).await, [id(36), id(34)], "its own as well, and no step's run");
    for (number, epoch) in [(34, 2), (35, 2), (36, 2), (37, 1)] {
        finish(journal, id(number), epoch, 1).await.expect("it can end");
    }
}

pub(super) async fn a_step_s_run_goes_with_its_parent(journal: &dyn Journal) {
    journal.start(run(id(40))).await.expect("it starts");
    journal.start(NewRun { parent: Some(id(40)), ..run(id(41)) }).await.expect("it starts");
    let header = journal.load(id(41)).await.expect("readable").expect("there").header;
    assert_eq!(header.parent, Some(id(40)), "a header tells the parent");
    assert_eq!(taken(journal, "taker", 100, 9).await, [id(40)], "a step's run is left to its parent's owner");
    assert_eq!(claim(journal, 41, "stranger", 29).await, None, "nobody claims what is not free");
    let claimed = claim(journal, 41, "taker", 29).await;
    assert_eq!(claimed, Some(Claim { run_id: id(41), epoch: 2 }), "the parent's owner claims it, whatever its lease");
    let late = append(journal, id(41), 1, 1, &["late"]).await;
    assert!(matches!(late, Err(JournalError::StaleOwner { given: 1, current: 2, .. })), "{late:?}");
    finish(journal, id(40), 2, 1).await.expect("it can end");
    assert_eq!(taken(journal, "taker", 300, 9).await, [id(41)], "when the parent has ended it is a run like any other");
    finish(journal, id(41), 3, 1).await.expect("it can end");
}

pub(super) async fn a_claim_takes_one_free_run(journal: &dyn Journal) {
    journal.start(run(id(42))).await.expect("it starts");
    assert_eq!(claim(journal, 42, "second", 29).await, None, "a lease that holds is respected");
    let expired = claim(journal, 42, "second", 30).await;
    assert_eq!(expired, Some(Claim { run_id: id(42), epoch: 2 }), "an expired one is not");
    let own = claim(journal, 42, "second", 31).await;
    assert_eq!(own, Some(Claim { run_id: id(42), epoch: 3 }), "an owner claims its own at any time");
    let header = journal.load(id(42)).await.expect("readable").expect("there").header;
    assert_eq!((header.owner.as_str(), header.lease_until), ("second", at(200)));
    finish(journal, id(42), 3, 1).await.expect("it can end");
    assert_eq!(claim(journal, 42, "second", 900).await, None, "a run that has ended is nobody's");
    assert_eq!(claim(journal, 999, "second", 900).await, None, "nor is one that never was");
}

async fn taken(journal: &dyn Journal, owner: &str, now: i64, limit: u32) -> Vec<RunId> {
    let claims = journal.take_over(owner, at(now), at(now + 100), limit).await.expect("writable");
    claims.into_iter().map(|claim| claim.run_id).collect()
}

async fn claim(journal: &dyn Journal, number: u128, owner: &str, now: i64) -> Option<Claim> {
    journal.claim(id(number), owner, at(now), at(200)).await.expect("writable")
}

fn id(number: u128) -> RunId {
    RunId(Uuid::from_u128(number))
}
