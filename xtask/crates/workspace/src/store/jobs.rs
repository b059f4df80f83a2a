//! Jobs. Times are milliseconds.

use rusqlite::{OptionalExtension as _, Row, params};
use xtask_local_server::now_ms;

use super::{Result, Store, new_id};
use crate::jobs::{Declared, JobSettings};

#[derive(Debug, Clone)]
pub struct Job {
    /// 15 digits.
    pub job_id: i64,
    pub settings: Declared<JobSettings>,
    pub creator: String,
    pub created_time: i64,
    /// When it got its trigger.
    pub trigger_since: i64,
}

pub(super) const COLUMNS: &str =
    "job_id, settings_json, creator_user_name, created_time, coalesce(trigger_since, created_time)";

impl Store {
    /// Answers the id.
    pub fn create_job(&self, settings: &Declared<JobSettings>, creator: &str) -> Result<i64> {
        let json = serde_json::to_string(settings)?;
        self.write(|tx| {
            let job_id = new_id(15)?;
            tx.execute(
                "INSERT INTO jobs (job_id, name, settings_json, creator_user_name, created_time)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![job_id, settings.name, json, creator, now_ms()],
            )?;
            Ok(job_id)
        })
    }

    /// `false` if there is none.
    pub fn replace_job(&self, job_id: i64, settings: &Declared<JobSettings>) -> Result<bool> {
        let json = serde_json::to_string(settings)?;
        self.write(|tx| {
            let changed = tx.execute(
                "UPDATE jobs SET name = ?2, settings_json = ?3, trigger_since = CASE
                   WHEN json_extract(settings_json, '$.trigger') IS json_extract(?3, '$.trigger') THEN trigger_since
                   ELSE ?4 END
                 WHERE job_id = ?1",
                params![job_id, settings.name, json, now_ms()],
            )?;
            Ok(changed == 1)
        })
    }

    pub fn job(&self, job_id: i64) -> Result<Option<Job>> {
        self.read(|connection| {
            connection
                .prepare_cached(&format!("SELECT {COLUMNS} FROM jobs WHERE job_id = ?1"))?
                .query_row([job_id], columns)
                .optional()?
                .map(job)
                .transpose()
        })
    }

    /// Newest first; `name` is case-insensitive.
    pub fn jobs(&self, name: Option<&str>, limit: u32, offset: u32) -> Result<Vec<Job>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM jobs
                 WHERE ?1 IS NULL OR lower(name) = lower(?1)
                 ORDER BY created_time DESC, job_id DESC LIMIT ?2 OFFSET ?3"
            ))?;
            statement
                .query_map(params![name, limit, offset], columns)?
                .map(|row| job(row?))
                .collect()
        })
    }

    /// `false` if there was none. Its runs stay.
    pub fn delete_job(&self, job_id: i64) -> Result<bool> {
        self.write(|tx| Ok(tx.execute("DELETE FROM jobs WHERE job_id = ?1", [job_id])? == 1))
    }
}

pub(super) type Columns = (i64, String, String, i64, i64);

pub(super) fn columns(row: &Row<'_>) -> rusqlite::Result<Columns> {
    Ok((
        row.get(0)?,
        row.get(1)?,
        row.get(2)?,
        row.get(3)?,
        row.get(4)?,
    ))
}

pub(super) fn job(
    (job_id, settings, creator, created_time, trigger_since): Columns,
) -> Result<Job> {
    Ok(Job {
        job_id,
        settings: serde_json::from_str(&settings)?,
        creator,
        created_time,
        trigger_since,
    })
}
