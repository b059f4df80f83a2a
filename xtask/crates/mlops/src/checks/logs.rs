//! The logs of checks on GitHub Actions: fetched side by side, kept by the number of their job (a job
//! that has ended never says anything more), and read for the failing part.

use std::sync::atomic::{AtomicUsize, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use xtask_remote::Error;
use xtask_remote::github::actions::{self, JobStep};

use super::facts::{Check, CheckState, Training};
use super::pull_request::address;
use super::remote_side::RemoteSide;
use crate::check_log;
use crate::context::Context;
use crate::files;
use crate::ui::safe_line;
use xtask_remote::sha256;

/// How many logs are fetched at the same time.
const SIDE_BY_SIDE: usize = 5;
/// How many files are kept: a log and its step make two.
const KEPT: usize = 100;

/// Reads the log of each failed check, and writes down why it failed.
pub(crate) fn explain(context: &Context, side: &RemoteSide, checks: &mut [Check]) {
    let mut failed: Vec<&mut Check> = checks
        .iter_mut()
        .filter(|check| check.state == CheckState::Failed && check.job_id.is_some())
        .collect();
    let jobs: Vec<u64> = failed.iter().filter_map(|check| check.job_id).collect();
    let logs = all(context, side, &jobs);
    for (check, log) in failed.iter_mut().zip(logs) {
        match log {
            Ok(log) => {
                check.failure = check_log::failing_part(&log.text, log.failed.as_ref());
                check.training = check_log::run_marker(&log.text).and_then(training);
            }
            Err(error) => check.no_log = Some(why_not(&error)),
        }
    }
}

/// The log of one job, as it is.
pub(crate) fn one(context: &Context, side: &RemoteSide, job: u64) -> Result<String, Error> {
    let file = file(context, side, job);
    if let Ok(log) = fs_err::read_to_string(&file) {
        return Ok(log);
    }
    let log = actions::job_log(&side.connection.github, &side.base, job)?;
    // What cannot be kept is fetched again.
    let _ = keep(&file, &log);
    Ok(log)
}

/// What is known of a job that failed.
struct JobLog {
    text: String,
    /// The step that it failed by, as GitHub says; `None` where it does not say.
    failed: Option<JobStep>,
}

/// The log of a failed job, and the step that it failed by.
fn of_failed(context: &Context, side: &RemoteSide, job: u64) -> Result<JobLog, Error> {
    let text = one(context, side, job)?;
    let file = file(context, side, job).with_extension("step");
    let kept = fs_err::read_to_string(&file).ok();
    if let Some(failed) = kept.and_then(|kept| xtask_remote::json::from_str(&kept).ok()) {
        return Ok(JobLog { text, failed });
    }
    // Without it the log alone must do.
    let failed = match actions::job(&side.connection.github, &side.base, job) {
        Ok(job) => job.failed_step().cloned(),
        Err(_) => return Ok(JobLog { text, failed: None }),
    };
    if let Ok(step) = serde_json::to_string(&failed) {
        let _ = keep(&file, &step);
    }
    Ok(JobLog { text, failed })
}

fn all(context: &Context, side: &RemoteSide, jobs: &[u64]) -> Vec<Result<JobLog, Error>> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut found = Vec::new();
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            found.push((*job, of_failed(context, side, *job)));
        }
        found
    };
    let mut found: Vec<(u64, Result<JobLog, Error>)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..SIDE_BY_SIDE.min(jobs.len()))
            .map(|_| scope.spawn(work))
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_default())
            .collect()
    });
    jobs.iter()
        .map(|job| match found.iter().position(|(of, _)| of == job) {
            Some(index) => found.swap_remove(index).1,
            None => Err(Error::Unexpected {
                call: format!("the log of job {job}"),
                reason: "it was not read".to_owned(),
            }),
        })
        .collect()
}

fn file(context: &Context, side: &RemoteSide, job: u64) -> Utf8PathBuf {
    let repository = &sha256(side.label().as_bytes())[..12];
    folder(context).join(format!("{repository}-{job}.log"))
}

fn folder(context: &Context) -> Utf8PathBuf {
    context.local().join("cache").join("check-logs")
}

/// Keeps a log, whole or not at all, for this user alone; the oldest ones go.
fn keep(file: &Utf8Path, log: &str) -> std::io::Result<()> {
    let Some(folder) = file.parent() else {
        return Ok(());
    };
    fs_err::create_dir_all(folder)?;
    let mut kept: Vec<_> = fs_err::read_dir(folder)?
        .flatten()
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    kept.sort();
    for (_, old) in kept.iter().take(kept.len().saturating_sub(KEPT - 1)) {
        let _ = fs_err::remove_file(old);
    }
    files::replace_private(file, log.as_bytes())
}

/// What the marker says, if it is one. A log may hold anything: what is shown of it is made harmless.
fn training(marker: &str) -> Option<Training> {
    let mut training: Training = xtask_remote::json::from_str(marker).ok()?;
    let clean = |text: &mut String| *text = safe_line(text);
    let clean_address = |text: &mut String| *text = address(text).unwrap_or_default();
    training.target.as_mut().map(clean);
    training.failed_task.as_mut().map(clean);
    if let Some(run) = &mut training.job_run {
        clean(&mut run.result);
        clean_address(&mut run.url);
    }
    if let Some(run) = &mut training.mlflow_run {
        clean(&mut run.run_id);
        clean(&mut run.experiment_id);
        clean_address(&mut run.url);
    }
    if let Some(model) = &mut training.model {
        clean(&mut model.name);
        clean_address(&mut model.url);
        model.metrics = std::mem::take(&mut model.metrics)
            .into_iter()
            .map(|(name, value)| (safe_line(&name), value))
            .collect();
    }
    Some(training)
}

fn why_not(error: &Error) -> String {
    match error {
        Error::Refused { status: 404, .. } => "GitHub has no log of it (yet)".to_owned(),
        Error::Refused { status: 410, .. } => "its log is deleted".to_owned(),
        Error::Refused { status: 403, .. } => "the token may not read its log".to_owned(),
        Error::Timeout { .. } => "its log did not arrive in time".to_owned(),
        other => safe_line(&other.to_string()),
    }
}
