-- The tables of the run journal. docs/journal.md describes them for other programs.
--
-- Foreign keys are left out on purpose: they would lock the referenced row once more for each record. What they
-- would say is among the invariants of docs/journal.md.

CREATE TABLE onex_contracts (
    fingerprint text PRIMARY KEY,
    canonical   text NOT NULL,
    saved_at    timestamptz NOT NULL
);

CREATE TABLE onex_runs (
    run_id               uuid PRIMARY KEY,
    position             bigint GENERATED ALWAYS AS IDENTITY,
    orchestrator         text NOT NULL,
    contract_fingerprint text NOT NULL,
    entity               text,
    parent               uuid,
    status               text NOT NULL
        CHECK (status IN ('running', 'succeeded', 'partial', 'failed', 'cancelled', 'set_aside')),
    owner                text NOT NULL,
    epoch                bigint NOT NULL CHECK (epoch >= 1),
    lease_until          timestamptz NOT NULL,
    last_sequence        bigint NOT NULL CHECK (last_sequence >= 1),
    bytes                bigint NOT NULL,
    started_at           timestamptz NOT NULL,
    ended_at             timestamptz,
    reason               text
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);

-- Room on the page and no index on what an append changes: most updates touch no index.
CREATE INDEX onex_runs_by_position ON onex_runs (position);
CREATE INDEX onex_runs_running ON onex_runs (lease_until, position) WHERE status = 'running';
CREATE INDEX onex_runs_troubled ON onex_runs (status, position)
    WHERE status IN ('partial', 'failed', 'cancelled', 'set_aside');
CREATE INDEX onex_runs_ended ON onex_runs (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX onex_runs_by_parent ON onex_runs (parent) WHERE parent IS NOT NULL;

CREATE TABLE onex_records (
    run_id   uuid NOT NULL,
    sequence bigint NOT NULL CHECK (sequence >= 1),
    kind     text NOT NULL,
    body     text NOT NULL, -- JSON, as it was written
    PRIMARY KEY (run_id, sequence)
);

CREATE TABLE onex_entity_states (
    reducer text NOT NULL,
    entity  text NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    state   text NOT NULL, -- JSON, as it was written
    PRIMARY KEY (reducer, entity)
);

CREATE TABLE onex_orders (
    id       uuid PRIMARY KEY,
    position bigint GENERATED ALWAYS AS IDENTITY,
    run_id   uuid NOT NULL,
    kind     text NOT NULL CHECK (kind IN ('cancel', 'pause', 'resume', 'retry')),
    at       timestamptz NOT NULL,
    settled  boolean NOT NULL
);
CREATE INDEX onex_orders_by_run ON onex_orders (run_id);
CREATE INDEX onex_orders_waiting ON onex_orders (position) WHERE NOT settled;

CREATE TABLE onex_outbox (
    id       uuid PRIMARY KEY,
    position bigint GENERATED ALWAYS AS IDENTITY,
    topic    text NOT NULL,
    key      text,
    envelope text NOT NULL, -- JSON, as it was written
    run_id   uuid NOT NULL
);
CREATE INDEX onex_outbox_by_position ON onex_outbox (position);
CREATE INDEX onex_outbox_by_run ON onex_outbox (run_id);

CREATE TABLE onex_inbox (
    id       uuid PRIMARY KEY,
    position bigint GENERATED ALWAYS AS IDENTITY,
    topic    text NOT NULL,
    key      text,
    body     text NOT NULL
);
CREATE INDEX onex_inbox_by_position ON onex_inbox (position);

-- Undoes a statement that was made on an expectation that does not hold.
CREATE FUNCTION onex_require(holds boolean) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF holds IS NOT TRUE THEN
        RAISE EXCEPTION 'what the statement rests on does not hold' USING ERRCODE = 'OX001';
    END IF;
    RETURN true;
END
$$;
