//! What is there: the branch, its commits, the remotes, the pull requests it has; and what stands in the
//! way. Reads only; of what is fetched, git keeps the base branch.

use xtask_remote::github::pulls::{self, Pull};
use xtask_remote::github::repositories::{self, Name, Repository};

use super::Args;
use super::content;
use super::findings::Findings;
use super::source::{self, Source};
use super::workflows;
use crate::context::Context;
use crate::error::{self, Failure, Kind};
use crate::git::{Change, Commit, Git, Lease, Login};
use crate::github::{self, Connection, Home};
use crate::ui::safe;

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
    /// Who the token belongs to.
    pub(super) viewer: Option<String>,
    /// The workflows that will run.
    pub(super) workflows: Vec<String>,
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
///
/// # Errors
/// What git or GitHub fail with.
pub(super) fn take(
    context: &Context,
    git: &Git,
    args: &Args,
) -> anyhow::Result<(Option<Survey>, Findings)> {
    let mut findings = Findings::default();
    let uncommitted = git.uncommitted()?;
    local(context, git, args, &uncommitted, &mut findings)?;
    let survey = outward(context, git, args, uncommitted, &mut findings)?;
    Ok((survey, findings))
}

/// What can be said without a remote.
fn local(
    context: &Context,
    git: &Git,
    args: &Args,
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
    if will_commit && !args.allow_secrets {
        content::uncommitted(context, git, findings, uncommitted)?;
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
    let Some(gate) = Gate::open(context, git, args, &home, connection, findings)? else {
        return Ok(None);
    };
    gate.survey(context, git, args, head, uncommitted, findings)
}

/// GitHub, and what it says about the repository.
struct Gate<'a> {
    home: &'a Home,
    connection: Connection,
    repository: Option<Repository>,
    viewer: Option<String>,
    into: Name,
    source: Source,
    login: Option<Login>,
}

impl<'a> Gate<'a> {
    fn open(
        context: &Context,
        git: &Git,
        args: &Args,
        home: &'a Home,
        connection: Connection,
        findings: &mut Findings,
    ) -> anyhow::Result<Option<Gate<'a>>> {
        let host = home.address.host();
        let (repository, viewer) = match &connection.token {
            None => {
                findings.warn(
                    format!("no token for {host}: a page to fill in takes the place of the API"),
                    format!(
                        "gh auth login --hostname {host}, or set {}",
                        token_variable(home)
                    ),
                );
                (None, None)
            }
            Some(token) => {
                let asked = github::repository(&connection, home);
                match asked.map(|found| (found, repositories::viewer(&connection.github).ok())) {
                    Ok((found, viewer)) => (Some(found), viewer.map(|viewer| viewer.login)),
                    Err(error) if error.status() == Some(401) => {
                        let what =
                            format!("{host} does not accept the token from {}", token.source);
                        findings.stop(what, new_token(home));
                        return Ok(None);
                    }
                    Err(error) if error.is_not_found() => {
                        let what = format!(
                            "{host} has no repository {}, or the token from {} may not see it",
                            home.name, token.source
                        );
                        findings.stop(what, new_token(home));
                        return Ok(None);
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        };
        let into = repository
            .as_ref()
            .and_then(Repository::name)
            .unwrap_or_else(|| home.name.clone());
        let source = match &repository {
            Some(repository) => source::choose(
                context,
                git,
                &connection,
                home,
                repository,
                args.remote.as_deref(),
                findings,
            )?,
            None => source::without_token(git, home, args.remote.as_deref(), findings),
        };
        let Some(source) = source else {
            return Ok(None);
        };
        let login = connection
            .token
            .as_ref()
            .and_then(|token| token.login(git, &home.address, &source.name));
        Ok(Some(Gate {
            home,
            connection,
            repository,
            viewer,
            into,
            source,
            login,
        }))
    }

    fn survey(
        self,
        context: &Context,
        git: &Git,
        args: &Args,
        head: String,
        uncommitted: Vec<Change>,
        findings: &mut Findings,
    ) -> anyhow::Result<Option<Survey>> {
        let usual_base = self.usual_base(context, git)?;
        let current = git.branch();
        let branch = current
            .clone()
            .filter(|branch| *branch != usual_base && args.base.as_ref() != Some(branch))
            .filter(|_| args.branch.is_none() || args.branch == current);
        let remote_branch = branch.as_deref().map(|branch| match git.tracked(branch) {
            Some((remote, name)) if remote == self.source.remote && name != usual_base => name,
            _ => branch.to_owned(),
        });
        let pull = self.pull(remote_branch.as_deref(), &head, findings)?;
        let base = args
            .base
            .clone()
            .or_else(|| pull.as_ref().map(|pull| pull.base.branch.clone()))
            .unwrap_or(usual_base);
        let Some(base_sha) = self.base_sha(git, &base, findings)? else {
            return Ok(None);
        };
        let push = self.push(
            git,
            remote_branch.as_deref(),
            branch.as_deref(),
            &head,
            findings,
        )?;
        let commits = git.commits(&base_sha, &head)?;
        let changes = git.changes(&base_sha, &head)?;
        let survey = Survey {
            web: self.home.address.web().to_owned(),
            workflows: workflows::started(git, &head, &base),
            connection: self.connection,
            into: self.into,
            base,
            base_sha,
            branch,
            head,
            source: self.source,
            login: self.login,
            remote_branch,
            push,
            uncommitted,
            commits,
            changes,
            pull,
            viewer: self.viewer,
        };
        survey.judge(context, git, args, current.as_deref(), findings)?;
        Ok(Some(survey))
    }

    /// The branch that pull requests go to when nobody says another.
    fn usual_base(&self, context: &Context, git: &Git) -> anyhow::Result<String> {
        if let Some(base) = &context.config.github.base {
            return Ok(base.clone());
        }
        if let Some(repository) = &self.repository {
            return Ok(repository.default_branch.clone());
        }
        Ok(git
            .default_branch(&self.source.remote, self.login.as_ref())?
            .unwrap_or_else(|| "main".to_owned()))
    }

    /// The open pull request of the branch. Of those that are not open any more a word is said.
    fn pull(
        &self,
        branch: Option<&str>,
        head: &str,
        findings: &mut Findings,
    ) -> anyhow::Result<Option<Pull>> {
        let (Some(branch), Some(_)) = (branch, &self.connection.token) else {
            return Ok(None);
        };
        let github = &self.connection.github;
        let all = pulls::of_branch(github, &self.into, &self.source.name, branch)?;
        if let Some(open) = all.iter().find(|pull| pull.is_open()) {
            return Ok(Some(open.clone()));
        }
        if let Some(merged) = all.iter().find(|pull| pull.is_merged()) {
            let number = merged.number;
            match merged.head.sha == head {
                true => findings.stop(
                    format!("the branch was merged already, by pull request {number}"),
                    "git switch --create NEW-BRANCH for what comes next",
                ),
                false => findings.note(format!(
                    "pull request {number} of this branch was merged; a new one is opened"
                )),
            }
        } else if let Some(closed) = all.first() {
            findings.note(format!(
                "pull request {} of this branch was closed without a merge; a new one is opened",
                closed.number
            ));
        }
        Ok(None)
    }

    /// Where the base is now; by what the clone has where it cannot be fetched.
    fn base_sha(
        &self,
        git: &Git,
        base: &str,
        findings: &mut Findings,
    ) -> anyhow::Result<Option<String>> {
        let remote = self.home.remote_of(&self.into);
        let from = match remote {
            Some(place) => place.remote.clone(),
            None => format!("{}/{}.git", self.home.address.web(), self.into),
        };
        match git.fetch(&from, base, self.login.as_ref()) {
            Ok(sha) => Ok(Some(sha)),
            Err(error) => {
                let known = remote.and_then(|place| {
                    git.resolve(&format!("refs/remotes/{}/{base}", place.remote))
                });
                let report = error::report(&error);
                let said = report.details.unwrap_or_default();
                let reason = said.lines().last().unwrap_or(&report.what).to_owned();
                match known {
                    Some(sha) => {
                        findings.warn(
                            format!("{base} could not be fetched ({reason}); its last known state counts"),
                            format!("git fetch {from} {base}"),
                        );
                        Ok(Some(sha))
                    }
                    None => {
                        findings.stop(
                            format!(
                                "{} has no branch {base}, or it cannot be fetched ({reason})",
                                self.into
                            ),
                            "--base BRANCH names another one",
                        );
                        Ok(None)
                    }
                }
            }
        }
    }

    /// What must hold for a push.
    fn push(
        &self,
        git: &Git,
        remote_branch: Option<&str>,
        branch: Option<&str>,
        head: &str,
        findings: &mut Findings,
    ) -> anyhow::Result<Option<Lease>> {
        let (Some(remote_branch), Some(branch)) = (remote_branch, branch) else {
            return Ok(Some(Lease::Grows));
        };
        let remote = &self.source.remote;
        let there = git.remote_head(remote, remote_branch, self.login.as_ref())?;
        let Some(there) = there else {
            return Ok(Some(Lease::Grows));
        };
        if there == head {
            return Ok(None);
        }
        if git.resolve(&there).is_some() && git.contains(head, &there) {
            return Ok(Some(Lease::Grows));
        }
        if git.was_at(branch, &there) {
            findings.note(format!(
                "{branch} was rewritten since it was pushed: it replaces the one on {remote}, \
                 if that is still at {}",
                &there[..there.len().min(8)]
            ));
            return Ok(Some(Lease::Rewrites(there)));
        }
        findings.stop(
            format!("{remote_branch} on {remote} has commits that you do not have"),
            format!("git pull --rebase {remote} {remote_branch}"),
        );
        Ok(Some(Lease::Grows))
    }
}

impl Survey {
    /// What is worth a word about the commits.
    fn judge(
        &self,
        context: &Context,
        git: &Git,
        args: &Args,
        current: Option<&str>,
        findings: &mut Findings,
    ) -> anyhow::Result<()> {
        let (into, base) = (&self.into, &self.base);
        if self.branch.is_none() && args.branch.is_none() {
            findings.note(match current {
                Some(current) => format!("{current} is the branch that pull requests go to: yours gets a branch of its own"),
                None => "no branch is checked out (detached head): the commits get a branch of their own".to_owned(),
            });
        }
        let can_commit = args.commit.is_some() || context.ui.can_ask();
        if self.commits.is_empty() && self.pull.is_none() {
            match (self.uncommitted.is_empty(), can_commit) {
                (true, _) => findings.stop(
                    format!(
                        "there is nothing to propose: everything is in {base} of {into} already"
                    ),
                    "change something and commit it",
                ),
                (false, false) => findings.stop(
                    "there is nothing to propose yet: the changes are not committed",
                    "cargo xtask open-pr --commit MESSAGE",
                ),
                (false, true) => {}
            }
        }
        let (_, behind) = git.ahead_behind(&self.base_sha, &self.head)?;
        match git.conflicts(&self.base_sha, &self.head)? {
            Some(files) if !files.is_empty() => findings.warn(
                format!("it conflicts with {base} in {}", listed(&files)),
                format!("git fetch && git rebase {}", short(&self.base_sha)),
            ),
            _ if behind > 0 => findings.note(format!(
                "the branch is {behind} {} behind {base}",
                if behind == 1 { "commit" } else { "commits" }
            )),
            _ => {}
        }
        if !args.allow_secrets {
            content::committed(git, findings, &self.base_sha, &self.head, &self.changes)?;
        }
        if self.source.is_fork {
            findings.note(self.fork_runs());
        }
        if self.pull.is_none() {
            self.judge_labels(context, args, findings)?;
        }
        Ok(())
    }

    /// What will run for a fork's pull request.
    fn fork_runs(&self) -> String {
        let Source { remote, name, .. } = &self.source;
        let workflows = match self.workflows.as_slice() {
            [] => "no workflow runs for it".to_owned(),
            names => format!(
                "these workflows run for it, without secrets: {}",
                names.join(", ")
            ),
        };
        format!(
            "the branch goes to {name}, a fork (remote {remote}); {workflows}; \
             for a first contribution a maintainer starts them"
        )
    }

    /// GitHub makes labels that are not there, out of every slip.
    fn judge_labels(
        &self,
        context: &Context,
        args: &Args,
        findings: &mut Findings,
    ) -> anyhow::Result<()> {
        let wanted = args.labels(context);
        if wanted.is_empty() || self.connection.token.is_none() {
            return Ok(());
        }
        let known = repositories::labels(&self.connection.github, &self.into)?;
        let is_known = |label: &String| known.iter().any(|one| one.eq_ignore_ascii_case(label));
        for label in wanted.iter().filter(|label| !is_known(label)) {
            findings.stop(
                format!("{} has no label {label}", self.into),
                format!("take one of: {}", known.join(", ")),
            );
        }
        Ok(())
    }
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

pub(super) fn short(sha: &str) -> &str {
    &sha[..sha.len().min(8)]
}

fn token_variable(home: &Home) -> &'static str {
    if home.address.is_cloud() {
        "GH_TOKEN"
    } else {
        "GH_ENTERPRISE_TOKEN"
    }
}

fn new_token(home: &Home) -> String {
    format!(
        "make one at {}/settings/tokens that may write contents and pull requests, and set {}; or: gh auth login",
        home.address.web(),
        token_variable(home)
    )
}

/// The error for what cannot be, once everything that stops was said.
pub(super) fn nothing() -> anyhow::Error {
    Failure::new(Kind::Failed, "the pull request cannot be opened").into()
}
