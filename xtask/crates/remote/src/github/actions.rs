//! GitHub Actions: the log of a job, and running what failed once more.

use std::time::Duration;

use super::GitHub;
use super::repositories::Name;
use crate::Error;
use crate::transport::{Method, Request};

/// The log of a job that has ended, as plain text. GitHub leads to another host for it, which does not
/// get the token.
///
/// # Errors
/// Any [`Error`]; one that [`Error::is_not_found`] while the job runs, and one with status 410 once the
/// log is deleted.
pub fn job_log(github: &GitHub, name: &Name, job: u64) -> Result<String, Error> {
    let path = format!("{}/actions/jobs/{job}/logs", name.path());
    let request = Request::new(Method::Get, path).within(Duration::from_secs(60));
    let log = github.elsewhere(&request)?.body;
    Ok(String::from_utf8_lossy(&log).into_owned())
}

/// Runs the failed jobs of a workflow's run once more, with those that depend on them.
///
/// # Errors
/// Any [`Error`]; one with status 403 for a run that is too old or has not ended.
pub fn rerun_failed(github: &GitHub, name: &Name, run: u64) -> Result<(), Error> {
    let path = format!("{}/actions/runs/{run}/rerun-failed-jobs", name.path());
    github.send(&Request::new(Method::Post, path)).map(drop)
}
