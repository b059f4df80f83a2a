//! Runs as lists show them: without what they were started with.

use rusqlite::{Row, params};

use super::{Result, RunState, RunType, Store};

/// A run in a few words.
#[derive(Debug, Clone)]
pub struct RunBrief {
    /// Its id.
    pub run_id: i64,
    /// The job; it may be gone by now.
    pub job_id: i64,
    /// 1 for the job's first run, then counting.
    pub number_in_job: i64,
    /// Name of the job when it was started.
    pub run_name: String,
    /// Where it stands.
    pub state: RunState,
    /// When it was started, ms.
    pub start_time: i64,
    /// When it ended, ms.
    pub end_time: Option<i64>,
    /// What it came from.
    pub run_type: RunType,
    /// How often it was repaired.
    pub repair_count: i64,
}

/// Which runs a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunChoice {
    /// All of them.
    All,
    /// Those that have not ended.
    Active,
    /// Those that ended badly.
    Failed,
    /// Those of a job.
    OfJob(i64),
}

impl RunChoice {
    /// A condition that its index serves; `?1` is the job.
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
    /// Some runs, newest first.
    pub fn run_briefs(&self, choice: RunChoice, limit: u32, offset: u32) -> Result<Vec<RunBrief>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(&format!(
                "SELECT run_id, job_id, number_in_job, run_name, life_cycle_state, result_state, state_message,
                   start_time, end_time, run_type, repair_count
                 FROM runs WHERE {} ORDER BY start_time DESC, run_id DESC LIMIT ?2 OFFSET ?3",
                choice.condition()
            ))?;
            Ok(statement
                .query_map(params![choice.job(), limit, offset], from_row)?
                .collect::<rusqlite::Result<_>>()?)
        })
    }

    /// How many runs these are.
    pub fn count_runs(&self, choice: RunChoice) -> Result<i64> {
        self.read(|connection| {
            let sql = format!("SELECT count(*) FROM runs WHERE {}", choice.condition());
            Ok(connection
                .prepare_cached(&sql)?
                .query_row([choice.job()], |row| row.get(0))?)
        })
    }

    /// How many jobs there are.
    pub fn count_jobs(&self) -> Result<i64> {
        self.read(|connection| {
            Ok(connection
                .prepare_cached("SELECT count(*) FROM jobs")?
                .query_row([], |row| row.get(0))?)
        })
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
        run_type: RunType::parse(&row.get::<_, String>(9)?),
        repair_count: row.get(10)?,
    })
}
