//! Following: the checks and approvals of the pull request, then the workflow that deploys what was merged.

use std::time::{Duration, Instant};

use serde::Serialize;
use xtask_remote::github::actions::{self, Run};
use xtask_remote::github::checks::State;
use xtask_remote::github::merging::MergeFacts;

use super::evidence;
use super::survey::Survey;
use crate::bundle;
use crate::context::Context;
use crate::error::Failure;
use crate::git::Git;
use crate::pull_request::readiness::{self, PullRequest, Readiness};
use crate::ui::{Tone, safe_line};
use crate::words::short;

/// The pause between two looks: short after a change, longer and longer where nothing happens.
const SOONEST: Duration = Duration::from_secs(2);
const LATEST: Duration = Duration::from_secs(20);
/// How long checks, or the run of a workflow, may take to appear.
const GRACE: Duration = Duration::from_secs(45);

/// How long is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    Once,
    /// Until all checks that are there have ended.
    ToTheEnd,
    /// The same, of a pull request whose checks may be yet to come.
    FromTheStart,
}

/// Looks at the pull request until its checks have ended.
pub(super) fn checks(
    context: &Context,
    request: &PullRequest,
    patience: Patience,
) -> anyhow::Result<(MergeFacts, Readiness)> {
    let at_once = patience == Patience::Once;
    let what = "the checks (Ctrl-C stops watching; the checks go on)";
    let _progress = (!at_once).then(|| context.ui.progress("Following", what));
    let (started, mut pause) = (Instant::now(), SOONEST);
    let mut told: Vec<(String, State)> = Vec::new();
    loop {
        let facts = readiness::read(context, request)?;
        let states: Vec<(String, State)> = facts
            .checks
            .iter()
            .map(|one| (one.label.clone(), one.state))
            .collect();
        if !at_once {
            tell(context, &told, &states);
        }
        let pending = states.iter().any(|(_, state)| *state == State::Pending);
        let late =
            patience == Patience::FromTheStart && states.is_empty() && started.elapsed() < GRACE;
        if at_once || facts.state != "OPEN" || !(pending || late) {
            let readiness = readiness::judge(context, request, &facts);
            return Ok((facts, readiness));
        }
        if told != states {
            (told, pause) = (states, SOONEST);
        }
        wait(context, &mut pause)?;
    }
}

fn tell(context: &Context, before: &[(String, State)], now: &[(String, State)]) {
    for check in now.iter().filter(|check| !before.contains(check)) {
        let (verb, tone) = match check.1 {
            State::Passed => ("Passed", Tone::Good),
            State::Failed => ("Failed", Tone::Bad),
            State::Pending => ("Pending", Tone::Warning),
            State::Skipped => ("Skipped", Tone::Dim),
        };
        context.ui.status_toned(verb, &safe_line(&check.0), tone);
    }
}

fn wait(context: &Context, pause: &mut Duration) -> anyhow::Result<()> {
    context.interrupt.sleep(*pause);
    context.interrupt.check()?;
    *pause = (*pause * 3 / 2).min(LATEST);
    Ok(())
}

/// What became of the deployment of a commit.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Deploy {
    /// `deployed`, `failed`, `waiting` (for an approval), `running`, or `none` where no workflow deploys.
    pub(super) state: &'static str,
    /// The page of the workflow's run.
    pub(super) run: Option<String>,
    /// The commit that the target names now, where it could be asked.
    pub(super) commit: Option<String>,
}

impl Deploy {
    fn of(state: &'static str, run: Option<&Run>) -> Deploy {
        Deploy {
            state,
            run: run.map(|run| run.html_url.clone()),
            commit: None,
        }
    }

    /// What is left to be said, as the exit code.
    pub(super) fn conclude(&self, target: &str) -> anyhow::Result<()> {
        let page = self.run.clone().unwrap_or_default();
        match self.state {
            "failed" => Failure::failed(format!("{target} was not deployed"))
                .next(format!("the run says why: {page}"))
                .next("cargo xtask promote --code --undo   # takes the branch back")
                .err(),
            "waiting" => {
                Failure::pending(format!("the deployment to {target} waits for an approval"))
                    .next(format!("approve it at {page}"))
                    .next("cargo xtask promote --code   # goes on following")
                    .err()
            }
            "running" => Failure::pending(format!("the deployment to {target} has not ended"))
                .next("cargo xtask promote --code   # goes on following")
                .err(),
            _ => Ok(()),
        }
    }
}

/// Follows the run of the workflow that deploys a commit of the release branch, and reads back what the
/// target names then. `at_once` looks only once.
pub(super) fn deployment(
    context: &Context,
    git: &Git,
    survey: &Survey,
    sha: &str,
    at_once: bool,
) -> anyhow::Result<Deploy> {
    let target = &survey.route.to;
    let file = context.config.workflow_of(target);
    if git
        .content(sha, &format!(".github/workflows/{file}"))
        .is_none()
    {
        context.ui.status_toned(
            "Note",
            &safe_line(&format!(
                "{} has no workflow {file}: nothing deploys it by itself; cargo xtask deploy --target {target} does",
                short(sha)
            )),
            Tone::Accent,
        );
        return Ok(Deploy::of("none", None));
    }
    let Some(run) = ended_run(context, survey, &file, sha, at_once)? else {
        let what = format!("no run of {file} for {} has started yet", short(sha));
        context.ui.status_toned("Pending", &what, Tone::Warning);
        return Ok(Deploy::of("running", None));
    };
    let state = match (run.is_over(), run.is_success()) {
        (_, true) => "deployed",
        (true, false) => "failed",
        (false, _) if run.status.as_deref() == Some("waiting") => "waiting",
        (false, _) => "running",
    };
    let mut deploy = Deploy::of(state, Some(&run));
    if state == "deployed" {
        deploy.commit = read_back(context, target, sha)?;
    }
    Ok(deploy)
}

/// The newest run, once it has ended; without a terminal also while it waits for an approval.
fn ended_run(
    context: &Context,
    survey: &Survey,
    file: &str,
    sha: &str,
    at_once: bool,
) -> anyhow::Result<Option<Run>> {
    let (upstream, release) = (&survey.upstream, &survey.route.release);
    let github = &upstream.connection.github;
    let what = format!(
        "the deployment of {} (Ctrl-C stops watching; it goes on)",
        short(sha)
    );
    let _progress = (!at_once).then(|| context.ui.progress("Following", &what));
    let (started, mut pause, mut told) = (Instant::now(), SOONEST, String::new());
    loop {
        let runs = actions::runs_of(github, &upstream.into, sha)?;
        let run = runs
            .into_iter()
            .find(|run| run.is_of(file) && run.head_branch.as_deref() == Some(release.as_str()));
        let Some(run) = run else {
            if at_once || started.elapsed() >= GRACE {
                return Ok(None);
            }
            wait(context, &mut pause)?;
            continue;
        };
        let words = words_of(context, survey, &run)?;
        if words != told {
            let tone = match (run.is_over(), run.is_success()) {
                (_, true) => Tone::Good,
                (true, false) => Tone::Bad,
                _ => Tone::Warning,
            };
            let page = context.ui.link(&run.html_url, &run.html_url);
            context
                .ui
                .status_toned("Deploying", &format!("{words}  {page}"), tone);
            (told, pause) = (words, SOONEST);
        }
        let waits = run.status.as_deref() == Some("waiting") && !context.ui.can_ask();
        if at_once || run.is_over() || waits {
            return Ok(Some(run));
        }
        wait(context, &mut pause)?;
    }
}

/// How a run stands, in words.
fn words_of(context: &Context, survey: &Survey, run: &Run) -> anyhow::Result<String> {
    let target = safe_line(&survey.route.to);
    let word = run.conclusion.as_deref().filter(|_| run.is_over());
    let word = word.or(run.status.as_deref()).unwrap_or("queued");
    if word != "waiting" {
        return Ok(format!("{target}: {}", safe_line(&word.replace('_', " "))));
    }
    let upstream = &survey.upstream;
    let waiting = actions::waiting_for(&upstream.connection.github, &upstream.into, run.id);
    context.interrupt.check()?;
    // Who may not see it still sees that it waits.
    let Some(first) = waiting.unwrap_or_default().into_iter().next() else {
        return Ok(format!("{target}: waiting for an approval"));
    };
    let who = match (first.can_approve, first.reviewers.as_slice()) {
        (true, _) => "you may give it".to_owned(),
        (false, []) => "by a reviewer".to_owned(),
        (false, names) => format!("by {}", names.join(", ")),
    };
    Ok(safe_line(&format!(
        "{target}: waiting for an approval of the environment {} ({who})",
        first.environment
    )))
}

/// The commit that the target names; it must be the one that was deployed.
fn read_back(context: &Context, target: &str, sha: &str) -> anyhow::Result<Option<String>> {
    let seen = evidence::seen(context, target);
    match (&seen.commit, &seen.unknown) {
        (Some(commit), _) if commit == sha => {
            let what = format!("{target} has commit {}", short(sha));
            context.ui.status("Verified", &safe_line(&what));
            Ok(seen.commit)
        }
        (commit, None) => {
            let there = commit.as_deref().map_or("no commit", short);
            let place = bundle::workspace(context, target)?;
            if place.local().is_some() {
                let what = format!(
                    "{} lives on a local workspace: this clone's has {there}",
                    safe_line(target)
                );
                context.ui.status_toned("Note", &what, Tone::Accent);
                return Ok(None);
            }
            Failure::failed(format!(
                "{target} names {there}, although {} was deployed",
                short(sha)
            ))
            .next("cargo xtask status")
            .err()
        }
        (_, Some(unknown)) => {
            context.ui.status_toned(
                "Unverified",
                &format!("{} could not be asked: {unknown}", safe_line(target)),
                Tone::Warning,
            );
            Ok(None)
        }
    }
}
