//! Runs of jobs, from the request for one to its end. The rows of a run (tables `runs` and `task_runs`) are updated here
//! and only read elsewhere.
//!
//! - `start` stores a run and hands it to `execution`, or to the `queue`; `selection` picks its tasks, `run_as` says as
//!   whom its code acts. `schedules` starts what is due, `repair` opens a run again.
//! - `execution` takes a run from its first task to its last and decides how it ended.
//! - `graph` knows which task waits for which, and what a task's end means for those after it.
//! - `parameters` knows what a task is given, and `references` what `{{…}}` in it stands for.
//! - `task` runs one task, each kind in a module of its own; those that run code ask `kernel` for a process, hand it
//!   the work, and read what it left (`outcome`), without the secrets that the run has read.

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
