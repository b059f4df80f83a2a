//! The clone: branch, what is not committed, what is not pushed.

use super::facts::Branch;
use crate::context::Context;
use crate::git::Git;

/// Looks at the clone; asks nobody else.
///
/// # Errors
/// When git fails.
pub(super) fn look(context: &Context, git: &Git) -> anyhow::Result<Branch> {
    let standing = git.standing()?;
    let tracked = standing
        .branch
        .as_deref()
        .and_then(|name| git.tracked(name));
    let remote = tracked
        .as_ref()
        .map_or("origin", |(remote, _)| remote.as_str());
    let base = context
        .config
        .github
        .base
        .clone()
        .or_else(|| git.known_default_branch(remote))
        .unwrap_or_else(|| "main".to_owned());
    // A branch that was pushed without being followed is found by its name.
    let remote_branch = tracked
        .as_ref()
        .map_or(standing.branch.as_deref(), |(_, name)| Some(name));
    let remote_head =
        remote_branch.and_then(|name| git.resolve(&format!("refs/remotes/{remote}/{name}")));
    let pushed = standing.head.as_ref().map(|head| {
        remote_head
            .as_ref()
            .is_some_and(|remote_head| remote_head == head || git.contains(remote_head, head))
    });
    let relation = |other: &str| git.ahead_behind(other, standing.head.as_deref()?).ok();
    let to_remote = remote_head.as_deref().and_then(relation);
    let of_base = [
        format!("refs/remotes/{remote}/{base}"),
        format!("refs/heads/{base}"),
    ]
    .iter()
    .find_map(|name| git.resolve(name));
    let to_base = of_base.as_deref().and_then(relation);
    Ok(Branch {
        upstream: standing.upstream,
        ahead: standing.ahead.or(to_remote.map(|(ahead, _)| ahead)),
        behind: standing.behind.or(to_remote.map(|(_, behind)| behind)),
        pushed,
        base: Some(base),
        ahead_of_base: to_base.map(|(ahead, _)| ahead),
        behind_base: to_base.map(|(_, behind)| behind),
        name: standing.branch,
        head: standing.head,
        changed_files: standing.changed_files,
    })
}
