//! Runs without settings and parameters, for lists. Times are milliseconds.

use rusqlite::{Row, params};

use super::{Result, RunState, RunType, Store};

#[derive(Debug, Clone)]
pub struct RunBrief {
    pub run_id: i64,
    pub job_id: i64,
    pub number_in_job: i64,
    pub run_name: String,
    pub state: RunState,
    pub start_time: i64,
    pub end_time: Option<i64>,
    pub run_type: RunType,
    pub repair_count: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunChoice {
    All,
    Active,
    /// Those that ended with a failure.
    Failed,
    OfJob(i64),
}

impl RunChoice {
    /// Served by an index; `?1` is the job.
    fn condition(self) -> &'static str {
        match self {
            RunChoice::All => "?1 IS NULL",
            RunChoice::Active => "?1 IS NULL AND end_time IS NULL",
            RunChoice::Failed => {
                "?1 IS NULL AND end_time IS NOT NULL AND \
                 (result_state IN ('FAILED', 'TIMEDOUT') OR life_cycle_state = 'INTERNAL_ERROR')"
            }
            RunChoice::OfJob(_) => "job_id = ?1",
        }
    }

    fn job(self) -> Option<i64> {
        match self {
            RunChoice::OfJob(job_id) => Some(job_id),
            _ => None,
        }
    }
}

impl Store {
    /// Newest first.
    pub fn run_briefs(&self, choice: RunChoice, limit: u32, offset: u32) -> Result<Vec<RunBrief>> {
        self.rows(&format!(
                "SELECT run_id, job_id, number_in_job, run_name, life_cycle_state, result_state, state_message,
                   start_time, end_time, run_type, repair_count
                 FROM runs WHERE {} ORDER BY start_time DESC, run_id DESC LIMIT ?2 OFFSET ?3",
                choice.condition()
            ), params![choice.job(), limit, offset], from_row)
    }

    pub fn count_runs(&self, choice: RunChoice) -> Result<i64> {
        let sql = format!("SELECT count(*) FROM runs WHERE {}", choice.condition());
        self.count(&sql, [choice.job()])
    }

    pub fn count_jobs(&self) -> Result<i64> {
        self.count("SELECT count(*) FROM jobs", [])
    }
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<RunBrief> {
    Ok(RunBrief {
        run_id: row.get(0)?,
        job_id: row.get(1)?,
        number_in_job: row.get(2)?,
        run_name: row.get(3)?,
        state: RunState::from_row(row, 4)?,
        start_time: row.get(7)?,
        end_time: row.get(8)?,
        run_type: row.get(9)?,
        repair_count: row.get(10)?,
    })
}
