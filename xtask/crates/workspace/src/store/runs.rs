//! Job runs, their task runs, and task values. Times are milliseconds.
//!
//! `jobs/run-now` stores a run with its tasks; the runner executes it.

mod brief;
mod repairs;
mod state;
mod tasks;

pub use brief::{RunBrief, RunChoice};
pub use repairs::{Repair, RepairPlan};
pub use state::{LifeCycle, ResultState, RunState, RunType};
pub use tasks::{NewTask, TaskOutput, TaskRun};

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::Value;
use xtask_local_server::now_ms;

use super::{Result, Store, json, new_id};
use crate::jobs::{Declared, JobSettings};

#[derive(Debug, Clone)]
pub struct Run {
    /// 15 digits.
    pub run_id: i64,
    /// May have been deleted.
    pub job_id: i64,
    /// Counts from 1.
    pub number_in_job: i64,
    /// Name of the job at the start.
    pub run_name: String,
    pub creator: String,
    /// The identity that its code acts as; empty for the workspace's own user.
    pub run_as: String,
    pub settings: Declared<JobSettings>,
    /// Defaults, overridden by the caller.
    pub parameters: BTreeMap<String, String>,
    /// The rest of the request: `notebook_params`, `only`, ….
    pub overrides: Value,
    pub state: RunState,
    pub start_time: i64,
    pub end_time: Option<i64>,
    pub run_type: RunType,
    /// The run whose code started it.
    pub parent_run_id: Option<i64>,
    pub repair_count: i64,
    /// For runs of a schedule.
    pub due_time: Option<i64>,
}

impl Run {
    /// `user` is the workspace's own.
    pub fn acts_as<'a>(&'a self, user: &'a str) -> &'a str {
        if self.run_as.is_empty() {
            user
        } else {
            &self.run_as
        }
    }
}

#[derive(Debug, Clone)]
pub struct NewRun {
    pub job_id: i64,
    pub run_name: String,
    /// A known token answers its run.
    pub idempotency_token: Option<String>,
    pub creator: String,
    pub run_as: String,
    pub settings: Value,
    pub parameters: BTreeMap<String, String>,
    pub overrides: Value,
    /// PENDING, QUEUED, or SKIPPED.
    pub state: RunState,
    pub tasks: Vec<NewTask>,
    pub run_type: RunType,
    pub parent_run_id: Option<i64>,
    pub due_time: Option<i64>,
}

#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    pub job_id: Option<i64>,
    /// `true`: not ended; `false`: ended.
    pub active: Option<bool>,
    pub run_type: Option<RunType>,
    /// Started by the code of this run.
    pub parent_run_id: Option<i64>,
    pub start_time_from: Option<i64>,
    pub start_time_to: Option<i64>,
    pub limit: u32,
    pub offset: u32,
}

const COLUMNS: &str = "run_id, job_id, number_in_job, run_name, creator_user_name, settings_json, parameters_json, \
     overrides_json, life_cycle_state, result_state, state_message, start_time, end_time, run_type, parent_run_id, \
     repair_count, run_as, due_time";

impl Store {
    /// Answers whether the run is new: a known idempotency token answers its run.
    pub fn create_run(&self, new: &NewRun) -> Result<(Run, bool)> {
        self.write(|tx| {
            if let Some(token) = &new.idempotency_token
                && let Some(known) = find(tx, "idempotency_token", token)?
            {
                return Ok((known, false));
            }
            let run_id = new_id(15)?;
            let number: i64 = tx.query_row(
                "SELECT coalesce(max(number_in_job), 0) + 1 FROM runs WHERE job_id = ?1",
                [new.job_id],
                |row| row.get(0),
            )?;
            tx.execute(
                "INSERT INTO runs (run_id, job_id, number_in_job, run_name, idempotency_token, creator_user_name,
                   settings_json, parameters_json, overrides_json, life_cycle_state, result_state, state_message,
                   start_time, end_time, run_type, parent_run_id, run_as, due_time)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
                params![
                    run_id,
                    new.job_id,
                    number,
                    new.run_name,
                    new.idempotency_token,
                    new.creator,
                    serde_json::to_string(&new.settings)?,
                    serde_json::to_string(&new.parameters)?,
                    serde_json::to_string(&new.overrides)?,
                    new.state.life_cycle,
                    new.state.result,
                    new.state.message,
                    now_ms(),
                    new.state.life_cycle.has_ended().then(now_ms),
                    new.run_type,
                    new.parent_run_id,
                    new.run_as,
                    new.due_time,
                ],
            )?;
            tasks::insert(tx, run_id, &new.tasks)?;
            let run = find(tx, "run_id", &run_id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            Ok((run, true))
        })
    }

    /// Not for ids of task runs.
    pub fn run(&self, run_id: i64) -> Result<Option<Run>> {
        self.read(|connection| find(connection, "run_id", &run_id))
    }

    /// Newest first.
    pub fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>> {
        self.rows(
            &format!(
                "SELECT {COLUMNS} FROM runs
                 WHERE (?1 IS NULL OR job_id = ?1) AND (?2 IS NULL OR (end_time IS NULL) = ?2)
                   AND (?5 IS NULL OR run_type = ?5) AND (?6 IS NULL OR parent_run_id = ?6)
                   AND (?7 IS NULL OR start_time >= ?7) AND (?8 IS NULL OR start_time <= ?8)
                 ORDER BY start_time DESC, run_id DESC LIMIT ?3 OFFSET ?4"
            ),
            params![
                filter.job_id,
                filter.active,
                filter.limit,
                filter.offset,
                filter.run_type,
                filter.parent_run_id,
                filter.start_time_from,
                filter.start_time_to,
            ],
            from_row,
        )
    }

    /// Ids.
    pub fn active_runs(&self) -> Result<Vec<i64>> {
        self.rows(
            "SELECT run_id FROM runs WHERE end_time IS NULL",
            [],
            |row| row.get(0),
        )
    }

    /// A state that ends the run also sets its end time, once, and never before its start: the clock may be set back.
    pub fn set_run_state(&self, run_id: i64, state: &RunState) -> Result<()> {
        self.set(
            "UPDATE runs SET life_cycle_state = ?2, result_state = ?3, state_message = ?4,
                   end_time = CASE WHEN ?5 THEN coalesce(end_time, max(?6, start_time)) END
                 WHERE run_id = ?1",
            params![
                run_id,
                state.life_cycle,
                state.result,
                state.message,
                state.life_cycle.has_ended(),
                now_ms()
            ],
        )
    }

    /// For later tasks of the same run.
    pub fn set_task_value(
        &self,
        job_run_id: i64,
        task_key: &str,
        key: &str,
        value: &Value,
    ) -> Result<()> {
        let json = serde_json::to_string(value)?;
        self.set("INSERT INTO task_values (job_run_id, task_key, key, value_json) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (job_run_id, task_key, key) DO UPDATE SET value_json = excluded.value_json",
                params![job_run_id, task_key, key, json])
    }

    /// As (task key, key, value).
    pub fn task_values(&self, job_run_id: i64) -> Result<Vec<(String, String, Value)>> {
        const ALL: &str =
            "SELECT task_key, key, value_json FROM task_values WHERE job_run_id = ?1 ORDER BY 1, 2";
        self.rows(ALL, [job_run_id], |row| {
            Ok((row.get(0)?, row.get(1)?, json(row, 2)?))
        })
    }
}

fn find(connection: &Connection, column: &str, value: &dyn rusqlite::ToSql) -> Result<Option<Run>> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM runs WHERE {column} = ?1"))?;
    Ok(statement.query_row([value], from_row).optional()?)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Run> {
    Ok(Run {
        run_id: row.get(0)?,
        job_id: row.get(1)?,
        number_in_job: row.get(2)?,
        run_name: row.get(3)?,
        creator: row.get(4)?,
        settings: json(row, 5)?,
        parameters: json(row, 6)?,
        overrides: json(row, 7)?,
        state: RunState::from_row(row, 8)?,
        start_time: row.get(11)?,
        end_time: row.get(12)?,
        run_type: row.get(13)?,
        parent_run_id: row.get(14)?,
        repair_count: row.get(15)?,
        run_as: row.get(16)?,
        due_time: row.get(17)?,
    })
}

impl Store {
    /// Closes runs that were active when the previous process died, and voids all run tokens. Answers the number of
    /// runs.
    pub fn close_interrupted_runs(&self, message: &str) -> Result<usize> {
        let now = now_ms();
        let state = (LifeCycle::InternalError, ResultState::Failed);
        self.write(|tx| {
            let close = |table: &str| {
                tx.execute(
                    &format!(
                        "UPDATE {table} SET life_cycle_state = ?1, result_state = ?2, state_message = ?3, end_time = max(?4, coalesce(start_time, 0))
                         WHERE end_time IS NULL"
                    ),
                    params![state.0, state.1, message, now],
                )
            };
            close("task_runs")?;
            let closed = close("runs")?;
            tx.execute("UPDATE run_tokens SET ended_at = ?1 WHERE ended_at IS NULL", [now])?;
            Ok(closed)
        })
    }

    /// Answers the ids of its task runs; `None` if the run is active or does not exist.
    pub fn delete_run(&self, run_id: i64) -> Result<Option<Vec<i64>>> {
        self.write(|tx| {
            let tasks: Vec<i64> = tx
                .prepare_cached("SELECT run_id FROM task_runs WHERE job_run_id = ?1")?
                .query_map([run_id], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            let deleted = tx.execute(
                "DELETE FROM runs WHERE run_id = ?1 AND end_time IS NOT NULL",
                [run_id],
            )?;
            Ok((deleted == 1).then_some(tasks))
        })
    }
}

impl Store {
    pub fn begun_runs(&self, job_id: i64) -> Result<i64> {
        self.count(
            "SELECT count(*) FROM runs WHERE job_id = ?1 AND end_time IS NULL AND life_cycle_state <> 'QUEUED'",
            [job_id],
        )
    }

    /// Moves the oldest queued run of a job to PENDING if fewer than `limit` of the job's runs have begun. Answers
    /// whether it was this one.
    pub fn leave_queue(&self, run_id: i64, limit: i64) -> Result<bool> {
        self.changes("UPDATE runs SET life_cycle_state = 'PENDING' WHERE run_id = ?1 AND life_cycle_state = 'QUEUED'
                     AND (SELECT count(*) FROM runs AS other WHERE other.job_id = runs.job_id
                          AND other.end_time IS NULL AND other.life_cycle_state <> 'QUEUED') < ?2
                     AND NOT EXISTS (SELECT 1 FROM runs AS other WHERE other.job_id = runs.job_id
                          AND other.life_cycle_state = 'QUEUED' AND other.number_in_job < runs.number_in_job)", params![run_id, limit])
    }

    /// Ends a queued run with its tasks; answers whether it was queued.
    pub fn cancel_queued(&self, run_id: i64, state: &RunState) -> Result<bool> {
        let result = state.result;
        self.write(|tx| {
            let ended = tx.execute(
                "UPDATE runs SET life_cycle_state = ?2, result_state = ?3, state_message = ?4, end_time = ?5
                 WHERE run_id = ?1 AND life_cycle_state = 'QUEUED'",
                params![run_id, state.life_cycle, result, state.message, now_ms()],
            )?;
            if ended == 1 {
                tx.execute(
                    "UPDATE task_runs SET life_cycle_state = ?2, result_state = ?3, state_message = ?4, end_time = ?5
                     WHERE job_run_id = ?1 AND end_time IS NULL",
                    params![run_id, state.life_cycle, result, state.message, now_ms()],
                )?;
            }
            Ok(ended == 1)
        })
    }
}
