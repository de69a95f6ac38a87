//! What must be true of every journal at every moment, checked from outside: the tables are read by plain SQL, and no
//! code of the engine or its journals has a say in it.
//!
//! One snapshot is judged by [`Snapshot::violations`]; two of the same journal, the later against the earlier one, by
//! [`Snapshot::violations_since`].

mod memory;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;
use uuid::Uuid;

/// Statuses of runs that have ended.
const ENDED: [&str; 4] = ["succeeded", "partial", "failed", "cancelled"];

/// A record, as it stands in the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its position within the run.
    pub sequence: i64,
    /// Its kind.
    pub kind: String,
    /// Its body.
    pub body: Value,
}

/// A run, as it stands in the tables.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The contract that it keeps.
    pub fingerprint: String,
    /// Where it stands.
    pub status: String,
    /// The epoch of its owner.
    pub epoch: i64,
    /// What the row says of the last record.
    pub last_sequence: i64,
    /// What the row says of the size of all bodies.
    pub bytes: i64,
    /// What their size is.
    pub size: i64,
    /// Whether the row has a time of the end.
    pub has_ended_at: bool,
    /// Its records in sequence.
    pub records: Vec<Record>,
}

/// A message that has not been published.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// Its id.
    pub id: Uuid,
    /// Its envelope.
    pub envelope: Value,
    /// The run that its row names.
    pub run_id: Option<Uuid>,
}

/// Everything that is in a journal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Fingerprints of the contracts.
    pub contracts: BTreeSet<String>,
    /// Runs by id.
    pub runs: BTreeMap<Uuid, Run>,
    /// What waits to be published.
    pub outbox: Vec<Outgoing>,
    /// How many messages wait for their run.
    pub inbox: i64,
    /// States by reducer and entity.
    pub states: BTreeMap<(String, String), (i64, Value)>,
}

/// One call of a step's effect.
type Call = (String, u64);

impl Snapshot {
    /// Everything that is wrong with it; nothing when all is well.
    pub fn violations(&self) -> Vec<String> {
        let mut found = Findings::default();
        for (run_id, run) in &self.runs {
            run.check(&mut found.of(run_id));
            found.of(run_id).unless(self.contracts.contains(&run.fingerprint), "its contract is not kept");
        }
        self.check_outbox(&mut found);
        found.0
    }

    /// A message is told by the end of a run, which its id is made from.
    fn check_outbox(&self, found: &mut Findings) {
        let sources = self.sources();
        for outgoing in &self.outbox {
            let event_type = outgoing.envelope["payload_type"].as_str().unwrap_or_default();
            let id_from = |run: &Uuid, step: &str| Uuid::new_v5(run, format!("{step}:{event_type}").as_bytes());
            let source = sources.iter().find(|(run, step)| id_from(run, step) == outgoing.id).map(|(run, _)| **run);
            let is_known = source.is_some() && (outgoing.run_id.is_none() || outgoing.run_id == source);
            found.of(&outgoing.id).unless(is_known, "it waits in the outbox and comes from no step of an ended run");
        }
    }

    /// Everything that became of an earlier snapshot and must not.
    pub fn violations_since(&self, earlier: &Self) -> Vec<String> {
        let mut found = Findings::default();
        for (run_id, before) in &earlier.runs {
            match self.runs.get(run_id) {
                Some(now) => now.check_since(before, &mut found.of(run_id)),
                None => found.of(run_id).unless(false, "it has gone"),
            }
        }
        for ((reducer, entity), (version, _)) in &earlier.states {
            let now = self.states.get(&(reducer.clone(), entity.clone())).map_or(0, |state| state.0);
            found.of(&format!("{reducer}/{entity}")).unless(now >= *version, "its version has fallen");
        }
        found.0
    }

    /// # Panics
    ///
    /// When something is wrong with it, or something is left to do.
    pub fn assert_settled(&self) {
        assert_eq!(self.violations(), [""; 0]);
        let unfinished: Vec<_> = self.runs.iter().filter(|(_, run)| !run.has_ended()).collect();
        assert!(unfinished.is_empty(), "unfinished runs: {unfinished:#?}");
        assert_eq!((&self.outbox[..], self.inbox), (&[][..], 0), "outbox and inbox");
    }

    /// Every step of an ended run, from which messages can come.
    fn sources(&self) -> Vec<(&Uuid, &str)> {
        let ended = self.runs.iter().filter(|(_, run)| run.has_ended());
        ended.flat_map(|(run_id, run)| run.steps().into_iter().map(move |step| (run_id, step))).collect()
    }
}

impl Run {
    /// Whether its row says that it has ended.
    pub fn has_ended(&self) -> bool {
        ENDED.contains(&self.status.as_str())
    }

    /// Bodies of records of a kind, by call.
    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Record> {
        self.records.iter().filter(move |record| record.kind == kind)
    }

    /// The steps that its end tells of.
    fn steps(&self) -> Vec<&str> {
        let steps = self.of_kind("ended").filter_map(|record| record.body["steps"].as_array()).flatten();
        steps.filter_map(|step| step["step"].as_str()).collect()
    }

    fn check(&self, found: &mut Of<'_>) {
        self.check_sequence(found);
        self.check_end(found);
        self.check_calls(found);
        found.unless(self.epoch >= 1, "its epoch is below 1");
        found.unless(self.bytes == self.size, format!("its row says {} bytes, of {}", self.bytes, self.size));
    }

    fn check_sequence(&self, found: &mut Of<'_>) {
        let sequences: Vec<_> = self.records.iter().map(|record| record.sequence).collect();
        let count = i64::try_from(sequences.len()).unwrap_or(i64::MAX);
        found.unless(sequences.iter().copied().eq(1..=count), format!("its records are {sequences:?}"));
        found.unless(count == self.last_sequence, format!("its row says {}, of {count}", self.last_sequence));
        let starts: Vec<_> = self.of_kind("started").map(|record| record.sequence).collect();
        found.unless(starts == [1], format!("it starts at {starts:?}"));
    }

    fn check_end(&self, found: &mut Of<'_>) {
        let ends: Vec<_> = self.of_kind("ended").collect();
        let expected = usize::from(self.has_ended());
        found.unless(ends.len() == expected, format!("it is {} and has {} ends", self.status, ends.len()));
        found.unless(self.has_ended() == self.has_ended_at, format!("it is {}, but for its time", self.status));
        for end in ends {
            found.unless(end.sequence == self.last_sequence, "something follows its end");
            let status = &end.body["status"];
            found.unless(*status == self.status.as_str(), format!("it is {} and its end says {status}", self.status));
        }
    }

    /// A call succeeds once and for all, its attempts count up, and only what was done is undone, once.
    fn check_calls(&self, found: &mut Of<'_>) {
        let (mut done, mut undone) = (BTreeSet::new(), BTreeSet::new());
        let mut attempts: BTreeMap<(Call, bool), u64> = BTreeMap::new();
        for record in &self.records {
            let (is_undo, succeeds) = match record.kind.as_str() {
                "call_succeeded" => (false, true),
                "call_failed" => (false, false),
                "undo_succeeded" => (true, true),
                "undo_failed" => (true, false),
                _ => continue,
            };
            let call = call_of(&record.body);
            let told = format!("record {} of {call:?}", record.sequence);
            let settled = if is_undo { &mut undone } else { &mut done };
            found.unless(!settled.contains(&call), format!("{told} follows its success"));
            if succeeds {
                settled.insert(call.clone());
            }
            found.unless(!is_undo || done.contains(&call), format!("{told} undoes what was not done"));
            if let Some(attempt) = record.body["attempt"].as_u64() {
                let before = attempts.insert((call, is_undo), attempt).unwrap_or(0);
                found.unless(attempt > before, format!("{told} is attempt {attempt} after {before}"));
            }
        }
    }

    fn check_since(&self, before: &Self, found: &mut Of<'_>) {
        found.unless(self.epoch >= before.epoch, format!("its epoch fell from {} to {}", before.epoch, self.epoch));
        found.unless(self.records.starts_with(&before.records), "its records have changed");
        found.unless(self.fingerprint == before.fingerprint, "its contract has changed");
        found.unless(!before.has_ended() || self == before, "it has ended and has changed");
    }
}

/// Which call a record is about.
pub fn call_of(body: &Value) -> Call {
    let call = &body["call"];
    (call["step"].as_str().unwrap_or_default().to_owned(), call["call"].as_u64().unwrap_or_default())
}

#[derive(Default)]
struct Findings(Vec<String>);

impl Findings {
    fn of<'a>(&'a mut self, subject: &'a impl fmt::Display) -> Of<'a> {
        Of { findings: self, subject }
    }
}

/// Findings about one thing.
struct Of<'a> {
    findings: &'a mut Findings,
    subject: &'a dyn fmt::Display,
}

impl Of<'_> {
    fn unless(&mut self, holds: bool, finding: impl fmt::Display) {
        if !holds {
            self.findings.0.push(format!("{}: {finding}", self.subject));
        }
    }
}
