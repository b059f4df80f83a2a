//! Repairs: new attempts of some tasks of an ended run. Times are milliseconds.

use std::collections::BTreeMap;

use rusqlite::{Transaction, params};
use serde_json::Value;
use xtask_local_server::now_ms;

use super::{LifeCycle, Result, RunState, Store, json, tasks};
use crate::store::new_id;

/// The original execution of a run, or a repair.
#[derive(Debug, Clone)]
pub struct Repair {
    /// 0 for the original.
    pub number: i64,
    /// 0 for the original.
    pub repair_id: i64,
    pub task_run_ids: Vec<i64>,
    /// State and end; `None` for the newest, whose state is the run's.
    pub ended: Option<(RunState, i64)>,
    pub start_time: i64,
}

#[derive(Debug, Clone)]
pub struct RepairPlan {
    pub run_id: i64,
    /// Newest task runs of the tasks to repeat.
    pub again: Vec<i64>,
    pub parameters: BTreeMap<String, String>,
    pub overrides: Value,
}

impl Store {
    /// Oldest first; empty without a repair.
    pub fn repairs(&self, job_run_id: i64) -> Result<Vec<Repair>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT number, repair_id, task_run_ids_json, life_cycle_state, result_state, state_message,
                   start_time, end_time FROM repairs WHERE job_run_id = ?1 ORDER BY number",
            )?;
            let mut rows = statement.query([job_run_id])?;
            let mut repairs = Vec::new();
            while let Some(row) = rows.next()? {
                let state = RunState::from_row(row, 3)?;
                repairs.push(Repair {
                    number: row.get(0)?,
                    repair_id: row.get(1)?,
                    task_run_ids: json(row, 2)?,
                    ended: row.get::<_, Option<i64>>(7)?.map(|end| (state, end)),
                    start_time: row.get(6)?,
                });
            }
            Ok(repairs)
        })
    }

    /// Reopens an ended run in this state, with new attempts of the chosen tasks. Answers the repair's id; `None` if
    /// the run is active.
    pub fn repair_run(&self, plan: &RepairPlan, state: &RunState) -> Result<Option<i64>> {
        let (parameters, overrides) = (
            serde_json::to_string(&plan.parameters)?,
            serde_json::to_string(&plan.overrides)?,
        );
        self.write(|tx| {
            let number = close_life(tx, plan.run_id)?;
            let Some(number) = number else { return Ok(None) };
            let mut attempts = Vec::new();
            for task_run_id in &plan.again {
                attempts.push(tasks::add_attempt(tx, *task_run_id)?);
            }
            let repair_id = new_id(15)?;
            tx.execute(
                "INSERT INTO repairs (job_run_id, number, repair_id, task_run_ids_json, life_cycle_state, start_time)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    plan.run_id,
                    number,
                    repair_id,
                    serde_json::to_string(&attempts)?,
                    LifeCycle::Pending,
                    now_ms()
                ],
            )?;
            tx.execute(
                "UPDATE runs SET repair_count = ?2, parameters_json = ?3, overrides_json = ?4 WHERE run_id = ?1",
                params![plan.run_id, number, parameters, overrides],
            )?;
            // A skipped repair ends the run again, with its new attempts.
            let end = state.life_cycle.has_ended().then(now_ms);
            for (table, id, open) in [
                ("runs", "run_id", true),
                ("task_runs", "job_run_id", end.is_some()),
            ] {
                if open {
                    let latest = if table == "runs" { "" } else { " AND end_time IS NULL" };
                    tx.execute(
                        &format!(
                            "UPDATE {table} SET life_cycle_state = ?2, result_state = ?3, state_message = ?4,
                               end_time = ?5 WHERE {id} = ?1{latest}"
                        ),
                        params![
                            plan.run_id,
                            state.life_cycle,
                            state.result,
                            state.message,
                            end
                        ],
                    )?;
                }
            }
            Ok(Some(repair_id))
        })
    }
}

/// Stores how the newest execution ended, and answers the number of the next; `None` if the run is active.
fn close_life(tx: &Transaction<'_>, run_id: i64) -> Result<Option<i64>> {
    let (state, start, end, count): (RunState, i64, Option<i64>, i64) = tx.query_row(
        "SELECT life_cycle_state, result_state, state_message, start_time, end_time, repair_count
         FROM runs WHERE run_id = ?1",
        [run_id],
        |row| {
            Ok((
                RunState::from_row(row, 0)?,
                row.get(3)?,
                row.get(4)?,
                row.get(5)?,
            ))
        },
    )?;
    let Some(end) = end else { return Ok(None) };
    if count == 0 {
        let ids: Vec<i64> = tx
            .prepare("SELECT run_id FROM task_runs WHERE job_run_id = ?1 AND loop_run_id IS NULL ORDER BY position")?
            .query_map([run_id], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        tx.execute(
            "INSERT INTO repairs (job_run_id, number, repair_id, task_run_ids_json, life_cycle_state, start_time)
             VALUES (?1, 0, 0, ?2, '', ?3)",
            params![run_id, serde_json::to_string(&ids)?, start],
        )?;
    }
    tx.execute(
        "UPDATE repairs SET life_cycle_state = ?2, result_state = ?3, state_message = ?4, end_time = ?5
         WHERE job_run_id = ?1 AND end_time IS NULL",
        params![
            run_id,
            state.life_cycle,
            state.result,
            state.message,
            end
        ],
    )?;
    Ok(Some(count + 1))
}
