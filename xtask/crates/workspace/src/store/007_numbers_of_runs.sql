-- A new run asks for the highest number of its job; without this it looks at all of them.
CREATE INDEX runs_by_number ON runs (job_id, number_in_job);
