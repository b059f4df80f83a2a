//! The clone: branch, what is not committed, what is not pushed.

use super::facts::Branch;
use crate::context::Context;
use crate::git::Git;
use crate::github;

/// Looks at the clone alone.
pub(crate) fn look(context: &Context, git: &Git) -> anyhow::Result<Branch> {
    let state = git.state()?;
    let local = state.branch.as_deref();
    let remote = local.and_then(|name| git.push_target(name).remote);
    let remote = remote.as_deref().unwrap_or("origin");
    let base = context
        .config
        .github
        .base
        .clone()
        .or_else(|| git.known_default_branch(remote))
        .unwrap_or_else(|| "main".to_owned());
    // Where it is pushed to, and not what it pulls from: that may be the base.
    let there = local.map(|name| github::pushed_to(context, git, name, &base).branch);
    let remote_head = there.and_then(|name| git.resolve(&format!("refs/remotes/{remote}/{name}")));
    let relation = |other: &str| {
        let counted = git.ahead_behind(other, state.head.as_deref()?);
        counted.ok().flatten()
    };
    let to_remote = remote_head.as_deref().and_then(relation);
    let pushed = match (&state.head, &remote_head) {
        (None, _) => None,
        (Some(_), None) => Some(false),
        (Some(head), Some(remote_head)) if head == remote_head => Some(true),
        (Some(_), Some(_)) => to_remote.map(|(ahead, _)| ahead == 0),
    };
    let of_base = [
        format!("refs/remotes/{remote}/{base}"),
        format!("refs/heads/{base}"),
    ]
    .iter()
    .find_map(|name| git.resolve(name));
    let to_base = of_base.as_deref().and_then(relation);
    Ok(Branch {
        upstream: state.upstream,
        ahead: to_remote.map(|(ahead, _)| ahead),
        behind: to_remote.map(|(_, behind)| behind),
        pushed,
        shallow: remote_head.is_some() && to_remote.is_none()
            || of_base.is_some() && to_base.is_none(),
        base: Some(base),
        ahead_of_base: to_base.map(|(ahead, _)| ahead),
        behind_base: to_base.map(|(_, behind)| behind),
        name: state.branch,
        head: state.head,
        changed_files: state.changed_files,
    })
}
