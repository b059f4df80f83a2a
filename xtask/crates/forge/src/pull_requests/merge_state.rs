//! Mergeability of a pull request.

use crate::forge::Forge;
use crate::refusal::Refusal;
use crate::world::{BranchRule, Id, Permission, Pull, ReviewState, Verdict, World};

/// Whether head and base can be merged without conflicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mergeable {
    Yes,
    Conflicting,
    /// Not computed yet: clients ask again.
    Unknown,
}

#[derive(Debug, Clone)]
pub(crate) struct MergeState {
    pub(crate) mergeable: Mergeable,
    /// GraphQL's `mergeStateStatus`; REST's `mergeable_state` in lower case.
    pub(crate) state: &'static str,
    /// Why it cannot be merged, in GitHub's words.
    pub(crate) obstacle: Option<String>,
}

pub(crate) fn merge_state(
    forge: &Forge,
    world: &World,
    pull: &Pull,
) -> Result<MergeState, Refusal> {
    let said = |mergeable, state, obstacle: Option<String>| {
        Ok(MergeState {
            mergeable,
            state,
            obstacle,
        })
    };
    let because = |text: &str| Some(text.to_owned());
    if !pull.open || still_unknown(forge, world)? {
        return said(Mergeable::Unknown, "UNKNOWN", None);
    }
    let Some(base) = world.tip(pull.repo, &pull.base_ref) else {
        return said(Mergeable::Unknown, "UNKNOWN", None);
    };
    let git = &forge.git;
    if git.merge_tree(pull.repo, base, &pull.head_sha)?.is_none() {
        let obstacle = because("Pull Request is not mergeable");
        return said(Mergeable::Conflicting, "DIRTY", obstacle);
    }
    if pull.draft {
        let obstacle = because("Pull Request is still a draft");
        return said(Mergeable::Yes, "DRAFT", obstacle);
    }
    let rule = world.rule(pull.repo, &pull.base_ref);
    if let Some(obstacle) = rule.and_then(|rule| rule_in_the_way(world, pull, rule)) {
        return said(Mergeable::Yes, "BLOCKED", Some(obstacle));
    }
    let strict = rule.is_some_and(|rule| rule.strict);
    if strict && git.distance(pull.repo, base, &pull.head_sha)?.behind > 0 {
        let obstacle = because("Head branch is out of date. Review and try the merge again.");
        return said(Mergeable::Yes, "BEHIND", obstacle);
    }
    let state = match world.verdict(pull.repo, &pull.head_sha) {
        None | Some(Verdict::Passed) => "CLEAN",
        Some(_) => "UNSTABLE",
    };
    said(Mergeable::Yes, state, None)
}

/// Counts down the "unknown" answers.
fn still_unknown(forge: &Forge, world: &World) -> Result<bool, Refusal> {
    if world.settings().unknown_mergeability == 0 {
        return Ok(false);
    }
    forge.change(|world| {
        let left = &mut world.edit_settings().unknown_mergeability;
        let unknown = *left > 0;
        *left = left.saturating_sub(1);
        Ok(unknown)
    })
}

fn rule_in_the_way(world: &World, pull: &Pull, rule: &BranchRule) -> Option<String> {
    match review_decision(world, pull) {
        Some("CHANGES_REQUESTED") => {
            return Some("Changes requested by a reviewer with write access.".to_owned());
        }
        Some("REVIEW_REQUIRED") => {
            let needed = rule.required_approvals.unwrap_or(0);
            let people = if needed == 1 {
                "an approving review is"
            } else {
                "approving reviews are"
            };
            return Some(format!(
                "At least {needed} {people} required by reviewers with write access."
            ));
        }
        _ => {}
    }
    for name in &rule.required_checks {
        match world.verdict_named(pull.repo, &pull.head_sha, name) {
            Some(Verdict::Passed) => {}
            Some(Verdict::Failed) => {
                return Some(format!("Required status check \"{name}\" is failing."));
            }
            Some(Verdict::Pending) => {
                return Some(format!("Required status check \"{name}\" is in progress."));
            }
            None => return Some(format!("Required status check \"{name}\" is expected.")),
        }
    }
    let unresolved =
        |thread: &crate::world::Thread| thread.pull == pull.id && thread.resolved_by.is_none();
    if rule.resolve_threads && world.threads.find(unresolved).is_some() {
        return Some(
            "A conversation must be resolved before this pull request can be merged.".to_owned(),
        );
    }
    None
}

/// GraphQL's `reviewDecision`, from reviewers with write access.
pub(crate) fn review_decision(world: &World, pull: &Pull) -> Option<&'static str> {
    let repo = world.repos.get(pull.repo)?;
    let counts = |author: Id| world.permission(repo, author) >= Some(Permission::Write);
    let reviews = world.latest_reviews(pull.id);
    let of = |state| {
        reviews
            .iter()
            .filter(|review| review.state == state && counts(review.author))
            .count()
    };
    let needed = world
        .rule(pull.repo, &pull.base_ref)
        .and_then(|rule| rule.required_approvals);
    let approvals = of(ReviewState::Approved);
    if of(ReviewState::ChangesRequested) > 0 {
        return Some("CHANGES_REQUESTED");
    }
    match needed {
        Some(needed) if approvals < needed as usize => Some("REVIEW_REQUIRED"),
        _ if approvals > 0 => Some("APPROVED"),
        _ => None,
    }
}

/// Whether a check with this name is required.
pub(crate) fn is_required(world: &World, pull: &Pull, name: &str) -> bool {
    let rule = world.rule(pull.repo, &pull.base_ref);
    rule.is_some_and(|rule| rule.required_checks.iter().any(|required| required == name))
}
