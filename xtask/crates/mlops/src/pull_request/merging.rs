//! Merging a pull request: at once, through the merge queue, or by GitHub once its rules allow.

use xtask_remote::github::merging::{self, MergeFacts, Way};
use xtask_remote::github::pulls::{self, Pull};

use super::readiness::{self, PullRequest};
use crate::context::Context;
use crate::error::Failure;
use crate::ui::safe_line;

/// How it is merged, by what the repository asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Merge it now.
    Merge(Way),
    /// Put it into the merge queue.
    Enqueue,
    /// Turn on auto-merge.
    WhenReady(Way),
}

impl Step {
    /// What it does, for the plan.
    pub(crate) fn describe(self, facts: &MergeFacts) -> String {
        let MergeFacts { number, base, .. } = facts;
        let at = &facts.head_sha[..facts.head_sha.len().min(8)];
        match self {
            Step::Merge(way) => format!(
                "merge pull request {number} into {base} ({}), if {at} is still its newest commit",
                way.as_str()
            ),
            Step::Enqueue => format!(
                "put pull request {number} at {at} into the merge queue of {base}, which tests it once more and merges it"
            ),
            Step::WhenReady(way) => format!(
                "have GitHub merge pull request {number} at {at} into {base} ({}) as soon as its rules allow",
                way.as_str()
            ),
        }
    }
}

/// What a branch that code is promoted to takes: with any other way its history would not hold the branch
/// that was promoted, and the next promotion would bring the same commits again.
pub(crate) fn by_merge_commit(facts: &MergeFacts, asked: Way) -> anyhow::Result<()> {
    let base = safe_line(&facts.base);
    if asked != Way::Merge {
        return Failure::usage(format!(
            "code is promoted to {base}: it takes merge commits only"
        ))
        .next(format!("cargo xtask merge {}", facts.number))
        .err();
    }
    if facts.ways.contains(&Way::Merge) {
        return Ok(());
    }
    Failure::failed(format!(
        "the repository allows no merge commits, and {base} takes no others"
    ))
    .next("its settings have \"Allow merge commits\"")
    .err()
}

/// Brings a pull request that lacks nothing into a branch that code is promoted to, and reads back what
/// became of it: it is merged, or in the queue.
pub(crate) fn into_release(
    context: &Context,
    request: &PullRequest,
    facts: &MergeFacts,
) -> anyhow::Result<Pull> {
    by_merge_commit(facts, Way::Merge)?;
    let step = match facts.has_queue {
        true => Step::Enqueue,
        false => Step::Merge(Way::Merge),
    };
    apply(context, request, facts, step)?;
    let pull = pulls::get(&request.connection.github, &request.into, facts.number)?;
    if pull.is_merged() || readiness::read(context, request)?.queue_position.is_some() {
        return Ok(pull);
    }
    Failure::service(format!("pull request {} is not merged", facts.number))
        .next("run it again: it looks first")
        .err()
}

/// Sends it once: after a lost reply, the caller reads back what became of it.
pub(crate) fn apply(
    context: &Context,
    request: &PullRequest,
    facts: &MergeFacts,
    step: Step,
) -> anyhow::Result<()> {
    let github = &request.connection.github;
    let progress = context
        .ui
        .progress("Merging", &format!("pull request {}", facts.number));
    let sent = match step {
        Step::Merge(way) => {
            merging::merge(github, &request.into, facts.number, &facts.head_sha, way).map(drop)
        }
        Step::Enqueue => merging::enqueue(github, &facts.id, &facts.head_sha),
        Step::WhenReady(way) => merging::merge_when_ready(github, &facts.id, &facts.head_sha, way),
    };
    progress.clear();
    match sent {
        Ok(()) => Ok(()),
        Err(error) if error.leaves_open() => {
            context.ui.warn(&format!(
                "no usable answer ({}); checking whether it was merged",
                safe_line(&error.to_string())
            ));
            Ok(())
        }
        Err(error) => Err(refused(facts, &error)),
    }
}

fn refused(facts: &MergeFacts, error: &xtask_remote::Error) -> anyhow::Error {
    let (what, next) = match error.status() {
        Some(409) => (
            "the branch has new commits; nothing was merged",
            "look at what is new, then run it again",
        ),
        Some(403) => (
            "the token may not merge pull requests here",
            "use a token that may write contents and pull requests",
        ),
        _ => (
            "GitHub refused to merge it",
            "cargo xtask merge --dry-run shows what is missing",
        ),
    };
    Failure::service(format!("{what} (pull request {})", facts.number))
        .details(error.to_string())
        .next(next)
        .into()
}
