//! The branch that is checked out, its pull request and its checks, as GitHub shows them: for `status`, `open-pr`, `logs`
//! and `rerun`.

pub(crate) mod branch;
pub(crate) mod facts;
pub(crate) mod logs;
mod memory;
pub(crate) mod pull_request;
pub(crate) mod remote_side;

use xtask_remote::Error;
use xtask_remote::Timestamp;
use xtask_remote::github::actions;

use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::git::Git;
use facts::{Check, GitHub, Unknown};
use remote_side::{Look, RemoteSide};

/// The checks, as GitHub shows them now.
pub(crate) struct Checks {
    side: RemoteSide,
    /// The repository with its checks.
    pub(crate) github: GitHub,
}

impl Checks {
    /// Asks GitHub about the branch that is checked out.
    pub(crate) fn of_this_branch(context: &Context) -> anyhow::Result<Checks> {
        let git = Git::open(context)?;
        let here = branch::look(context, &git)?;
        let mut side = RemoteSide::find(context, &git, &here)
            .map_err(|unknown| failure(Kind::Usage, unknown))?;
        let status = match side.look(context) {
            Look::Seen(status) => *status,
            Look::Not(error) => return Err(failure(Kind::Service, side.explain(&error)).into()),
        };
        let github = pull_request::facts(status, &context.config, Timestamp::now());
        Ok(Checks { side, github })
    }

    /// The check that is called so, or else the only one that has this in what it is called.
    pub(crate) fn find(&self, name: &str) -> anyhow::Result<&Check> {
        let checks = &self.github.checks;
        if let Some(check) = checks.iter().find(|check| check.label == name) {
            return Ok(check);
        }
        let part = name.to_lowercase();
        let mut alike = checks
            .iter()
            .filter(|check| check.label.to_lowercase().contains(&part));
        if let (Some(check), None) = (alike.next(), alike.next()) {
            return Ok(check);
        }
        let names: Vec<String> = checks
            .iter()
            .map(|check| format!("check:{}", check.label))
            .collect();
        let what = format!(
            "there is no check \"{}\" of this branch",
            crate::ui::safe_line(name)
        );
        match names.is_empty() {
            true => Failure::usage(what)
                .details("it has no checks at all")
                .next("cargo xtask status")
                .err(),
            false => Failure::usage(what)
                .details(names.join("\n"))
                .next("take one of these")
                .err(),
        }
    }

    /// The log of a job.
    pub(crate) fn log(&self, context: &Context, job: u64) -> Result<String, Error> {
        logs::one(context, &self.side, job)
    }

    /// Runs the failed jobs of a workflow's run once more.
    pub(crate) fn rerun(&self, run: u64) -> Result<(), Error> {
        actions::rerun_failed(&self.side.connection.github, &self.side.base, run)
    }
}

fn failure(kind: Kind, unknown: Unknown) -> Failure {
    let failure = Failure::new(kind, unknown.reason);
    match unknown.next {
        Some(next) => failure.next(next),
        None => failure,
    }
}
