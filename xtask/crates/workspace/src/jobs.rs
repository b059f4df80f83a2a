//! Jobs as they are declared.
//!
//! - `settings` checks what a client declares and fills in the service's defaults; `task_kinds` knows the tasks.
//! - `trigger` knows what starts a job by itself; `quartz` reads cron expressions.

mod quartz;
pub(crate) mod settings;
mod task_kinds;
mod trigger;

pub(crate) use settings::checked;
pub(crate) use task_kinds::{Kind, NO_PIPELINES};
pub(crate) use trigger::Trigger;
