-- The same columns as the PostgreSQL backend's table; UUIDs, times (RFC 3339) and JSON are text.
CREATE TABLE node_registrations (
    node_id         TEXT PRIMARY KEY NOT NULL,
    node_name       TEXT,
    node_type       TEXT NOT NULL,
    node_version    TEXT NOT NULL,
    capabilities    TEXT NOT NULL DEFAULT '{}',
    endpoints       TEXT NOT NULL DEFAULT '{}',
    metadata        TEXT NOT NULL DEFAULT '{}',
    health_endpoint TEXT,
    node_role       TEXT,
    network_id      TEXT,
    deployment_id   TEXT,
    epoch           INTEGER,
    event_timestamp TEXT NOT NULL,
    correlation_id  TEXT NOT NULL,
    run_id          TEXT,
    state           TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'deregistered')),
    last_heartbeat  TEXT,
    registered_at   TEXT NOT NULL,
    updated_at      TEXT NOT NULL
) STRICT;

-- What each key did, and what it took the place of: an undo restores `replaced`, or removes the row when it is null.
CREATE TABLE node_registration_history (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    node_id         TEXT NOT NULL,
    idempotency_key TEXT UNIQUE,
    action          TEXT NOT NULL,
    replaced        TEXT,
    at              TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;

CREATE INDEX node_registration_history_node ON node_registration_history (node_id, id);

-- The service catalogue, with what Consul would hold.
CREATE TABLE services (
    service_id      TEXT PRIMARY KEY NOT NULL,
    service_name    TEXT NOT NULL,
    tags            TEXT NOT NULL DEFAULT '[]',
    address         TEXT,
    port            INTEGER,
    health_check    TEXT,
    meta            TEXT NOT NULL DEFAULT '{}',
    epoch           INTEGER,
    event_timestamp TEXT NOT NULL,
    correlation_id  TEXT NOT NULL
) STRICT;

CREATE INDEX services_name ON services (service_name);

CREATE TABLE service_history (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    service_id      TEXT NOT NULL,
    idempotency_key TEXT UNIQUE,
    action          TEXT NOT NULL,
    replaced        TEXT,
    at              TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;

CREATE INDEX service_history_service ON service_history (service_id, id);
