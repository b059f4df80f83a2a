//! Execution of job runs, from the request to the end. Only this module changes the tables `runs` and `task_runs`.
//!
//! - `start` stores a run and hands it to `execution` or the `queue`; `selection` picks its tasks, `run_as` its
//!   identity.
//!   `schedules` starts due runs, `repair` reopens a run.
//! - `execution` runs the tasks and decides the result.
//! - `graph` decides which task runs, given how others ended.
//! - `parameters` are what a task gets, `references` resolves `{{…}}` in them.
//! - `task` executes one task; those that run code get a process from `kernel` and read its events (`outcome`).

mod execution;
mod graph;
mod interruption;
mod kernel;
pub(crate) mod outcome;
mod parameters;
mod queue;
mod references;
pub(crate) mod repair;
mod run_as;
pub(crate) mod schedules;
mod selection;
pub(crate) mod start;
mod task;

pub(crate) use parameters::of_run as job_parameters;
pub(crate) use queue::cancel;
pub(crate) use run_as::{check_settings as check_run_as, run_as};
