//! Which commit is deployed: for a target that a branch feeds it must be one of that branch's, without
//! changes beside it.

use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::git::{Git, Remote};
use crate::ui::safe_line;

/// How many changed files are named.
const NAMED: usize = 10;

/// The commit that is checked out, checked against what feeds the target; `None` for a target without a
/// branch and a project without a commit.
///
/// # Errors
/// [`Kind::Failed`] for files that are not committed and a commit that is not on the branch.
pub(super) fn check(context: &Context, target: &str) -> anyhow::Result<Option<String>> {
    let configured = context.config.targets.get(target);
    let Some(branch) = configured.and_then(|configured| configured.branch.as_deref()) else {
        return Ok(Git::open(context).ok().and_then(|git| git.head()));
    };
    let git = Git::open(context)?;
    let Some(head) = git.head() else {
        return Failure::new(Kind::Failed, "there is no commit yet").err();
    };
    no_changes(&git, target, branch)?;
    let remote = remote(&git, target, branch)?;
    let newest = newest(context, &git, &remote, branch)?;
    if !git.contains(&newest, &head) {
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
    Ok(Some(head))
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

/// A commit as people name it.
pub(super) fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}
