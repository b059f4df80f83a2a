//! Jobs. Times are milliseconds.

use rusqlite::{Row, params};
use xtask_local_server::now_ms;

use super::{Result, Store, json, new_id};
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
        self.changes("UPDATE jobs SET name = ?2, settings_json = ?3, trigger_since = CASE
                   WHEN json_extract(settings_json, '$.trigger') IS json_extract(?3, '$.trigger') THEN trigger_since
                   ELSE ?4 END
                 WHERE job_id = ?1",
                params![job_id, settings.name, json, now_ms()])
    }

    pub fn job(&self, job_id: i64) -> Result<Option<Job>> {
        let sql = format!("SELECT {COLUMNS} FROM jobs WHERE job_id = ?1");
        self.row(&sql, [job_id], from_row)
    }

    /// Newest first; `name` is case-insensitive.
    pub fn jobs(&self, name: Option<&str>, limit: u32, offset: u32) -> Result<Vec<Job>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM jobs WHERE ?1 IS NULL OR lower(name) = lower(?1)
             ORDER BY created_time DESC, job_id DESC LIMIT ?2 OFFSET ?3"
        );
        self.rows(&sql, params![name, limit, offset], from_row)
    }

    /// `false` if there was none. Its runs stay.
    pub fn delete_job(&self, job_id: i64) -> Result<bool> {
        self.changes("DELETE FROM jobs WHERE job_id = ?1", [job_id])
    }
}

pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Job> {
    Ok(Job {
        job_id: row.get(0)?,
        settings: json(row, 1)?,
        creator: row.get(2)?,
        created_time: row.get(3)?,
        trigger_since: row.get(4)?,
    })
}
