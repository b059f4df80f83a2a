//! The state of the forge without the git repositories.
//!
//! A [`World`] is a value: readers hold a snapshot, and a change works on a copy that becomes the world once it is
//! stored ([`crate::store`]). Copies are cheap, because rows are shared until they are edited. So a change that fails
//! leaves no trace, and no reader sees half of it.

mod actions;
mod checks;
mod lookup;
mod people;
mod pulls;
mod repos;
mod table;

pub(crate) use actions::*;
pub(crate) use checks::*;
pub(crate) use people::*;
pub(crate) use pulls::*;
pub(crate) use repos::*;
pub(crate) use table::{Change, Row, Table};

use serde::{Deserialize, Serialize};

use crate::clock::Time;

/// Unique over all tables.
pub(crate) type Id = i64;

#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    pub(crate) settings: Table<Settings>,
    pub(crate) users: Table<User>,
    pub(crate) tokens: Table<Token>,
    pub(crate) sessions: Table<Session>,
    pub(crate) repos: Table<Repo>,
    pub(crate) labels: Table<Label>,
    pub(crate) pulls: Table<Pull>,
    pub(crate) comments: Table<Comment>,
    pub(crate) reviews: Table<Review>,
    pub(crate) threads: Table<Thread>,
    pub(crate) suites: Table<CheckSuite>,
    pub(crate) checks: Table<CheckRun>,
    pub(crate) statuses: Table<Status>,
    pub(crate) workflows: Table<Workflow>,
    pub(crate) runs: Table<WorkflowRun>,
    pub(crate) dispatches: Table<Dispatch>,
    pub(crate) environments: Table<Environment>,
    pub(crate) deployments: Table<Deployment>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// The id of the next row.
    next_id: Id,
    /// Milliseconds that the forge's clock is ahead.
    pub(crate) clock_offset: i64,
    /// Number of further "unknown" answers for mergeability.
    pub(crate) unknown_mergeability: u32,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            next_id: 1001,
            clock_offset: 0,
            unknown_mergeability: 0,
        }
    }
}

/// Implements [`Row`], with the name in the database.
macro_rules! rows {
    ($($type:ident $kind:literal,)*) => {
        $(impl Row for $type { const KIND: &'static str = $kind; })*
    };
}

rows! {
    Settings "settings",
    Workflow "workflow",
    WorkflowRun "workflow_run",
    Dispatch "dispatch",
    Environment "environment",
    Deployment "deployment",
    CheckSuite "check_suite",
    CheckRun "check_run",
    Status "status",
    User "user",
    Token "token",
    Session "session",
    Pull "pull_request",
    Comment "comment",
    Review "review",
    Thread "review_thread",
    Repo "repository",
    Label "label",
}

/// What belongs to a repository.
pub(crate) trait OfRepo {
    fn repo(&self) -> Id;
}

macro_rules! of_repo {
    ($($type:ident)*) => {
        $(impl OfRepo for $type { fn repo(&self) -> Id { self.repo } })*
    };
}

of_repo! { Label Pull CheckSuite CheckRun Status Workflow WorkflowRun Dispatch Environment Deployment }

/// The id of the only row.
const SETTINGS: Id = 1;

/// Runs the same code for every table.
macro_rules! each_table {
    ($world:expr, $table:ident => $code:expr) => {{
        each_table!(@ $world, $table, $code,
            settings users tokens sessions repos labels pulls comments reviews threads suites checks statuses
            workflows runs dispatches environments deployments)
    }};
    (@ $world:expr, $table:ident, $code:expr, $($name:ident)*) => {{
        $( { let $table = &mut $world.$name; $code; } )*
    }};
}

impl World {
    /// Adds a row from the disk; `false` for an unknown kind.
    pub(crate) fn load(
        &mut self,
        kind: &str,
        id: Id,
        json: &str,
    ) -> Result<bool, serde_json::Error> {
        let mut known = false;
        each_table!(self, table => known |= table.load(kind, id, json)?);
        Ok(known)
    }

    /// The changes since the last call.
    pub(crate) fn take_changes(&mut self) -> Result<Vec<Change>, serde_json::Error> {
        let mut changes = Vec::new();
        each_table!(self, table => table.take_changes(&mut changes)?);
        Ok(changes)
    }

    pub(crate) fn now(&self) -> Time {
        Time::now(self.settings().clock_offset)
    }

    pub(crate) fn next_id(&mut self) -> Id {
        let settings = self.edit_settings();
        settings.next_id += 1;
        settings.next_id
    }

    pub(crate) fn settings(&self) -> Settings {
        self.settings.get(SETTINGS).cloned().unwrap_or_default()
    }

    pub(crate) fn edit_settings(&mut self) -> &mut Settings {
        self.settings.edit_or_default(SETTINGS)
    }
}
