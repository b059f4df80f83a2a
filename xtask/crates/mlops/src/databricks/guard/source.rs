//! Checks the commit to deploy: a target with a branch takes only commits of that branch, without
//! uncommitted changes.

use crate::context::Context;
use crate::error::Failure;
use crate::git::{Git, Remote};
use crate::ui::safe_line;
use crate::words::{count, short};

/// How many changed files are listed.
const NAMED: usize = 10;

/// Checks HEAD against the target's branch.
pub(super) fn check(context: &Context, target: &str, branch: &str) -> anyhow::Result<String> {
    let git = Git::open(context)?;
    let Some(head) = git.head() else {
        return Failure::failed("there is no commit yet").err();
    };
    no_changes(&git, target, branch)?;
    let remote = remote(&git, target, branch)?;
    let newest = newest(context, &git, &remote, branch)?;
    if !git.contains(&newest, &head) {
        if git.is_cut_off(&newest, &head)? {
            return Failure::failed(format!(
                "this clone is shallow: cannot tell whether commit {} is on {branch}, the branch that target {target} deploys from",
                short(&head)
            ))
                .next(format!("git fetch --unshallow {}", safe_line(&remote.name)))
                .err();
        }
        return Failure::failed(format!(
            "commit {} is not on {branch}, the branch that target {target} deploys from",
            short(&head)
        ))
        .details(format!(
            "{branch} is at {} on {} ({})",
            short(&newest),
            safe_line(&remote.name),
            safe_line(&remote.fetch)
        ))
        .next(format!("merge it into {branch} with a pull request"))
        .next(format!(
            "or deploy the branch's newest commit: git switch --detach {}",
            short(&newest)
        ))
        .err();
    }
    if let Ok(Some((_, behind @ 1..))) = git.ahead_behind(&newest, &head) {
        context.ui.warn(&format!(
            "{branch} has {}; deploying the older commit {}",
            count(behind, "newer commit"),
            short(&head)
        ));
    }
    Ok(head)
}

/// Checks that the checkout has not changed since.
pub(super) fn unchanged(
    context: &Context,
    target: &str,
    branch: &str,
    commit: &str,
) -> anyhow::Result<()> {
    let git = Git::open(context)?;
    no_changes(&git, target, branch)?;
    match git.head().as_deref() == Some(commit) {
        true => Ok(()),
        false => Failure::failed(format!(
            "the checked-out commit is no longer {}; nothing was changed",
            short(commit)
        ))
        .next(format!("cargo xtask deploy --target {target} --dry-run"))
        .err(),
    }
}

fn no_changes(git: &Git, target: &str, branch: &str) -> anyhow::Result<()> {
    let changes = git.uncommitted()?;
    if changes.is_empty() {
        return Ok(());
    }
    let mut names: Vec<String> = changes
        .iter()
        .take(NAMED)
        .map(|change| safe_line(&change.path))
        .collect();
    if changes.len() > NAMED {
        names.push(format!("and {} more", changes.len() - NAMED));
    }
    Failure::failed(format!(
        "uncommitted changes: target {target} deploys only commits of {branch}"
    ))
    .details(names.join("\n"))
    .next("git stash --include-untracked, or commit them and open a pull request")
    .err()
}

/// The remote whose branch counts: `upstream` before a fork's own `origin`.
fn remote(git: &Git, target: &str, branch: &str) -> anyhow::Result<Remote> {
    let mut remotes = git.remotes()?;
    let named = |name: &str| remotes.iter().position(|remote| remote.name == name);
    let only = (remotes.len() == 1).then_some(0);
    match named("upstream").or_else(|| named("origin")).or(only) {
        Some(index) => Ok(remotes.swap_remove(index)),
        None => Failure::failed(format!(
            "no remote to look up {branch}, the branch that target {target} deploys from"
        ))
        .next("git remote add origin https://github.com/OWNER/NAME.git")
        .err(),
    }
}

/// The branch's commit on the remote, else as last fetched.
fn newest(context: &Context, git: &Git, remote: &Remote, branch: &str) -> anyhow::Result<String> {
    let name = &remote.name;
    let progress = context
        .ui
        .progress("Asking", &format!("{} for {branch}", safe_line(name)));
    let told = git.fetch(name, branch, None);
    progress.clear();
    let error = match told {
        Ok(newest) => return Ok(newest),
        Err(error) => error,
    };
    context.interrupt.check()?;
    match git.resolve(&format!("refs/remotes/{name}/{branch}")) {
        Some(known) => {
            context.ui.warn(&format!(
                "{error}; using {name}/{branch} as last fetched, at {}",
                short(&known)
            ));
            Ok(known)
        }
        None => Err(error),
    }
}
