//! Closes and deletes runs.

use rusqlite::params;
use xtask_local_server::now_ms;

use super::{LifeCycle, Result, ResultState, Store};

impl Store {
    /// Closes runs that were active when the previous process died, and voids all run tokens. Answers the number of
    /// runs.
    pub fn close_interrupted_runs(&self, message: &str) -> Result<usize> {
        let now = now_ms();
        let state = (
            LifeCycle::InternalError.as_str(),
            ResultState::Failed.as_str(),
        );
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
