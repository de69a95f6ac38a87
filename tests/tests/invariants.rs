//! The outside checker finds what it is there for: a sound journal has no violations, and every way to spoil one is
//! told.

#![expect(clippy::expect_used, reason = "a test reports by panicking")]

use std::path::Path;
use std::sync::Arc;

use onex_journal_sqlite::SqliteJournal;
use onex_orchestrator::{NodeOrchestrator, Worker};
use onex_tests::invariants::Snapshot;
use onex_tests::process::block_on;
use onex_tests::{ORCHESTRATOR, ScriptedEffect, nodes, reading, run, sample_events, worker};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor};

/// A journal with one run that has ended and whose result was not published.
fn written(path: &Path) {
    block_on(async {
        let journal = Arc::new(SqliteJournal::open(path).await.expect("it opens"));
        let registry = nodes(&Arc::new(ScriptedEffect::new()));
        let orchestrator = NodeOrchestrator::from_reading(&reading(ORCHESTRATOR), &registry);
        let orchestrator = orchestrator.expect("an orchestrator");
        orchestrator.save(&*journal).await.expect("writable");
        let worker = Worker { journal: Arc::clone(&journal) as _, ..worker() };
        run(&orchestrator, &worker, 1, &sample_events()[0]).await;
        journal.close().await;
    });
}

fn meddled(path: &Path, statements: &'static str) -> Snapshot {
    block_on(async {
        let mut meddler =
            SqliteConnectOptions::new().filename(path).foreign_keys(false).connect().await.expect("it opens");
        meddler.execute(statements).await.expect("meddled with");
        meddler.close().await.expect("closable");
    });
    Snapshot::of_sqlite(path)
}

const OF_ONE: [(&str, &str); 17] = [
    ("UPDATE runs SET bytes = bytes + 1", "bytes, of"),
    ("UPDATE outbox SET run_id = '00000000-0000-0000-0000-000000000009'", "comes from no step of an ended run"),
    ("DELETE FROM run_records WHERE sequence = 2", "its records are [1, 3, 4]"),
    ("UPDATE runs SET last_sequence = 9", "its row says 9, of 4"),
    ("UPDATE run_records SET kind = 'begun' WHERE sequence = 1", "it starts at []"),
    ("DELETE FROM run_records WHERE kind = 'ended'", "it is succeeded and has 0 ends"),
    ("UPDATE run_records SET kind = 'ended' WHERE sequence = 2", "has 2 ends"),
    ("UPDATE runs SET status = 'running'", "it is running and has 1 ends"),
    ("UPDATE runs SET ended_at = NULL", "it is succeeded, but for its time"),
    ("UPDATE runs SET status = 'failed'", "it is failed and its end says \"succeeded\""),
    (
        "UPDATE run_records SET sequence = 9 WHERE sequence = 3; UPDATE run_records SET sequence = 3 WHERE sequence = 4; \
         UPDATE run_records SET sequence = 4 WHERE sequence = 9",
        "something follows its end",
    ),
    (
        "UPDATE run_records SET body = (SELECT body FROM records WHERE sequence = 2) WHERE sequence = 3",
        "record 3 of (\"execute_consul_registration\", 0) follows its success",
    ),
    (
        "UPDATE run_records SET kind = 'call_failed' WHERE sequence = 2; \
         UPDATE run_records SET body = (SELECT body FROM records WHERE sequence = 2) WHERE sequence = 3",
        "is attempt 1 after 1",
    ),
    ("UPDATE run_records SET kind = 'undo_succeeded' WHERE sequence = 2", "undoes what was not done"),
    ("UPDATE runs SET contract_fingerprint = 'other'", "its contract is not kept"),
    ("UPDATE outbox SET id = '00000000-0000-0000-0000-000000000009'", "comes from no step of an ended run"),
    (
        "UPDATE runs SET status = 'running', ended_at = NULL; DELETE FROM run_records WHERE kind = 'ended'; \
         UPDATE runs SET last_sequence = 3",
        "comes from no step of an ended run",
    ),
];

#[test]
fn every_way_to_spoil_a_journal_is_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let whole = directory.path().join("whole.db");
    written(&whole);
    let sound = Snapshot::of_sqlite(&whole);
    assert_eq!(sound.violations(), [""; 0]);
    assert_eq!((sound.runs.len(), sound.outbox.len(), sound.states.len()), (1, 1, 1), "there is something to check");
    for (index, (statements, finding)) in OF_ONE.into_iter().enumerate() {
        let path = directory.path().join(format!("{index}.db"));
        std::fs::copy(&whole, &path).expect("a copy");
        let found = meddled(&path, statements).violations();
        assert!(found.iter().any(|found| found.contains(finding)), "{statements}: {found:#?}");
    }
}

const SINCE: [(&str, &str); 6] = [
    ("UPDATE runs SET epoch = 1", "its epoch fell from 3 to 1"),
    ("DELETE FROM run_records; DELETE FROM runs", "it has gone"),
    ("UPDATE run_records SET body = '{}' WHERE sequence = 1", "its records have changed"),
    ("UPDATE runs SET contract_fingerprint = 'other'", "its contract has changed"),
    ("UPDATE runs SET status = 'failed'", "it has ended and has changed"),
    ("UPDATE entity_states SET version = 1", "its version has fallen"),
];

#[test]
fn what_must_not_become_of_a_journal_is_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let whole = directory.path().join("whole.db");
    written(&whole);
    let before = meddled(&whole, "UPDATE runs SET epoch = 3; UPDATE entity_states SET version = 2");
    assert_eq!(before.violations_since(&before), [""; 0]);
    for (index, (statements, finding)) in SINCE.into_iter().enumerate() {
        let path = directory.path().join(format!("{index}.db"));
        std::fs::copy(&whole, &path).expect("a copy");
        let found = meddled(&path, statements).violations_since(&before);
        assert!(found.iter().any(|found| found.contains(finding)), "{statements}: {found:#?}");
    }
}
