//! Which branch is proposed. Normally main itself. Where a merge of it would give the release branch other
//! files than main has (an undo stands on it, or it is only now begun), a branch of ours, with main's files
//! as they are.

use xtask_remote::github::pulls::{self, Pull};
use xtask_remote::github::repositories::Name;

use super::survey::Survey;
use super::trailers;
use crate::error::Failure;
use crate::git::{Git, Lease, Made, NewCommit};
use crate::github::Upstream;
use crate::ui::safe_line;
use crate::words::short;

/// What is proposed.
#[derive(Debug, Clone)]
pub(super) struct Proposal {
    pub(super) branch: String,
    /// Its newest commit, as it is to be.
    pub(super) head: String,
    /// The files that the release branch has after the merge.
    pub(super) tree: String,
    /// The commit that has those files already.
    pub(super) files_of: String,
    /// What must hold for a push of it; `None` where nothing is pushed.
    pub(super) push: Option<Lease>,
    /// The commit with which the release branch is begun, where there is none.
    pub(super) start: Option<String>,
    /// The open pull request of the branch.
    pub(super) pull: Option<Pull>,
    /// Other open pull requests for the same purpose, which this one takes the place of.
    pub(super) replaces: Vec<Pull>,
    /// Open pull requests for the contrary purpose.
    pub(super) against: Vec<Pull>,
}

impl Proposal {
    /// The proposal that brings main's files.
    pub(super) fn of_main(git: &Git, survey: &Survey) -> anyhow::Result<Proposal> {
        let (upstream, route) = (&survey.upstream, &survey.route);
        let ours = format!("promote-{}-to-{}", route.main, route.release);
        let mut open = Open::into(upstream, &route.release)?;
        let plain = open.take(|branch| branch == route.main).pop();
        let own = open.take(|branch| branch == ours).pop();
        let against = open.take(|branch| is_undo(branch, &route.release));
        let start = match &survey.release {
            Some(_) => None,
            None => Some(start(git, survey)?),
        };
        let onto = survey.release.as_ref().map(|release| &release.head.sha);
        let onto = onto.or(start.as_ref()).map(String::as_str);
        let onto = onto.unwrap_or_default();
        let merged = git.merged_tree(onto, &survey.main.sha)?;
        if own.is_none() && merged.as_ref() == Some(&survey.main.tree) {
            return Ok(Proposal {
                branch: route.main.clone(),
                head: survey.main.sha.clone(),
                tree: survey.main.tree.clone(),
                files_of: survey.main.sha.clone(),
                push: None,
                start,
                pull: plain,
                replaces: Vec::new(),
                against,
            });
        }
        let commit = NewCommit {
            tree: &survey.main.tree,
            parents: &[&survey.main.sha, onto],
            message: &trailers::promote_message(&route.main, &route.release, &survey.main.sha),
            at: git.made_at(&survey.main.sha)?.max(git.made_at(onto)?),
        };
        let (head, push) = on_a_branch(git, upstream, &ours, commit)?;
        Ok(Proposal {
            branch: ours,
            head,
            tree: survey.main.tree.clone(),
            files_of: survey.main.sha.clone(),
            push,
            start,
            pull: own,
            replaces: plain.into_iter().collect(),
            against,
        })
    }

    /// The proposal that brings the files of an earlier release back.
    pub(super) fn of_undo(
        git: &Git,
        survey: &Survey,
        head: &Made,
        back_to: &Made,
    ) -> anyhow::Result<Proposal> {
        let (upstream, release) = (&survey.upstream, &survey.route.release);
        let branch = format!("undo-{release}-{}", short(&head.sha));
        let commit = NewCommit {
            tree: &back_to.tree,
            parents: &[&head.sha],
            message: &trailers::undo_message(release, &head.sha, &back_to.sha),
            at: git.made_at(&head.sha)?,
        };
        let (head, push) = on_a_branch(git, upstream, &branch, commit)?;
        let mut open = Open::into(upstream, release)?;
        let main = &survey.route.main;
        let forward = format!("promote-{main}-to-{release}");
        Ok(Proposal {
            pull: open.take(|name| name == branch).pop(),
            replaces: open.take(|name| is_undo(name, release)),
            against: open.take(|name| name == main || name == forward),
            branch,
            head,
            tree: back_to.tree.clone(),
            files_of: back_to.sha.clone(),
            push,
            start: None,
        })
    }
}

/// The commit with which a release branch begins: without files, so that nothing is deployed before the
/// first pull request is merged.
fn start(git: &Git, survey: &Survey) -> anyhow::Result<String> {
    let (release, main) = (&survey.route.release, &survey.route.main);
    git.make_commit(NewCommit {
        tree: &git.empty_tree()?,
        parents: &[],
        message: &trailers::start_message(release, main),
        at: git.made_at(&survey.main.sha)?,
    })
}

/// Where a branch of proposals is to be, and what must hold for its push. One that has the same files on the
/// same parents already is as good as ours: a signature with a time in it is another one each time. One that
/// holds a person's own commits is not touched.
fn on_a_branch(
    git: &Git,
    upstream: &Upstream,
    branch: &str,
    new: NewCommit<'_>,
) -> anyhow::Result<(String, Option<Lease>)> {
    let Some(there) = upstream.fetch(git, branch)? else {
        return Ok((git.make_commit(new)?, Some(Lease::New)));
    };
    let theirs = git.made(&there)?;
    if new.tree == theirs.tree
        && new.parents == theirs.parents
        && new.message.trim() == theirs.message
    {
        return Ok((there, None));
    }
    if trailers::is_proposal(&theirs) {
        return Ok((git.make_commit(new)?, Some(Lease::Rewrites(there))));
    }
    let name = safe_line(branch);
    Failure::failed(format!(
        "the branch {name} of {} holds a commit that is none of ours: {} {}",
        upstream.into,
        short(&there),
        safe_line(theirs.subject())
    ))
    .next(format!(
        "rename it, or delete it: git push {} --delete {name}",
        upstream.remote
    ))
    .err()
}

fn is_undo(branch: &str, release: &str) -> bool {
    branch.starts_with(&format!("undo-{release}-"))
}

/// The open pull requests into the release branch from branches of the same repository.
struct Open(Vec<Pull>);

impl Open {
    fn into(upstream: &Upstream, release: &str) -> anyhow::Result<Open> {
        let mut found = pulls::open_into(&upstream.connection.github, &upstream.into, release)?;
        // A fork's branch of the same name is another one.
        found.retain(|pull| {
            let repository = pull.head.repo.as_ref();
            let name = repository.and_then(|repository| Name::parse(&repository.full_name));
            name.is_some_and(|name| name.is(&upstream.into))
        });
        Ok(Open(found))
    }

    /// Takes out those of some branches.
    fn take(&mut self, is_one: impl Fn(&str) -> bool) -> Vec<Pull> {
        let all = std::mem::take(&mut self.0);
        let (taken, left) = all.into_iter().partition(|pull| is_one(&pull.head.branch));
        self.0 = left;
        taken
    }
}
