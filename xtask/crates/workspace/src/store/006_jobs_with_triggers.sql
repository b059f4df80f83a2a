-- Whoever watches the schedules looks at these jobs every moment, and at no others.
CREATE INDEX jobs_with_triggers ON jobs (job_id)
    WHERE json_extract(settings_json, '$.schedule') IS NOT NULL
       OR json_extract(settings_json, '$.trigger') IS NOT NULL
       OR json_extract(settings_json, '$.continuous') IS NOT NULL;
