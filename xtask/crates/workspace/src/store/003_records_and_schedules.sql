-- Pipelines, SQL warehouses and clusters: kept and shown, never run.
CREATE TABLE records (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    body_json TEXT NOT NULL,
    created_time INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT;

-- The planned time of a run that a schedule started.
ALTER TABLE runs ADD COLUMN due_time INTEGER;

-- Since when a job has its trigger; a periodic one counts from then. Null: since it was created.
ALTER TABLE jobs ADD COLUMN trigger_since INTEGER;

-- When the schedule of a job fires next; trigger_json is what that was computed from.
CREATE TABLE schedules (
    job_id INTEGER PRIMARY KEY REFERENCES jobs (job_id) ON DELETE CASCADE,
    trigger_json TEXT NOT NULL,
    last_due INTEGER,
    next_due INTEGER NOT NULL
) STRICT;
