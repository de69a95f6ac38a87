-- The tables of the run journal.
--
-- Only the journal writes them. Other programs may read them: the invariants stated here hold in every
-- committed state.
--
-- Points in time are INTEGER, microseconds since 1970-01-01T00:00:00Z: they compare as numbers, and
-- `datetime(started_at / 1000000, 'unixepoch')` shows them. UUIDs are hyphenated lower-case TEXT.
-- Columns that hold JSON hold its text, exactly as it was written.

-- The contracts runs were started with, as canonical JSON. A fingerprint keeps the first text given for it.
CREATE TABLE contracts (
    fingerprint TEXT NOT NULL PRIMARY KEY,
    canonical   TEXT NOT NULL
) STRICT;

-- One row per run. Rows stay when a run has ended.
--
-- * `position` orders runs by their start.
-- * `epoch` only rises: by one with each take-over.
-- * `last_sequence` is the highest `sequence` among the run's records.
-- * `ended_at` is set when the run ends, so never while `status` is `running`; a run set aside while running
--   has none.
-- * `reason` says why a run was set aside, and is NULL for every other.
-- * `entity` is the entity the run is about, NULL for none.
CREATE TABLE runs (
    position             INTEGER NOT NULL PRIMARY KEY,
    run_id               TEXT NOT NULL UNIQUE,
    orchestrator         TEXT NOT NULL,
    contract_fingerprint TEXT NOT NULL,
    entity               TEXT,
    status               TEXT NOT NULL
        CHECK (status IN ('running', 'succeeded', 'partial', 'failed', 'cancelled', 'set_aside')),
    owner                TEXT NOT NULL,
    epoch                INTEGER NOT NULL CHECK (epoch >= 1),
    lease_until          INTEGER NOT NULL,
    last_sequence        INTEGER NOT NULL CHECK (last_sequence >= 1),
    started_at           INTEGER NOT NULL,
    ended_at             INTEGER,
    reason               TEXT
) STRICT;

-- For take-overs: all they ask of a running run, and nothing of the ended ones.
CREATE INDEX runs_running ON runs (lease_until, owner) WHERE status = 'running';

-- For lists by status, newest first (the position is part of every index).
CREATE INDEX runs_by_status ON runs (status);

-- What runs wrote down. Within a run `sequence` counts from 1 without gaps; the record at 1 is its start.
-- Not WITHOUT ROWID, on purpose: so the bodies of a commit lie next to each other, and only the index entries are
-- spread over the tree. Otherwise each record rewrites a page or three of its own.
CREATE TABLE records (
    run_id   TEXT NOT NULL REFERENCES runs (run_id),
    sequence INTEGER NOT NULL CHECK (sequence >= 1),
    kind     TEXT NOT NULL,
    body     TEXT NOT NULL, -- JSON
    PRIMARY KEY (run_id, sequence)
) STRICT;

-- The state each reducer holds of each entity; `version` counts its writes from 1.
CREATE TABLE entity_states (
    reducer TEXT NOT NULL,
    entity  TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    state   TEXT NOT NULL, -- JSON
    PRIMARY KEY (reducer, entity)
) STRICT, WITHOUT ROWID;

-- Messages of ended runs that were not yet marked as published, oldest first by `position`.
CREATE TABLE outbox (
    position INTEGER NOT NULL PRIMARY KEY,
    id       TEXT NOT NULL UNIQUE,
    topic    TEXT NOT NULL,
    key      TEXT,
    envelope TEXT NOT NULL -- JSON
) STRICT;

-- Accepted messages whose runs have not started, oldest first by `position`.
CREATE TABLE inbox (
    position INTEGER NOT NULL PRIMARY KEY,
    id       TEXT NOT NULL UNIQUE,
    topic    TEXT NOT NULL,
    key      TEXT,
    body     TEXT NOT NULL -- as it came, JSON when the sender kept its word
) STRICT;
