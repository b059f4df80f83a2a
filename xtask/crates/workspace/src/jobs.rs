//! Jobs as they are declared, and how a declaration becomes a run.
//!
//! - `settings` checks what a client declares and fills in the service's defaults; `task_kinds` knows the tasks.
//! - `start` stores a run and hands it to the runner, or to the `queue`; `selection` picks the tasks.
//! - `run_as` says as whom the code of a job acts.
//! - `repair` opens a run again.
//! - `trigger` knows what starts a job by itself, `schedules` when, and starts what is due; `quartz` reads cron
//!   expressions.

mod quartz;
mod queue;
pub(crate) mod repair;
mod run_as;
pub(crate) mod schedules;
mod selection;
mod settings;
pub(crate) mod start;
mod task_kinds;
mod trigger;

pub(crate) use queue::{cancel, wait_for_end};
pub(crate) use run_as::{check_settings as check_run_as, run_as};
pub(crate) use settings::checked;
pub(crate) use task_kinds::{Kind, NO_PIPELINES};
pub(crate) use trigger::Trigger;
