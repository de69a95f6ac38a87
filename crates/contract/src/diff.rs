//! Decides what the difference between two versions of a contract means to those who live with it.
//!
//! Not texts are compared but *facts*: "consumes topic T", "step S comes after step R", "state P is left on
//! trigger Q to …". Two texts that say the same facts do not differ, however they are laid out, ordered or
//! spelled. A fact that is gone, new or different is a [`Change`], and its class follows from the kind of fact
//! alone; the table is in `diff/table.rs`. The reasoning behind it asks three parties:
//!
//! - **Runs in flight** keep the contract they began with: the journal holds it, and a recovery makes its plan
//!   from that copy. So no change of graph, retries, timeouts or rollback disturbs them: *safe*.
//! - **What is kept between runs** is read by the new version: the states of a reducer's entities. And a reducer's
//!   table is not part of a run's copy, since it belongs to another contract: a run that began by the old table and
//!   is recovered by a new one would compute something else (ONEX3030). So a changed transition is *needs drain*: let
//!   runs end, then change. A state that disappears strands the entities that are in it, drained or not: *breaking*.
//! - **Partners** have only the surface: the name, topics and event types in and out, models, routes, operations.
//!   Whatever of it goes away or changes breaks somebody who relied on it; what is added breaks nobody.
//!
//! | class | who has to do something | when it can be deployed |
//! |---|---|---|
//! | safe | nobody | at any time |
//! | needs drain | the operator | when runs in flight have ended |
//! | breaking | partners, or owners of stored state | together with them |
//!
//! What this module does not know is *needs drain*, so that a new key is looked at by a person first. A breaking
//! change is announced by the version: without a higher major version (or minor, before 1.0) that is a finding too.

mod events;
mod facts;
mod head;
mod machine;
mod table;
mod workflow;

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::model::{Contract, Version};
use crate::path::KeyPath;
use facts::{Fact, Facts, Key};
use table::{Subject, Verb};

/// What a change asks of those around the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeClass {
    /// Nothing.
    Safe,
    /// Runs in flight have to end first.
    NeedsDrain,
    /// Partners, or owners of stored state, have to change too.
    Breaking,
}

impl fmt::Display for ChangeClass {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Safe => "safe",
            Self::NeedsDrain => "needs drain",
            Self::Breaking => "breaking",
        })
    }
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it asks for.
    pub class: ChangeClass,
    /// Where: in the new contract, or in the old one for what is gone.
    pub path: KeyPath,
    /// What is different, and what follows.
    pub what: String,
    /// What stood there.
    pub before: Option<String>,
    /// What stands there now.
    pub after: Option<String>,
}

/// Every difference of meaning, the gravest first; none when the contracts say the same.
pub fn diff(old: &Contract, new: &Contract) -> Vec<Change> {
    let (old_facts, new_facts) = (Facts::of(old), Facts::of(new));
    let mut differences = differences(&old_facts, &new_facts);
    join_moved(&mut differences);
    let mut changes: Vec<Change> = differences.into_iter().map(Difference::into_change).collect();
    changes.extend(workflow::reordered(old, new));
    changes.extend(unannounced(&changes, &old.contract_version, &new.contract_version));
    changes.sort_by(|left, right| (right.class, &left.path, &left.what).cmp(&(left.class, &right.path, &right.what)));
    changes
}

/// A fact that only one contract says, or that both say differently.
#[derive(Clone, Copy)]
struct Difference<'f> {
    old: Option<&'f Fact>,
    new: Option<&'f Fact>,
}

impl Difference<'_> {
    fn into_change(self) -> Change {
        let (verb, fact) = match (self.old, self.new) {
            (Some(_), Some(new)) => (Verb::Changed, Some(new)),
            (None, new) => (Verb::Added, new),
            (old, None) => (Verb::Removed, old),
        };
        let (subject, name) = fact.map_or((Subject::Unknown, ""), |fact| (fact.subject, fact.name.as_str()));
        let meaning = subject.meaning(verb);
        Change {
            class: meaning.class,
            path: fact.map(|fact| fact.path.clone()).unwrap_or_default(),
            what: meaning.what.replace("{}", name),
            before: self.old.and_then(|fact| fact.value.clone()),
            after: self.new.and_then(|fact| fact.value.clone()),
        }
    }
}

fn differences<'f>(old: &'f Facts, new: &'f Facts) -> Vec<Difference<'f>> {
    let keys: BTreeSet<&Key> = old.keys().chain(new.keys()).collect();
    let told = |key: &&Key| !follows_from_another(key, old, new);
    let pairs = keys.into_iter().filter(told).map(|key| Difference { old: old.get(key), new: new.get(key) });
    pairs.filter(|pair| pair.old.map(|fact| &fact.value) != pair.new.map(|fact| &fact.value)).collect()
}

/// Whether what a fact is about is itself new or gone: then that is told, and its details are not.
fn follows_from_another(key: &Key, old: &Facts, new: &Facts) -> bool {
    (1..key.len()).any(|length| {
        let whole = &key[..length];
        old.has(whole) != new.has(whole)
    })
}

/// One event on another topic than before is one change, not two.
fn join_moved(differences: &mut Vec<Difference<'_>>) {
    let mut position = 0;
    while position < differences.len() {
        let moved = moved_to(differences, position);
        if let Some(target) = moved {
            differences[position].new = differences[target].new;
            differences.remove(target);
            position -= usize::from(target < position);
        }
        position += 1;
    }
}

/// Where the fact that is gone from `position` turned up under another key.
fn moved_to(differences: &[Difference<'_>], position: usize) -> Option<usize> {
    let Difference { old: Some(gone), new: None } = differences[position] else { return None };
    let tie = gone.tie.as_ref()?;
    differences.iter().position(|other| {
        let come = other.new.filter(|_| other.old.is_none());
        come.is_some_and(|come| come.subject == gone.subject && come.tie.as_ref() == Some(tie))
    })
}

/// A breaking change that the version does not announce.
fn unannounced(changes: &[Change], old: &Version, new: &Version) -> Option<Change> {
    let is_breaking = changes.iter().any(|change| change.class == ChangeClass::Breaking);
    let (before, after) = (&old.0, &new.0);
    let leading = |version: &semver::Version| match version.major {
        0 => (0, version.minor),
        major => (major, 0),
    };
    (is_breaking && leading(after) <= leading(before)).then(|| Change {
        class: ChangeClass::Breaking,
        path: KeyPath::of(&["contract_version"]),
        what: "breaking without a major version".to_owned(),
        before: Some(before.to_string()),
        after: Some(after.to_string()),
    })
}
