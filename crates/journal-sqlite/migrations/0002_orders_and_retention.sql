-- Orders, sub-runs, limits and retention. The tables are described in docs/journal.md.

-- When the contract was last saved, by the clock of this machine.
ALTER TABLE contracts ADD COLUMN saved_at INTEGER NOT NULL DEFAULT 0;
UPDATE contracts SET saved_at = CAST(unixepoch('subsec') * 1000000 AS INTEGER);

-- The run that started this one as one of its steps; NULL for none. A parent that was pruned is named still.
ALTER TABLE runs ADD COLUMN parent TEXT;

-- The size of the bodies of all the run's records, as UTF-8.
ALTER TABLE runs ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE runs SET bytes =
    (SELECT coalesce(sum(length(CAST(body AS BLOB))), 0) FROM records WHERE records.run_id = runs.run_id);

-- The run that sent the message; NULL for messages of the version before this one.
ALTER TABLE outbox ADD COLUMN run_id TEXT;
CREATE INDEX outbox_by_run ON outbox (run_id);

-- For take-overs, in the order of leases: all they ask of a running run, and nothing of the ended ones.
DROP INDEX runs_running;
CREATE INDEX runs_running ON runs (lease_until, position, owner, parent) WHERE status = 'running';

-- For pruning.
CREATE INDEX runs_ended ON runs (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX runs_by_parent ON runs (parent) WHERE parent IS NOT NULL;

-- What somebody wants of a run. An order waits while it is not settled and its run is running, or, for a retry,
-- is not running. Settled orders stay as long as their run: an order is taken up once.
CREATE TABLE orders (
    position INTEGER NOT NULL PRIMARY KEY,
    id       TEXT NOT NULL UNIQUE,
    run_id   TEXT NOT NULL REFERENCES runs (run_id),
    kind     TEXT NOT NULL CHECK (kind IN ('cancel', 'pause', 'resume', 'retry')),
    at       INTEGER NOT NULL,
    settled  INTEGER NOT NULL CHECK (settled IN (0, 1))
) STRICT;

CREATE INDEX orders_by_run ON orders (run_id);
CREATE INDEX orders_waiting ON orders (position) WHERE settled = 0;
