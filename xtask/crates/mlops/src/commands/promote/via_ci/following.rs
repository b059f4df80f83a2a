//! Following a run of the workflow: to its end, through the approval that it waits for.

use std::time::Duration;

use serde::Serialize;
use xtask_remote::Error;
use xtask_remote::github::actions::{self, Job, Run, Waiting};

use super::Workflow;
use crate::check_log;
use crate::context::Context;
use crate::error::Failure;
use crate::ui::{Tone, safe_line};

/// The pause between two looks: short after a change, longer and longer where nothing happens.
const SOONEST: Duration = Duration::from_secs(2);
const LATEST: Duration = Duration::from_secs(20);
/// How often in a row GitHub may not answer.
const PATIENCE: u32 = 6;
/// How much of a log that has no error in it is shown.
const TAIL: usize = 12;

/// A run that ended well.
#[derive(Debug, Clone, Serialize)]
pub(in crate::commands::promote) struct Ended {
    /// Its number.
    pub(in crate::commands::promote) id: u64,
    /// Its page.
    pub(in crate::commands::promote) url: String,
}

/// How a run stands.
struct Look {
    run: Run,
    jobs: Vec<Job>,
    waiting: Vec<Waiting>,
}

/// Follows a run until it has ended. Without a terminal it does not wait for an approval.
/// Ctrl-C ends the following, not the run.
pub(super) fn to_the_end(context: &Context, workflow: &Workflow, id: u64) -> anyhow::Result<Ended> {
    let (mut told, mut pause, mut failures) = (String::new(), SOONEST, 0);
    let mut page = None;
    loop {
        if context.interrupt.is_set() {
            return left(workflow, id, page.as_deref());
        }
        match look(context, workflow, id) {
            Ok(look) => {
                failures = 0;
                if page.is_none() {
                    let link = context.ui.link(&look.run.html_url, &look.run.html_url);
                    context.ui.status("Run", &link);
                    page = Some(look.run.html_url.clone());
                }
                let words = words(&look);
                if words != told {
                    tell(context, &look, &words);
                    (told, pause) = (words, SOONEST);
                }
                if look.run.is_over() {
                    return end(context, workflow, look);
                }
                let sits = context.env.stderr_is_terminal && !context.env.ci;
                if !look.waiting.is_empty() && !sits {
                    return waits(workflow, &look);
                }
            }
            Err(error) if failures < PATIENCE && (error.is_transient() || error.leaves_open()) => {
                failures += 1;
                let what = safe_line(&error.to_string());
                context.ui.status_toned("Waiting", &what, Tone::Warning);
            }
            Err(_) if context.interrupt.is_set() => {}
            Err(error) => return Err(error.into()),
        }
        context.interrupt.sleep(pause);
        pause = (pause * 3 / 2).min(LATEST);
    }
}

fn look(context: &Context, workflow: &Workflow, id: u64) -> Result<Look, Error> {
    let (github, into) = (
        &workflow.upstream.connection.github,
        &workflow.upstream.into,
    );
    let run = actions::run(github, into, id)?;
    let waits = run.status.as_deref() == Some("waiting");
    let waiting = match waits {
        // Who may not see it still sees that the run waits.
        true => actions::waiting_for(github, into, id).unwrap_or_default(),
        false => Vec::new(),
    };
    let jobs = match waits || context.interrupt.is_set() {
        true => Vec::new(),
        false => actions::jobs(github, into, id)?,
    };
    Ok(Look { run, jobs, waiting })
}

/// How it stands, in one line.
fn words(look: &Look) -> String {
    let Run {
        status, conclusion, ..
    } = &look.run;
    let status = status.as_deref().unwrap_or("queued");
    match status {
        "completed" => conclusion.clone().unwrap_or_default().replace('_', " "),
        "waiting" => approval(&look.waiting),
        "in_progress" => match step(&look.jobs) {
            Some(step) => format!("running: {step}"),
            None => "running".to_owned(),
        },
        other => other.replace('_', " "),
    }
}

/// What it waits for, and who may give it.
fn approval(waiting: &[Waiting]) -> String {
    let Some(first) = waiting.first() else {
        return "waiting for an approval".to_owned();
    };
    let who = match (first.can_approve, first.reviewers.as_slice()) {
        (true, _) => "you may give it".to_owned(),
        (false, []) => "one of its reviewers may give it".to_owned(),
        (false, names) => format!("{} may give it", names.join(", ")),
    };
    format!(
        "waiting for an approval of the environment {}: {who}",
        first.environment
    )
}

/// The step that is under way.
fn step(jobs: &[Job]) -> Option<&str> {
    let mut steps = jobs.iter().flat_map(|job| &job.steps);
    steps
        .find(|step| step.status == "in_progress")
        .map(|step| step.name.as_str())
}

fn tell(context: &Context, look: &Look, words: &str) {
    let tone = match (look.run.is_over(), look.run.is_success()) {
        (_, true) => Tone::Good,
        (true, false) => Tone::Bad,
        _ => Tone::Warning,
    };
    let verb = match look.run.is_over() {
        true => "Ended",
        false => "Following",
    };
    context.ui.status_toned(verb, &safe_line(words), tone);
}

fn end(context: &Context, workflow: &Workflow, look: Look) -> anyhow::Result<Ended> {
    if look.run.is_success() {
        return Ok(Ended {
            id: look.run.id,
            url: look.run.html_url,
        });
    }
    let word = look.run.conclusion.as_deref().unwrap_or("unknown");
    let what = match word {
        "cancelled" => "the run was cancelled: nothing tells how far it came".to_owned(),
        "failure" if rejected(&look.jobs) => {
            "the run was not approved: nothing was promoted".to_owned()
        }
        word => format!(
            "the run did not promote ({})",
            safe_line(&word.replace('_', " "))
        ),
    };
    let why = why(context, workflow, &look.jobs).unwrap_or_default();
    Failure::failed(what)
        .details(why)
        .next(look.run.html_url)
        .next("cargo xtask promote --history   # what was promoted")
        .err()
}

/// A reviewer's no ends the job before its first step.
fn rejected(jobs: &[Job]) -> bool {
    !jobs.is_empty() && jobs.iter().all(|job| job.steps.is_empty())
}

/// The part of the failed job's log that says why.
fn why(context: &Context, workflow: &Workflow, jobs: &[Job]) -> Option<String> {
    let failed = jobs
        .iter()
        .find(|job| job.conclusion.as_deref() == Some("failure") && !job.steps.is_empty())?;
    let progress = context.ui.progress("Asking", "GitHub for the job's log");
    let (github, into) = (
        &workflow.upstream.connection.github,
        &workflow.upstream.into,
    );
    let log = actions::job_log(github, into, failed.id).ok()?;
    progress.clear();
    let found = check_log::failing_part(&log, failed.failed_step()).map(|part| {
        let findings = part.findings.into_iter();
        let lines: Vec<String> = findings.flat_map(|finding| finding.lines).collect();
        lines
    });
    let lines = found.filter(|lines| !lines.is_empty()).unwrap_or_else(|| {
        let plain = check_log::plain(&log);
        let lines: Vec<String> = plain.lines().map(str::to_owned).collect();
        lines[lines.len().saturating_sub(TAIL)..].to_vec()
    });
    let lines: Vec<String> = lines.iter().map(|line| safe_line(line)).collect();
    Some(lines.join("\n"))
}

fn waits(workflow: &Workflow, look: &Look) -> anyhow::Result<Ended> {
    let what = format!("the run is {}", safe_line(&approval(&look.waiting)));
    Failure::pending(what)
        .next(format!("approve it at {}", look.run.html_url))
        .next(format!("{}   # follows it again", workflow.again()))
        .err()
}

fn left(workflow: &Workflow, id: u64, page: Option<&str>) -> anyhow::Result<Ended> {
    let what = format!("run {id} goes on, and is not followed any more");
    let mut failure =
        Failure::interrupted(what).next(format!("{}   # follows it again", workflow.again()));
    if let Some(page) = page {
        failure = failure.next(page);
    }
    failure.err()
}
