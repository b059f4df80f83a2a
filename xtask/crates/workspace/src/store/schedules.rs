//! Next due times of schedules.

use rusqlite::{Row, params};
use serde_json::Value;

use super::{Job, Result, Store, jobs, json};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The trigger for which the times were computed.
    pub trigger: Value,
    /// Last due time, ms.
    pub last: Option<i64>,
    /// Next due time, ms.
    pub next: i64,
}

impl Store {
    /// Jobs with a schedule, a trigger, or continuous runs, newest first.
    pub fn jobs_with_triggers(&self) -> Result<Vec<Job>> {
        let sql = format!(
            "SELECT {} FROM jobs
             WHERE json_extract(settings_json, '$.schedule') IS NOT NULL
                OR json_extract(settings_json, '$.trigger') IS NOT NULL
                OR json_extract(settings_json, '$.continuous') IS NOT NULL
             ORDER BY created_time DESC, job_id DESC",
            jobs::COLUMNS
        );
        self.rows(&sql, [], jobs::from_row)
    }

    pub fn due(&self, job_id: i64) -> Result<Option<Due>> {
        self.row(
            "SELECT trigger_json, last_due, next_due FROM schedules WHERE job_id = ?1",
            [job_id],
            from_row,
        )
    }

    /// Does nothing if the job was deleted.
    pub fn set_due(&self, job_id: i64, due: &Due) -> Result<()> {
        let trigger = serde_json::to_string(&due.trigger)?;
        self.set("INSERT INTO schedules (job_id, trigger_json, last_due, next_due)
                 SELECT job_id, ?2, ?3, ?4 FROM jobs WHERE job_id = ?1
                 ON CONFLICT (job_id) DO UPDATE SET
                   trigger_json = excluded.trigger_json, last_due = excluded.last_due, next_due = excluded.next_due",
                params![job_id, trigger, due.last, due.next])
    }

    pub fn forget_due(&self, job_id: i64) -> Result<()> {
        self.set("DELETE FROM schedules WHERE job_id = ?1", [job_id])
    }

    /// When schedules are disabled.
    pub fn forget_dues(&self) -> Result<()> {
        self.set("DELETE FROM schedules", [])
    }
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Due> {
    Ok(Due {
        trigger: json(row, 0)?,
        last: row.get(1)?,
        next: row.get(2)?,
    })
}
