//! Reads a journal that has no tables through its own methods: the one in memory.

use onex_journal::{Journal, StoredRun};

use super::{Outgoing, Record, Run, Snapshot};

impl Snapshot {
    /// What is in a journal that nobody can look into from outside.
    pub async fn of_journal(journal: &dyn Journal) -> Self {
        let mut snapshot = Self::default();
        for header in journal.runs(None, u32::MAX).await.expect("readable") {
            let stored = journal.load(header.run_id).await.expect("readable").expect("there");
            if journal.contract(&header.contract_fingerprint).await.expect("readable").is_some() {
                snapshot.contracts.insert(header.contract_fingerprint);
            }
            snapshot.read_state(journal, &stored).await;
            snapshot.runs.insert(header.run_id.0, run(stored));
        }
        let outbox = journal.outbox(u32::MAX).await.expect("readable").into_iter();
        snapshot.outbox =
            outbox.map(|message| Outgoing { id: message.id, envelope: message.envelope, run_id: None }).collect();
        let inbox = journal.inbox(u32::MAX).await.expect("readable").len();
        snapshot.inbox = i64::try_from(inbox).expect("few");
        snapshot
    }

    /// The state of the entity that a run is about.
    async fn read_state(&mut self, journal: &dyn Journal, stored: &StoredRun) {
        let entity = &stored.records[0].body["entity"];
        let Some((reducer, entity)) = entity["reducer"].as_str().zip(entity["entity"].as_str()) else { return };
        if let Some(state) = journal.entity_state(reducer, entity).await.expect("readable") {
            let version = i64::try_from(state.version).expect("small");
            self.states.insert((reducer.to_owned(), entity.to_owned()), (version, state.state));
        }
    }
}

fn run(stored: StoredRun) -> Run {
    let number = |number: u64| i64::try_from(number).expect("small");
    let records = stored.records.into_iter().map(|record| Record {
        sequence: number(record.sequence),
        kind: record.kind,
        body: record.body,
    });
    let records: Vec<_> = records.collect();
    Run {
        fingerprint: stored.header.contract_fingerprint,
        status: stored.header.status.as_str().to_owned(),
        epoch: number(stored.header.epoch),
        last_sequence: records.last().map_or(0, |record| record.sequence),
        bytes: 0,
        size: 0,
        has_ended_at: stored.header.ended_at.is_some(),
        records,
    }
}
