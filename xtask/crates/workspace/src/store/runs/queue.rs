//! The queue of a job's runs.

use rusqlite::params;
use xtask_local_server::now_ms;

use super::{Result, ResultState, RunState, Store};

impl Store {
    pub fn begun_runs(&self, job_id: i64) -> Result<i64> {
        self.read(|connection| {
            Ok(connection
                .prepare_cached(
                    "SELECT count(*) FROM runs WHERE job_id = ?1 AND end_time IS NULL AND life_cycle_state <> 'QUEUED'",
                )?
                .query_row([job_id], |row| row.get(0))?)
        })
    }

    /// Moves the oldest queued run of a job to PENDING if fewer than `limit` of the job's runs have begun. Answers
    /// whether it was this one.
    pub fn leave_queue(&self, run_id: i64, limit: i64) -> Result<bool> {
        Ok(self.execute("UPDATE runs SET life_cycle_state = 'PENDING' WHERE run_id = ?1 AND life_cycle_state = 'QUEUED'
                     AND (SELECT count(*) FROM runs AS other WHERE other.job_id = runs.job_id
                          AND other.end_time IS NULL AND other.life_cycle_state <> 'QUEUED') < ?2
                     AND NOT EXISTS (SELECT 1 FROM runs AS other WHERE other.job_id = runs.job_id
                          AND other.life_cycle_state = 'QUEUED' AND other.number_in_job < runs.number_in_job)", params![run_id, limit])? == 1)
    }

    /// Ends a queued run with its tasks; answers whether it was queued.
    pub fn cancel_queued(&self, run_id: i64, state: &RunState) -> Result<bool> {
        let result = state.result.map(ResultState::as_str);
        self.write(|tx| {
            let ended = tx.execute(
                "UPDATE runs SET life_cycle_state = ?2, result_state = ?3, state_message = ?4, end_time = ?5
                 WHERE run_id = ?1 AND life_cycle_state = 'QUEUED'",
                params![run_id, state.life_cycle.as_str(), result, state.message, now_ms()],
            )?;
            if ended == 1 {
                tx.execute(
                    "UPDATE task_runs SET life_cycle_state = ?2, result_state = ?3, state_message = ?4, end_time = ?5
                     WHERE job_run_id = ?1 AND end_time IS NULL",
                    params![run_id, state.life_cycle.as_str(), result, state.message, now_ms()],
                )?;
            }
            Ok(ended == 1)
        })
    }
}
