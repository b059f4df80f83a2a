//! What GitHub answered, as facts: the pull request, the checks and what they come to.

use xtask_remote::Timestamp;
use xtask_remote::github::branch_status::{self, BranchStatus};
use xtask_remote::github::checks::{self, State};

use super::facts::{Check, CheckState, GitHub, PullRequest, Verdict};
use crate::config::Config;
use crate::ui::{safe, safe_line};

/// Takes the facts out of an answer.
pub(crate) fn facts(status: BranchStatus, config: &Config, now: Timestamp) -> GitHub {
    let base = status.pull.as_ref().map(|pull| pull.base.as_str());
    // What xtask.toml wants to see before a merge, besides the repository's own rules.
    let wanted = config
        .targets
        .values()
        .filter(|target| target.branch.is_some() && target.branch.as_deref() == base)
        .flat_map(|target| target.checks.iter().cloned());
    let mut required = status.required.clone();
    required.extend(wanted);
    required.sort();
    required.dedup();
    let missing = required
        .iter()
        .filter(|name| !status.checks.iter().any(|check| check.name == **name))
        .map(|name| safe_line(name))
        .collect();
    let mut checks: Vec<Check> = status
        .checks
        .into_iter()
        .map(|check| {
            let by_us = required.contains(&check.name);
            one(check, by_us, now)
        })
        .collect();
    checks.sort_by(|a, b| {
        let key = |check: &Check| (check.state, check.required != Some(true));
        key(a).cmp(&key(b)).then_with(|| a.name.cmp(&b.name))
    });
    GitHub {
        repository: safe_line(&status.repository),
        url: address(&status.url).unwrap_or_default(),
        pull_request: status.pull.map(pull_request),
        sha: status.sha.map(|sha| safe_line(&sha)),
        checks,
        missing,
    }
}

/// How the checks stand, in one word. Where the repository requires some, those alone decide.
pub(crate) fn verdict(github: &GitHub) -> Verdict {
    let has = |state: CheckState| github.deciding().any(|check| check.state == state);
    if has(CheckState::Failed) {
        Verdict::Failed
    } else if has(CheckState::Pending) || !github.missing.is_empty() {
        Verdict::Pending
    } else if github.checks.is_empty() {
        Verdict::Nothing
    } else {
        Verdict::Passed
    }
}

fn pull_request(pull: branch_status::Pull) -> PullRequest {
    let lower = |text: &str| safe_line(&text.to_lowercase());
    PullRequest {
        number: pull.number,
        title: safe_line(&pull.title),
        url: address(&pull.url).unwrap_or_default(),
        state: lower(&pull.state),
        draft: pull.draft,
        from_fork: pull.from_fork,
        author: pull.author.map(|author| safe_line(&author)),
        base: safe_line(&pull.base),
        head_sha: safe_line(&pull.sha),
        review: pull.review_decision.map(|decision| lower(&decision)),
        reviews: pull
            .reviews
            .iter()
            .map(|(who, state)| (safe_line(who), lower(state)))
            .collect(),
        requested: pull.requested.iter().map(|who| safe_line(who)).collect(),
        unresolved_threads: pull.unresolved_threads,
        mergeable: lower(&pull.mergeable),
        merge_state: lower(&pull.merge_state),
        auto_merge: pull.auto_merge.map(|method| lower(&method)),
        queue_position: pull.queue_position,
    }
}

fn one(check: checks::Check, by_us: bool, now: Timestamp) -> Check {
    let time = |text: &Option<String>| text.as_ref()?.parse::<Timestamp>().ok();
    let end = time(&check.completed_at).or_else(|| (check.state == State::Pending).then_some(now));
    let seconds = time(&check.started_at)
        .zip(end)
        .and_then(|(start, end)| u64::try_from(end.as_second() - start.as_second()).ok());
    // A check that waits in a queue has not begun; a status of the older kind never says when.
    let runs = check.completed_at.is_some() || check.word == "in_progress";
    Check {
        name: safe_line(&check.name),
        label: safe_line(&check.label),
        workflow: check.workflow.map(|name| safe_line(&name)),
        state: match check.state {
            State::Passed => CheckState::Passed,
            State::Failed => CheckState::Failed,
            State::Pending => CheckState::Pending,
            State::Skipped => CheckState::Skipped,
        },
        word: safe_line(&check.word),
        required: if by_us { Some(true) } else { check.required },
        started_at: time(&check.started_at).map(|time| time.to_string()),
        seconds: seconds.filter(|_| runs),
        url: check.url.as_deref().and_then(address),
        job_id: check.job,
        run_id: check.run,
        summary: check.summary.map(|text| safe(text.trim()).into_owned()),
        failure: None,
        no_log: None,
        training: None,
    }
}

/// An address that may be shown and opened: of the web, and without anything a terminal would obey.
pub(crate) fn address(url: &str) -> Option<String> {
    let of_the_web = url.starts_with("https://") || url.starts_with("http://");
    let plain = url
        .chars()
        .all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\' | '`'));
    (of_the_web && plain).then(|| url.to_owned())
}
