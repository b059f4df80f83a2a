//! The states of runs and task runs, in the words of the Jobs API.

use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{Row, ToSql};

/// An enum with the spelling of each variant in the API and the database.
macro_rules! spelled {
    ($(#[$meta:meta])* $name:ident, $default:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }

            fn parse(text: &str) -> $name {
                match text { $($text => $name::$variant,)+ _ => $name::$default }
            }
        }

        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.as_str().into())
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<$name> {
                value.as_str().map($name::parse)
            }
        }
    };
}

spelled! {
    LifeCycle, InternalError {
        Pending = "PENDING",
        /// Waits for other tasks.
        Blocked = "BLOCKED",
        /// Waits for other runs of the job.
        Queued = "QUEUED",
        Running = "RUNNING",
        Terminating = "TERMINATING",
        /// The result says how.
        Terminated = "TERMINATED",
        Skipped = "SKIPPED",
        /// A task failed, or the workspace did.
        InternalError = "INTERNAL_ERROR",
    }
}

spelled! {
    ResultState, Failed {
        Success = "SUCCESS",
        /// Some tasks failed, and the last ones succeeded.
        SuccessWithFailures = "SUCCESS_WITH_FAILURES",
        Failed = "FAILED",
        TimedOut = "TIMEDOUT",
        Canceled = "CANCELED",
        UpstreamFailed = "UPSTREAM_FAILED",
        UpstreamCanceled = "UPSTREAM_CANCELED",
        /// Its `run_if` was false.
        Excluded = "EXCLUDED",
        /// Not selected by `only`.
        Disabled = "DISABLED",
        /// The job's limit was reached.
        MaximumConcurrentRunsReached = "MAXIMUM_CONCURRENT_RUNS_REACHED",
    }
}

impl LifeCycle {
    pub fn has_ended(self) -> bool {
        matches!(
            self,
            LifeCycle::Terminated | LifeCycle::Skipped | LifeCycle::InternalError
        )
    }
}

spelled! {
    /// `run_type` of a run.
    RunType, JobRun {
        JobRun = "JOB_RUN",
        /// `dbutils.notebook.run` in a notebook.
        WorkflowRun = "WORKFLOW_RUN",
        /// `runs/submit`: tasks without a job.
        SubmitRun = "SUBMIT_RUN",
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunState {
    pub life_cycle: LifeCycle,
    pub result: Option<ResultState>,
    /// For people; may be empty.
    pub message: String,
}

impl RunState {
    pub fn active(life_cycle: LifeCycle) -> RunState {
        RunState {
            life_cycle,
            result: None,
            message: String::new(),
        }
    }

    pub fn terminated(result: ResultState, message: impl Into<String>) -> RunState {
        RunState::ended(LifeCycle::Terminated, result, message)
    }

    /// The workspace failed, or a task without an output did.
    pub fn broken(message: impl Into<String>) -> RunState {
        RunState::ended(LifeCycle::InternalError, ResultState::Failed, message)
    }

    pub fn ended(
        life_cycle: LifeCycle,
        result: ResultState,
        message: impl Into<String>,
    ) -> RunState {
        RunState {
            life_cycle,
            result: Some(result),
            message: message.into(),
        }
    }

    /// From three columns: life cycle, result, message.
    pub(super) fn from_row(row: &Row<'_>, first: usize) -> rusqlite::Result<RunState> {
        Ok(RunState {
            life_cycle: row.get(first)?,
            result: row.get(first + 1)?,
            message: row.get(first + 2)?,
        })
    }
}
