//! Effects of a push.

use std::collections::BTreeSet;

use crate::git::Git;
use crate::refusal::{Found as _, Refusal};
use crate::world::{Id, Merged, Pull, ReviewState, World};

/// Reads the refs of `repo` after a push by `pusher`. Answers the branches that moved.
pub(crate) fn pushed(
    world: &mut World,
    git: &Git,
    repo: Id,
    pusher: Id,
) -> Result<BTreeSet<String>, Refusal> {
    let refs = git.refs(repo)?;
    let now = world.now();
    let known = world.repos.get(repo).found()?;
    let moved = |name: &&String| known.refs.get(*name) != refs.get(*name);
    let names = known.refs.keys().chain(refs.keys()).filter(moved);
    let branches: BTreeSet<String> = names
        .filter_map(|name| name.strip_prefix("refs/heads/"))
        .map(str::to_owned)
        .collect();
    if known.refs == refs {
        return Ok(branches);
    }
    let repo_row = world.repos.edit(repo).found()?;
    repo_row.refs = refs;
    repo_row.pushed_at = now;
    for branch in &branches {
        heads_moved(world, git, repo, branch)?;
        base_moved(world, git, repo, branch, pusher)?;
    }
    Ok(branches)
}

/// Reads the refs of all repositories, in case the program was killed between a push and its effects.
pub(crate) fn refresh_refs(world: &mut World, git: &Git) -> Result<(), Refusal> {
    let repos: Vec<(Id, Id)> = world
        .repos
        .iter()
        .map(|repo| (repo.id, repo.owner))
        .collect();
    for (repo, owner) in repos {
        pushed(world, git, repo, owner)?;
    }
    Ok(())
}

/// Updates pull requests from `branch`.
fn heads_moved(world: &mut World, git: &Git, repo: Id, branch: &str) -> Result<(), Refusal> {
    let follows =
        |pull: &&Pull| pull.open && pull.head_repo == Some(repo) && pull.head_ref == branch;
    let pulls: Vec<Pull> = world.pulls.iter().filter(follows).cloned().collect();
    let now = world.now();
    for pull in pulls {
        let tip = world.tip(repo, branch).map(str::to_owned);
        let base = world.tip(pull.repo, &pull.base_ref).map(str::to_owned);
        if let Some(tip) = &tip {
            git.bring(
                repo,
                pull.repo,
                tip,
                &format!("refs/pull/{}/head", pull.number),
            )?;
        }
        let Some(row) = world.pulls.edit(pull.id) else {
            continue;
        };
        row.updated_at = now;
        match tip {
            Some(tip) => {
                row.head_sha = tip;
                row.base_sha = base.unwrap_or_else(|| pull.base_sha.clone());
                row.queued = None;
                dismiss_stale(world, &pull);
            }
            // Deleting a branch closes its pull requests, as on GitHub.
            None => {
                row.open = false;
                row.closed_at = Some(now);
                row.auto_merge = None;
                row.queued = None;
            }
        }
    }
    Ok(())
}

fn dismiss_stale(world: &mut World, pull: &Pull) {
    if !world
        .rule(pull.repo, &pull.base_ref)
        .is_some_and(|rule| rule.dismiss_stale)
    {
        return;
    }
    let stale = |review: &&crate::world::Review| {
        review.pull == pull.id && review.state == ReviewState::Approved
    };
    let stale: Vec<Id> = world
        .reviews
        .iter()
        .filter(stale)
        .map(|review| review.id)
        .collect();
    for id in stale {
        if let Some(review) = world.reviews.edit(id) {
            review.state = ReviewState::Dismissed;
        }
    }
}

/// Marks pull requests as merged whose commits are in the base branch.
fn base_moved(
    world: &mut World,
    git: &Git,
    repo: Id,
    branch: &str,
    pusher: Id,
) -> Result<(), Refusal> {
    let Some(tip) = world.tip(repo, branch).map(str::to_owned) else {
        return Ok(());
    };
    let into = |pull: &&Pull| pull.open && pull.repo == repo && pull.base_ref == branch;
    let pulls: Vec<Pull> = world.pulls.iter().filter(into).cloned().collect();
    let now = world.now();
    for pull in pulls {
        if pull.base_sha == tip || !git.is_ancestor(repo, &pull.head_sha, &tip) {
            continue;
        }
        if let Some(row) = world.pulls.edit(pull.id) {
            row.open = false;
            row.closed_at = Some(now);
            row.updated_at = now;
            row.merged = Some(Merged {
                at: now,
                by: pusher,
                commit: tip.clone(),
            });
        }
    }
    Ok(())
}
