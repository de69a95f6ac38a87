//! The stable codes of journal errors, as `docs/errors.md` lists them.

/// Every code with its title and what to do about it.
pub const CODES: &[(&str, &str, &str)] = &[
    (
        "ONEX5001",
        "the journal cannot be used now",
        "look at the cause that follows: disk, permissions, or another process that uses the same data directory; runs go on by themselves when it works again",
    ),
    ("ONEX5002", "the run was started before", "nothing is to be done: a repeated delivery starts nothing"),
    ("ONEX5003", "no such run", "correct the run's id"),
    ("ONEX5004", "another worker owns the run", "nothing is to be done: the run goes on there"),
    ("ONEX5005", "the run is at another record than expected", "nothing is to be done: the run goes on with its owner"),
    ("ONEX5006", "the run has ended", "nothing is to be done"),
    (
        "ONEX5007",
        "two runs wrote one entity's state at once",
        "a defect of this program or two programs on one journal; report it with the run's records",
    ),
    (
        "ONEX5008",
        "the journal holds something that cannot be read",
        "restore the file from a backup, or run the version of this program that wrote it",
    ),
    ("ONEX5009", "the run has not ended", "wait for its end, or cancel it, before it is retried"),
    (
        "ONEX5010",
        "a record is larger than a record may be",
        "have the step give back a reference to large data, or raise `journal_limits.bytes_per_record`",
    ),
    (
        "ONEX5011",
        "a run's records are larger than they may be together",
        "have the steps give back references to large data, or raise `journal_limits.bytes_per_run`",
    ),
    (
        "ONEX5012",
        "a run has as many records as it may have",
        "divide the work into several runs, or raise `journal_limits.records_per_run`",
    ),
    (
        "ONEX5013",
        "a text cannot be kept by the journal",
        "leave the character U+0000 out; PostgreSQL has no place for it",
    ),
    (
        "ONEX5014",
        "the journal's tables are of a later version of this program",
        "run that version, or restore the database from before it",
    ),
];
