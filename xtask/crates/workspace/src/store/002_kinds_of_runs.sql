-- Runs that were submitted without a job, and those that the code of another run started.
ALTER TABLE runs ADD COLUMN run_type TEXT NOT NULL DEFAULT 'JOB_RUN';
ALTER TABLE runs ADD COLUMN parent_run_id INTEGER;
ALTER TABLE runs ADD COLUMN repair_count INTEGER NOT NULL DEFAULT 0;
CREATE INDEX runs_by_parent ON runs (parent_run_id) WHERE parent_run_id IS NOT NULL;

-- An iteration of a for_each_task is a task run below that task's; input_json is what it works on.
ALTER TABLE task_runs ADD COLUMN loop_run_id INTEGER;
ALTER TABLE task_runs ADD COLUMN input_json TEXT;
-- What a condition_task decided, and the run that a run_job_task started.
ALTER TABLE task_runs ADD COLUMN outcome TEXT;
ALTER TABLE task_runs ADD COLUMN started_run_id INTEGER;
CREATE INDEX task_runs_by_loop ON task_runs (loop_run_id, position) WHERE loop_run_id IS NOT NULL;

-- The lives of a run that was repaired: number 0 is the first one. The newest is still open here; the run itself
-- says how it stands.
CREATE TABLE repairs (
    job_run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    repair_id INTEGER NOT NULL,
    task_run_ids_json TEXT NOT NULL,
    life_cycle_state TEXT NOT NULL,
    result_state TEXT,
    state_message TEXT NOT NULL DEFAULT '',
    start_time INTEGER NOT NULL,
    end_time INTEGER,
    PRIMARY KEY (job_run_id, number)
) STRICT;
