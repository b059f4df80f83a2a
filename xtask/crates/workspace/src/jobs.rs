//! Jobs as they are declared, parsed once.
//!
//! - `declared` keeps the JSON that a client sent beside what it says.
//! - `settings` are those of a job, `task` those of a task; `check` refuses what cannot run, and fills in defaults.
//! - `trigger` is what starts a job by itself; `quartz` reads cron expressions.

mod check;
mod declared;
mod quartz;
mod settings;
mod task;
mod trigger;

pub(crate) use check::checked;
pub(crate) use declared::{Declared, Invalid};
pub(crate) use settings::JobSettings;
pub(crate) use settings::{Environment, Parameter, Queue, RunAs};
pub(crate) use task::Task;
pub(crate) use task::{
    Condition, ForEach, Kind, Library, NO_PIPELINES, Need, Notebook, Operator, PythonFile,
    PythonWheel, RunIf, RunJob,
};
pub(crate) use trigger::Trigger;
