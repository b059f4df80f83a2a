//! Next due times of schedules.

use rusqlite::{OptionalExtension as _, Row, params};
use serde_json::Value;

use super::{Job, Result, Store, jobs};

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
        self.read(|connection| {
            let mut statement = connection.prepare_cached(&format!(
                "SELECT {} FROM jobs
                 WHERE json_extract(settings_json, '$.schedule') IS NOT NULL
                    OR json_extract(settings_json, '$.trigger') IS NOT NULL
                    OR json_extract(settings_json, '$.continuous') IS NOT NULL
                 ORDER BY created_time DESC, job_id DESC",
                jobs::COLUMNS
            ))?;
            statement
                .query_map([], jobs::columns)?
                .map(|row| jobs::job(row?))
                .collect()
        })
    }

    pub fn due(&self, job_id: i64) -> Result<Option<Due>> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT trigger_json, last_due, next_due FROM schedules WHERE job_id = ?1",
                )?
                .query_row([job_id], |row| Ok(from_row(row)))
                .optional()?
                .transpose()
        })
    }

    /// Does nothing if the job was deleted.
    pub fn set_due(&self, job_id: i64, due: &Due) -> Result<()> {
        let trigger = serde_json::to_string(&due.trigger)?;
        self.write(|tx| {
            tx.execute(
                "INSERT INTO schedules (job_id, trigger_json, last_due, next_due)
                 SELECT job_id, ?2, ?3, ?4 FROM jobs WHERE job_id = ?1
                 ON CONFLICT (job_id) DO UPDATE SET
                   trigger_json = excluded.trigger_json, last_due = excluded.last_due, next_due = excluded.next_due",
                params![job_id, trigger, due.last, due.next],
            )?;
            Ok(())
        })
    }

    pub fn forget_due(&self, job_id: i64) -> Result<()> {
        self.write(|tx| {
            tx.execute("DELETE FROM schedules WHERE job_id = ?1", [job_id])?;
            Ok(())
        })
    }

    /// When schedules are disabled.
    pub fn forget_dues(&self) -> Result<()> {
        self.write(|tx| {
            tx.execute("DELETE FROM schedules", [])?;
            Ok(())
        })
    }
}

fn from_row(row: &Row<'_>) -> Result<Due> {
    Ok(Due {
        trigger: serde_json::from_str(&row.get::<_, String>(0)?)?,
        last: row.get(1)?,
        next: row.get(2)?,
    })
}
