//! Which commit is deployed: for a target that a branch feeds it must be one of that branch's, without
//! changes beside it.

use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::git::{Git, Remote, short};
use crate::ui::safe_line;

/// How many changed files are named.
const NAMED: usize = 10;

/// The commit that is checked out, checked against the branch that feeds the target.
///
/// # Errors
/// [`Kind::Failed`] for files that are not committed and a commit that is not on the branch.
pub(super) fn check(context: &Context, target: &str, branch: &str) -> anyhow::Result<String> {
    let git = Git::open(context)?;
    let Some(head) = git.head() else {
        return Failure::new(Kind::Failed, "there is no commit yet").err();
    };
    no_changes(&git, target, branch)?;
    let remote = remote(&git, target, branch)?;
    let newest = newest(context, &git, &remote, branch)?;
    if !git.contains(&newest, &head) {
        if git.is_cut_off(&newest, &head)? {
            let what = format!(
                "this clone is shallow: it does not tell whether commit {} is on {branch}, which feeds target {target}",
                short(&head)
            );
            return Failure::new(Kind::Failed, what)
                .next(format!("git fetch --unshallow {}", safe_line(&remote.name)))
                .err();
        }
        let what = format!(
            "commit {} is not on {branch}, which feeds target {target}",
            short(&head)
        );
        return Failure::new(Kind::Failed, what)
            .details(format!(
                "{branch} is at {} on {} ({})",
                short(&newest),
                safe_line(&remote.name),
                safe_line(&remote.fetch)
            ))
            .next(format!("bring it there by a pull request into {branch}"))
            .next(format!(
                "or deploy what is there: git switch --detach {}",
                short(&newest)
            ))
            .err();
    }
    if let Ok(Some((_, behind @ 1..))) = git.ahead_behind(&newest, &head) {
        context.ui.warn(&format!(
            "{branch} has {behind} newer {}: this deploys an earlier one, {}",
            if behind == 1 { "commit" } else { "commits" },
            short(&head)
        ));
    }
    Ok(head)
}

/// Whether the checkout is still what was checked.
///
/// # Errors
/// [`Kind::Failed`] for another commit, and files that have changed since.
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
        false => Failure::new(
            Kind::Failed,
            format!(
                "another commit than {} is checked out by now; nothing was changed",
                short(commit)
            ),
        )
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
    let what = format!(
        "there are files that are not committed: target {target} gets commits of {branch} only"
    );
    Failure::new(Kind::Failed, what)
        .details(names.join("\n"))
        .next("git stash --include-untracked, or commit them and open a pull request")
        .err()
}

/// The remote whose branch counts: a fork's own `origin` does not where there is an `upstream`.
fn remote(git: &Git, target: &str, branch: &str) -> anyhow::Result<Remote> {
    let mut remotes = git.remotes()?;
    let named = |name: &str| remotes.iter().position(|remote| remote.name == name);
    let only = (remotes.len() == 1).then_some(0);
    match named("upstream").or_else(|| named("origin")).or(only) {
        Some(index) => Ok(remotes.swap_remove(index)),
        None => Failure::new(
            Kind::Failed,
            format!("no remote says what is on {branch}, which feeds target {target}"),
        )
        .next("git remote add origin https://github.com/OWNER/NAME.git")
        .err(),
    }
}

/// Where the branch is: as the remote says, else as it said when the clone last heard of it.
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
                "{error}; taking {name}/{branch} as this clone last saw it, at {}",
                short(&known)
            ));
            Ok(known)
        }
        None => Err(error),
    }
}
