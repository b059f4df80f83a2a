//! Pages of a pull request, a run and a job.

use maud::{Markup, html};

use super::layout::{ago, badge, check_badge, duration, page, pull_badge};
use super::{path_of, shown};
use crate::call::{Answer, Call};
use crate::pull_requests::{is_required, merge_state, review_decision};
use crate::refusal::Found as _;
use crate::rest::logs;
use crate::world::{CheckRun, Permission, Pull, Repo, ReviewState, Status, Verdict};

/// Characters of a log that are shown.
const LONGEST_LOG: usize = 2_000_000;

pub(super) fn show(call: &Call) -> Answer {
    let (repo, pull) = call.pull(Permission::Read)?;
    let world = &call.world;
    let checks = world.checks_of(repo.id, &pull.head_sha);
    let statuses = world.statuses_of(repo.id, &pull.head_sha);
    let merge_state = merge_state(&call.forge, world, pull)?;
    let title = format!("#{} {}", pull.number, pull.title);
    let content = html! {
        (crumbs(call, repo, None))
        div.title { h1 { (title) } (pull_badge(pull)) }
        p.facts {
            (world.login(pull.author)) " wants to merge " code { (pull.head_ref) } " into " code { (pull.base_ref) }
            " · opened " (ago(call, pull.created_at)) " · at " code { (&pull.head_sha[..pull.head_sha.len().min(7)]) }
        }
        @if pull.open {
            p.message { @match &merge_state.obstacle { Some(obstacle) => (obstacle), None => (no_obstacle(call, pull)) } }
        }
        @if let Some(body) = &pull.body { pre.said { (body) } }
        h2 { "Checks" }
        @if checks.is_empty() && statuses.is_empty() { p.empty { "No check has reported on this commit yet." } }
        @else {
            div.wide { table.list {
                thead { tr { th { "Check" } th { "State" } th { "Required" } th.number { "Took" } } }
                tbody {
                    @for check in &checks { (check_row(call, repo, pull, check)) }
                    @for status in &statuses { (status_row(call, pull, status)) }
                }
            } }
        }
        (conversation(call, pull))
    };
    shown(&page(call, &title, &content))
}

/// For a mergeable pull request: failed checks and requested changes.
fn no_obstacle(call: &Call, pull: &Pull) -> String {
    let world = &call.world;
    let checks = match world.verdict(pull.repo, &pull.head_sha) {
        Some(Verdict::Failed) => Some("a check failed"),
        Some(Verdict::Pending) => Some("checks are still running"),
        Some(Verdict::Passed) | None => None,
    };
    let asked = review_decision(world, pull) == Some("CHANGES_REQUESTED");
    let asked = asked.then_some("a reviewer asked for changes");
    let doubts: Vec<&str> = checks.into_iter().chain(asked).collect();
    match doubts.is_empty() {
        true => "Ready to merge.".to_owned(),
        false => format!(
            "No branch rule prevents the merge, but {}.",
            doubts.join(", and ")
        ),
    }
}

fn crumbs(call: &Call, repo: &Repo, pull: Option<&Pull>) -> Markup {
    let path = path_of(call, repo);
    html! {
        p.crumbs {
            a href="/" { "Repositories" } " / " a href=(path) { (call.world.full_name(repo)) }
            @if let Some(pull) = pull { " / " a href={ (path) "/pull/" (pull.number) } { "#" (pull.number) } }
        }
    }
}

fn check_row(call: &Call, repo: &Repo, pull: &Pull, check: &CheckRun) -> Markup {
    let path = path_of(call, repo);
    let address = match check.run {
        Some(run) => format!("{path}/actions/runs/{run}/job/{}", check.id),
        None => format!("{path}/runs/{}", check.id),
    };
    html! {
        tr {
            td { a href=(address) { (check.name) } @if let Some(title) = &check.title { span.dim { " " (title) } } }
            td { (check_badge(check)) }
            td { @if is_required(&call.world, pull, &check.name) { "required" } }
            td.number { (duration(call, check)) }
        }
    }
}

fn status_row(call: &Call, pull: &Pull, status: &Status) -> Markup {
    let class = match status.verdict() {
        Verdict::Passed => "ok",
        Verdict::Failed => "bad",
        Verdict::Pending => "wait",
    };
    html! {
        tr {
            td { (status.context) @if let Some(description) = &status.description { span.dim { " " (description) } } }
            td { (badge(&status.state, class)) }
            td { @if is_required(&call.world, pull, &status.context) { "required" } }
            td {}
        }
    }
}

/// Reviews and comments, in chronological order.
fn conversation(call: &Call, pull: &Pull) -> Markup {
    let world = &call.world;
    let reviews = world
        .reviews
        .iter()
        .filter(|review| review.pull == pull.id)
        .map(|review| {
            let deed = match review.state {
                ReviewState::Approved => "approved",
                ReviewState::ChangesRequested => "asked for changes",
                ReviewState::Commented => "commented",
                ReviewState::Dismissed => "left a review that was dismissed",
            };
            (
                review.submitted_at,
                review.author,
                deed,
                review.body.as_str(),
            )
        });
    let comments = world
        .comments
        .iter()
        .filter(|comment| comment.pull == pull.id);
    let comments = comments.map(|comment| {
        (
            comment.created_at,
            comment.author,
            "commented",
            comment.body.as_str(),
        )
    });
    let mut said: Vec<_> = reviews.chain(comments).collect();
    said.sort_by_key(|(at, ..)| *at);
    html! {
        @if !said.is_empty() { h2 { "Conversation" } }
        @for (at, author, word, body) in said {
            section.said {
                p.facts { strong { (world.login(author)) } " " (word) " " (ago(call, at)) }
                @if !body.is_empty() { pre { (body) } }
            }
        }
    }
}

pub(super) fn run(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let run = call
        .world
        .runs
        .get(call.id("run")?)
        .filter(|run| run.repo == repo.id)
        .found()?;
    let path = path_of(call, repo);
    let workflow = call
        .world
        .workflows
        .get(run.workflow)
        .map_or("", |workflow| workflow.name.as_str());
    let title = format!("{workflow} #{}", run.number);
    let content = html! {
        (crumbs(call, repo, None))
        h1 { (title) }
        p.facts { (run.title) " · " (run.event) " · attempt " (run.attempt) " · " (ago(call, run.created_at)) }
        div.wide { table.list {
            thead { tr { th { "Job" } th { "State" } th.number { "Took" } } }
            tbody {
                @for job in call.world.jobs_of(run, None) {
                    tr {
                        td { a href={ (path) "/actions/runs/" (run.id) "/job/" (job.id) } { (job.name) } }
                        td { (check_badge(job)) }
                        td.number { (duration(call, job)) }
                    }
                }
            }
        } }
    };
    shown(&page(call, &title, &content))
}

pub(super) fn job(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let job = call
        .world
        .checks
        .get(call.id("job")?)
        .filter(|job| job.repo == repo.id)
        .found()?;
    let pull = call
        .world
        .pulls_of(repo.id)
        .find(|pull| pull.head_sha == job.head_sha);
    let log = std::fs::read(logs::path(&call.forge, job.id)).ok();
    let content = html! {
        (crumbs(call, repo, pull))
        div.title { h1 { (job.name) } (check_badge(job)) }
        p.facts { (duration(call, job)) @if job.attempt > 1 { " · attempt " (job.attempt) } " · at " code { (&job.head_sha[..job.head_sha.len().min(7)]) } }
        @for text in [&job.title, &job.summary].into_iter().flatten() { p.message { (text) } }
        @for remark in &job.annotations {
            p.message { code { (remark.path) ":" (remark.start_line) } " " (remark.message) }
        }
        @if !job.steps.is_empty() {
            div.wide { table.list {
                tbody {
                    @for step in &job.steps {
                        tr { td { (step.name) } td { (badge(step.conclusion.as_deref().unwrap_or(&step.status), step_class(step.conclusion.as_deref()))) } }
                    }
                }
            } }
        }
        @match log {
            Some(log) => pre.log { (String::from_utf8_lossy(&log[log.len().saturating_sub(LONGEST_LOG)..])) },
            None => p.empty { "There is no log." },
        }
    };
    shown(&page(call, &job.name, &content))
}

fn step_class(conclusion: Option<&str>) -> &'static str {
    match conclusion {
        Some("success") => "ok",
        Some("skipped" | "neutral") => "quiet",
        Some(_) => "bad",
        None => "wait",
    }
}
