//! The states of runs and task runs, in the words of the Jobs API.

use rusqlite::Row;

/// Declares an enum whose variants have a spelling in the API and in the database.
macro_rules! spelled {
    ($(#[$meta:meta])* $name:ident, $default:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// As the API spells it.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }

            /// What a spelling in the database stands for.
            pub(in crate::store) fn parse(text: &str) -> $name {
                match text { $($text => $name::$variant,)+ _ => $name::$default }
            }
        }
    };
}

pub(super) use spelled;

spelled! {
    /// `life_cycle_state` of a run or task run.
    LifeCycle, InternalError {
        /// Stored, not started.
        Pending = "PENDING",
        /// Waits for other tasks.
        Blocked = "BLOCKED",
        /// Waits for a run of the same job to end.
        Queued = "QUEUED",
        /// Its code runs.
        Running = "RUNNING",
        /// Is being ended.
        Terminating = "TERMINATING",
        /// Has ended; the result says how.
        Terminated = "TERMINATED",
        /// Was not run.
        Skipped = "SKIPPED",
        /// A task of the run failed, or the workspace did.
        InternalError = "INTERNAL_ERROR",
    }
}

spelled! {
    /// `result_state` of a run or task run that has ended.
    ResultState, Failed {
        /// All went well.
        Success = "SUCCESS",
        /// Some tasks failed, and those that no other waits for went well.
        SuccessWithFailures = "SUCCESS_WITH_FAILURES",
        /// It failed.
        Failed = "FAILED",
        /// It took longer than its timeout.
        TimedOut = "TIMEDOUT",
        /// Somebody cancelled it.
        Canceled = "CANCELED",
        /// A task that it depends on failed.
        UpstreamFailed = "UPSTREAM_FAILED",
        /// A task that it depends on was cancelled.
        UpstreamCanceled = "UPSTREAM_CANCELED",
        /// Its condition (`run_if`) was not met.
        Excluded = "EXCLUDED",
        /// The caller did not choose it (`only`).
        Disabled = "DISABLED",
        /// Too many runs of the job were active.
        MaximumConcurrentRunsReached = "MAXIMUM_CONCURRENT_RUNS_REACHED",
    }
}

impl LifeCycle {
    /// Whether nothing will change any more.
    pub fn has_ended(self) -> bool {
        matches!(
            self,
            LifeCycle::Terminated | LifeCycle::Skipped | LifeCycle::InternalError
        )
    }
}

/// Where a run or task run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunState {
    /// Phase of its life.
    pub life_cycle: LifeCycle,
    /// How it ended.
    pub result: Option<ResultState>,
    /// A sentence for people; may be empty.
    pub message: String,
}

impl RunState {
    /// A state that does not end the run.
    pub fn active(life_cycle: LifeCycle) -> RunState {
        RunState {
            life_cycle,
            result: None,
            message: String::new(),
        }
    }

    /// A state that ends the run.
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

    /// Reads three columns: life cycle, result, message.
    pub(super) fn from_row(row: &Row<'_>, first: usize) -> rusqlite::Result<RunState> {
        Ok(RunState {
            life_cycle: LifeCycle::parse(&row.get::<_, String>(first)?),
            result: row
                .get::<_, Option<String>>(first + 1)?
                .as_deref()
                .map(ResultState::parse),
            message: row.get(first + 2)?,
        })
    }
}
