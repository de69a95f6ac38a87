CREATE TABLE node_registrations (
    node_id         UUID PRIMARY KEY,
    node_name       TEXT,
    node_type       TEXT NOT NULL,
    node_version    TEXT NOT NULL,
    capabilities    JSONB NOT NULL DEFAULT '{}',
    endpoints       JSONB NOT NULL DEFAULT '{}',
    metadata        JSONB NOT NULL DEFAULT '{}',
    health_endpoint VARCHAR(512),
    node_role       TEXT,
    network_id      TEXT,
    deployment_id   TEXT,
    epoch           BIGINT CHECK (epoch >= 0),
    event_timestamp TIMESTAMPTZ NOT NULL,
    correlation_id  UUID NOT NULL,
    run_id          UUID,
    state           TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'deregistered')),
    last_heartbeat  TIMESTAMPTZ,
    registered_at   TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL
);

CREATE INDEX node_registrations_state_type ON node_registrations (state, node_type);
CREATE INDEX node_registrations_updated ON node_registrations (updated_at DESC);
CREATE INDEX node_registrations_capabilities ON node_registrations USING gin (capabilities jsonb_path_ops);

COMMENT ON TABLE node_registrations IS 'One row per node; deregistered nodes stay';
COMMENT ON COLUMN node_registrations.epoch IS 'The node''s own count of its registrations; decides before event_timestamp';

-- What each key did, and the row it took the place of: an undo restores `replaced`, or removes the row when it is null.
CREATE TABLE node_registration_history (
    id              BIGSERIAL PRIMARY KEY,
    node_id         UUID NOT NULL,
    idempotency_key TEXT CONSTRAINT node_registration_history_key UNIQUE,
    action          TEXT NOT NULL,
    replaced        JSONB,
    at              TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE INDEX node_registration_history_node ON node_registration_history (node_id, id);
