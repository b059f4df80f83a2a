//! What is there: the branch, its commits, the remotes, the pull requests it has; and what stands in the
//! way. Reads only; of what is fetched, git keeps the base branch.

mod judge;
mod on_github;
mod pushing;
mod remotes;

use xtask_remote::github::pulls::Pull;
use xtask_remote::github::repositories::Name;

use super::Args;
use super::content;
use super::findings::Findings;
use super::source::Source;
use crate::context::Context;
use crate::error::{self, Failure};
use crate::git::{Change, Changed, Commit, Git, Lease, Login};
use crate::github::{Connection, Home};
use crate::secrets::Scanner;
use crate::ui::safe;
use on_github::OnGitHub;

/// Everything that the plan is made of.
pub(super) struct Survey {
    pub(super) connection: Connection,
    /// Base address of GitHub's pages.
    pub(super) web: String,
    /// The repository that the pull request goes to.
    pub(super) into: Name,
    /// The branch that it goes to.
    pub(super) base: String,
    /// Its newest commit.
    pub(super) base_sha: String,
    /// The branch that is proposed; `None` where one has to be started first.
    pub(super) branch: Option<String>,
    /// The commit that is checked out.
    pub(super) head: String,
    /// Where the branch is pushed to.
    pub(super) source: Source,
    /// What git signs in with, where it has nothing of its own.
    pub(super) login: Option<Login>,
    /// What the branch is called there; `None` as above.
    pub(super) remote_branch: Option<String>,
    /// What must hold for a push; `None` when there is nothing to push.
    pub(super) push: Option<Lease>,
    pub(super) uncommitted: Vec<Change>,
    pub(super) commits: Vec<Commit>,
    pub(super) changes: Vec<Change>,
    /// The open pull request of the branch.
    pub(super) pull: Option<Pull>,
    /// The newest commit of an earlier pull request of the branch that the base has as another commit (squashed,
    /// or rebased): the branch goes on from there.
    pub(super) merged: Option<String>,
    /// Who the token belongs to.
    pub(super) viewer: Option<String>,
    /// What looks for secrets.
    pub(super) scanner: Scanner,
    /// The workflows that will run.
    pub(super) workflows: Vec<String>,
}

/// What is known of this clone before a remote is asked.
struct Here {
    head: String,
    uncommitted: Vec<Change>,
    scanner: Scanner,
}

impl Survey {
    /// `owner:branch`, or the branch alone within one repository.
    pub(super) fn head_label(&self, branch: &str) -> String {
        match self.source.is_fork {
            true => format!("{}:{branch}", self.source.name.owner),
            false => branch.to_owned(),
        }
    }
}

/// Looks at everything. The second is what was found; the first is there unless that stops.
pub(super) fn take(
    context: &Context,
    git: &Git,
    args: &Args,
    scanner: Scanner,
) -> anyhow::Result<(Option<Survey>, Findings)> {
    let mut findings = Findings::default();
    if let Some(what) = scanner.lacks() {
        findings.note(what);
    }
    let uncommitted = git.uncommitted()?;
    local(context, git, args, &scanner, &uncommitted, &mut findings)?;
    let survey = outward(context, git, args, scanner, uncommitted, &mut findings)?;
    Ok((survey, findings))
}

/// What can be said without a remote.
fn local(
    context: &Context,
    git: &Git,
    args: &Args,
    scanner: &Scanner,
    uncommitted: &[Change],
    findings: &mut Findings,
) -> anyhow::Result<()> {
    if let Some((what, next)) = git.under_way()? {
        findings.stop(format!("{what} is under way"), next);
    }
    if uncommitted.is_empty() {
        return Ok(());
    }
    let will_commit = args.commit.is_some() || context.ui.can_ask();
    if will_commit && !git.has_identity() {
        findings.stop(
            "git does not know who you are, and there are changes to commit",
            "git config --global user.name \"YOUR NAME\" && git config --global user.email YOU@EXAMPLE.COM",
        );
    }
    let unmerged: Vec<String> = uncommitted
        .iter()
        .filter(|change| change.how == Changed::Unmerged)
        .map(|change| change.path.clone())
        .collect();
    if !unmerged.is_empty() {
        let what = format!("unresolved conflicts are in {}", listed(&unmerged));
        let next = "resolve each, then git add FILE";
        match will_commit {
            true => findings.stop(what, next),
            false => findings.warn(what, next),
        }
    } else if will_commit {
        content::uncommitted(context, git, scanner, findings, uncommitted)?;
    }
    if !will_commit {
        findings.warn(
            format!(
                "{} not committed: not part of the pull request",
                files_are(uncommitted.len())
            ),
            "--commit MESSAGE commits them all first",
        );
    }
    Ok(())
}

/// What takes a remote. `None` when the way there is missing; then the findings say so.
fn outward(
    context: &Context,
    git: &Git,
    args: &Args,
    scanner: Scanner,
    uncommitted: Vec<Change>,
    findings: &mut Findings,
) -> anyhow::Result<Option<Survey>> {
    let Some(head) = git.head() else {
        findings.stop("there is no commit yet", "git add --all && git commit");
        return Ok(None);
    };
    let home = match Home::find(context, git, args.repo.as_deref()) {
        Ok(home) => home,
        Err(error) => {
            let report = error::report(&error);
            findings.stop(report.what, report.next.join("; "));
            return Ok(None);
        }
    };
    let connection = home.connect(context, git)?;
    let Some(github) = OnGitHub::open(context, git, args, &home, connection, findings)? else {
        return Ok(None);
    };
    let here = Here {
        head,
        uncommitted,
        scanner,
    };
    github.survey(context, git, args, here, findings)
}

/// `1 file is`, `2 files are`.
pub(super) fn files_are(count: usize) -> String {
    match count {
        1 => "1 file is".to_owned(),
        count => format!("{count} files are"),
    }
}

/// The first of some names, and how many more there are.
pub(super) fn listed(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<_> = names.iter().take(SHOWN).map(|name| safe(name)).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

pub(super) use crate::words::short;

/// The error for what cannot be, once everything that stops was said.
pub(super) fn nothing() -> anyhow::Error {
    Failure::failed("the pull request cannot be opened").into()
}
