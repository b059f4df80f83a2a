-- Times are milliseconds since the Unix epoch; columns that end in _json hold JSON.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- What the workspace tree knows about a path beyond its bytes. A path without a row is a plain file or folder.
CREATE TABLE objects (
    path TEXT PRIMARY KEY,
    object_id INTEGER NOT NULL UNIQUE,
    object_type TEXT NOT NULL,
    language TEXT,
    created_at INTEGER NOT NULL,
    modified_at INTEGER NOT NULL
) STRICT;

CREATE TABLE jobs (
    job_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    settings_json TEXT NOT NULL,
    creator_user_name TEXT NOT NULL,
    created_time INTEGER NOT NULL
) STRICT;
CREATE INDEX jobs_by_name ON jobs (name);
CREATE INDEX jobs_by_time ON jobs (created_time, job_id);

-- A run outlives its job.
CREATE TABLE runs (
    run_id INTEGER PRIMARY KEY,
    job_id INTEGER NOT NULL,
    number_in_job INTEGER NOT NULL,
    run_name TEXT NOT NULL,
    idempotency_token TEXT UNIQUE,
    creator_user_name TEXT NOT NULL,
    settings_json TEXT NOT NULL,
    parameters_json TEXT NOT NULL,
    overrides_json TEXT NOT NULL,
    life_cycle_state TEXT NOT NULL,
    result_state TEXT,
    state_message TEXT NOT NULL DEFAULT '',
    start_time INTEGER NOT NULL,
    end_time INTEGER
) STRICT;
CREATE INDEX runs_by_job ON runs (job_id, start_time);
CREATE INDEX runs_by_time ON runs (start_time, run_id);
CREATE INDEX runs_active ON runs (run_id) WHERE end_time IS NULL;

CREATE TABLE task_runs (
    run_id INTEGER PRIMARY KEY,
    job_run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    task_key TEXT NOT NULL,
    attempt_number INTEGER NOT NULL DEFAULT 0,
    settings_json TEXT NOT NULL,
    parameters_json TEXT NOT NULL DEFAULT '{}',
    life_cycle_state TEXT NOT NULL,
    result_state TEXT,
    state_message TEXT NOT NULL DEFAULT '',
    start_time INTEGER,
    execution_started_at INTEGER,
    end_time INTEGER,
    notebook_result TEXT,
    logs TEXT,
    logs_truncated INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    error_trace TEXT
) STRICT;
CREATE INDEX task_runs_by_run ON task_runs (job_run_id, position, attempt_number);

CREATE TABLE task_values (
    job_run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    task_key TEXT NOT NULL,
    key TEXT NOT NULL,
    value_json TEXT NOT NULL,
    PRIMARY KEY (job_run_id, task_key, key)
) STRICT;

-- Tokens of job runs; only their SHA-256 is kept. One that has ended is void.
CREATE TABLE run_tokens (
    fingerprint TEXT PRIMARY KEY,
    job_run_id INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at INTEGER
) STRICT;

-- Browsers that signed in; only the SHA-256 of the cookie is kept.
CREATE TABLE sessions (
    fingerprint TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE permissions (
    object_type TEXT NOT NULL,
    object_id TEXT NOT NULL,
    acl_json TEXT NOT NULL,
    PRIMARY KEY (object_type, object_id)
) STRICT;

-- Catalogs, schemas and volumes. Registered models live in MLflow.
CREATE TABLE securables (
    kind TEXT NOT NULL,
    full_name TEXT NOT NULL,
    parent TEXT NOT NULL,
    body_json TEXT NOT NULL,
    PRIMARY KEY (kind, full_name)
) STRICT;
CREATE INDEX securables_by_parent ON securables (kind, parent, full_name);

CREATE TABLE grants (
    securable_type TEXT NOT NULL,
    full_name TEXT NOT NULL,
    principal TEXT NOT NULL,
    privileges_json TEXT NOT NULL,
    PRIMARY KEY (securable_type, full_name, principal)
) STRICT;
