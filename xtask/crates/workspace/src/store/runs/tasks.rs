//! Task runs. Times are milliseconds.

use rusqlite::types::ValueRef;
use rusqlite::{Row, Transaction, params};
use serde_json::Value;
use xtask_local_server::now_ms;

use super::state::{LifeCycle, RunState};
use crate::jobs::{Declared, Task};
use crate::store::{Result, Store, json, new_id};

/// An attempt of a task in a run.
#[derive(Debug, Clone)]
pub struct TaskRun {
    /// 15 digits; what `runs/get-output` takes.
    pub run_id: i64,
    pub job_run_id: i64,
    pub task_key: String,
    /// 0 for the first.
    pub attempt_number: i64,
    pub settings: Declared<Task>,
    /// Resolved: an object or a list of strings.
    pub parameters: Value,
    pub state: RunState,
    /// Start of the process.
    pub start_time: Option<i64>,
    /// Start of the first cell.
    pub execution_started_at: Option<i64>,
    pub end_time: Option<i64>,
    pub output: TaskOutput,
    /// The `for_each_task` run of an iteration.
    pub loop_run_id: Option<i64>,
    pub input: Option<Value>,
    pub outcome: Option<bool>,
    pub started_run_id: Option<i64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskOutput {
    /// Value of `dbutils.notebook.exit`.
    pub notebook_result: Option<String>,
    pub logs: Option<String>,
    pub logs_truncated: bool,
    pub error: Option<String>,
    pub error_trace: Option<String>,
}

#[derive(Debug, Clone)]
pub struct NewTask {
    pub task_key: String,
    pub settings: Declared<Task>,
    /// PENDING, BLOCKED, or ended at once (SKIPPED).
    pub state: RunState,
}

const COLUMNS: &str = "run_id, job_run_id, task_key, attempt_number, settings_json, parameters_json, life_cycle_state, \
     result_state, state_message, start_time, execution_started_at, end_time, notebook_result, logs, logs_truncated, \
     error, error_trace, loop_run_id, input_json, outcome, started_run_id";

pub(super) fn insert(tx: &Transaction<'_>, job_run_id: i64, tasks: &[NewTask]) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "INSERT INTO task_runs (run_id, job_run_id, position, task_key, settings_json, life_cycle_state, result_state,
           state_message, end_time) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for (position, task) in (0_i64..).zip(tasks) {
        statement.execute(params![
            new_id(15)?,
            job_run_id,
            position,
            task.task_key,
            serde_json::to_string(&task.settings)?,
            task.state.life_cycle,
            task.state.result,
            task.state.message,
            task.state.life_cycle.has_ended().then(now_ms),
        ])?;
    }
    Ok(())
}

/// Answers the id of the new attempt.
pub(super) fn add_attempt(tx: &Transaction<'_>, task_run_id: i64) -> Result<i64> {
    let run_id = new_id(15)?;
    tx.execute(
        "INSERT INTO task_runs (run_id, job_run_id, position, task_key, attempt_number, settings_json,
           life_cycle_state, loop_run_id, input_json)
         SELECT ?1, job_run_id, position, task_key, attempt_number + 1, settings_json, ?3, loop_run_id, input_json
         FROM task_runs WHERE run_id = ?2",
        params![run_id, task_run_id, LifeCycle::Pending],
    )?;
    Ok(run_id)
}

impl Store {
    /// In the job's order, without iterations.
    pub fn task_runs(&self, job_run_id: i64) -> Result<Vec<TaskRun>> {
        self.select_task_runs("job_run_id = ?1 AND loop_run_id IS NULL", job_run_id)
    }

    /// In their order.
    pub fn iterations(&self, loop_run_id: i64) -> Result<Vec<TaskRun>> {
        self.select_task_runs("loop_run_id = ?1", loop_run_id)
    }

    fn select_task_runs(&self, condition: &str, id: i64) -> Result<Vec<TaskRun>> {
        self.rows(&format!(
                "SELECT {COLUMNS} FROM task_runs WHERE {condition} ORDER BY position, attempt_number"
            ), [id], from_row)
    }

    pub fn task_run(&self, task_run_id: i64) -> Result<Option<TaskRun>> {
        self.row(
            &format!("SELECT {COLUMNS} FROM task_runs WHERE run_id = ?1"),
            [task_run_id],
            from_row,
        )
    }

    /// Answers the id of the new attempt.
    pub fn add_attempt(&self, task: &TaskRun) -> Result<i64> {
        self.write(|tx| add_attempt(tx, task.run_id))
    }

    /// Iterations count from 0.
    pub fn add_iteration(
        &self,
        of: &TaskRun,
        index: usize,
        task: &Declared<Task>,
        input: &Value,
    ) -> Result<Option<TaskRun>> {
        let run_id = new_id(15)?;
        self.set("INSERT INTO task_runs (run_id, job_run_id, position, task_key, settings_json, life_cycle_state,
                   loop_run_id, input_json) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    run_id,
                    of.job_run_id,
                    i64::try_from(index).unwrap_or(i64::MAX),
                    task.task_key,
                    serde_json::to_string(task)?,
                    LifeCycle::Pending,
                    of.run_id,
                    serde_json::to_string(input)?,
                ])?;
        self.task_run(run_id)
    }

    pub fn set_outcome(&self, task_run_id: i64, outcome: bool) -> Result<()> {
        self.set(
            "UPDATE task_runs SET outcome = ?2 WHERE run_id = ?1",
            params![task_run_id, outcome.to_string()],
        )
    }

    pub fn set_started_run(&self, task_run_id: i64, run_id: i64) -> Result<()> {
        self.set(
            "UPDATE task_runs SET started_run_id = ?2 WHERE run_id = ?1",
            params![task_run_id, run_id],
        )
    }

    /// The process was started with these parameters.
    pub fn start_task(&self, task_run_id: i64, parameters: &Value) -> Result<()> {
        let json = serde_json::to_string(parameters)?;
        self.set("UPDATE task_runs SET life_cycle_state = ?2, start_time = coalesce(start_time, ?3), parameters_json = ?4
                 WHERE run_id = ?1",
                params![task_run_id, LifeCycle::Running, now_ms(), json])
    }

    pub fn mark_execution_started(&self, task_run_id: i64) -> Result<()> {
        self.set("UPDATE task_runs SET execution_started_at = coalesce(execution_started_at, ?2) WHERE run_id = ?1",
                params![task_run_id, now_ms()])
    }

    /// A state that ends the task run also sets its end time, once.
    pub fn set_task_state(&self, task_run_id: i64, state: &RunState) -> Result<()> {
        self.set("UPDATE task_runs SET life_cycle_state = ?2, result_state = ?3, state_message = ?4,
                   end_time = CASE WHEN ?5 THEN coalesce(end_time, max(?6, coalesce(start_time, 0))) END
                 WHERE run_id = ?1", params![
                task_run_id,
                state.life_cycle,
                state.result,
                state.message,
                state.life_cycle.has_ended(),
                now_ms()
            ])
    }

    pub fn set_task_output(&self, task_run_id: i64, output: &TaskOutput) -> Result<()> {
        self.set("UPDATE task_runs SET notebook_result = ?2, logs = ?3, logs_truncated = ?4, error = ?5, error_trace = ?6
                 WHERE run_id = ?1",
                params![
                    task_run_id,
                    output.notebook_result,
                    output.logs,
                    output.logs_truncated,
                    output.error,
                    output.error_trace
                ])
    }
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<TaskRun> {
    Ok(TaskRun {
        run_id: row.get(0)?,
        job_run_id: row.get(1)?,
        task_key: row.get(2)?,
        attempt_number: row.get(3)?,
        settings: json(row, 4)?,
        parameters: json(row, 5)?,
        state: RunState::from_row(row, 6)?,
        start_time: row.get(9)?,
        execution_started_at: row.get(10)?,
        end_time: row.get(11)?,
        output: TaskOutput {
            notebook_result: row.get(12)?,
            logs: row.get(13)?,
            logs_truncated: row.get(14)?,
            error: row.get(15)?,
            error_trace: row.get(16)?,
        },
        loop_run_id: row.get(17)?,
        input: match row.get_ref(18)? {
            ValueRef::Null => None,
            _ => Some(json(row, 18)?),
        },
        outcome: row
            .get::<_, Option<String>>(19)?
            .map(|outcome| outcome == "true"),
        started_run_id: row.get(20)?,
    })
}
