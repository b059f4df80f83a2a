//! What takes GitHub and the remote: the repository, where the branch is pushed to, its pull request, its
//! base, and what must hold for the push.

use xtask_remote::github::pulls::{self, Pull};
use xtask_remote::github::repositories::{self, Name, Repository};

use super::Survey;
use crate::commands::open_pr::Args;
use crate::commands::open_pr::findings::Findings;
use crate::commands::open_pr::source::{self, Source};
use crate::commands::open_pr::workflows;
use crate::context::Context;
use crate::error;
use crate::git::{Change, Git, Lease, Login};
use crate::github::{self, Connection, Home};

/// GitHub, and what it says about the repository.
pub(super) struct Gate<'a> {
    home: &'a Home,
    connection: Connection,
    repository: Option<Repository>,
    viewer: Option<String>,
    into: Name,
    source: Source,
    login: Option<Login>,
}

impl<'a> Gate<'a> {
    /// Opens it; `None` with findings where that cannot be.
    ///
    /// # Errors
    /// What GitHub says, where it is no finding.
    pub(super) fn open(
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

    /// Looks at the branch, its pull request and its commits.
    ///
    /// # Errors
    /// What git or GitHub fail with.
    pub(super) fn survey(
        self,
        context: &Context,
        git: &Git,
        args: &Args,
        head: String,
        uncommitted: Vec<Change>,
        findings: &mut Findings,
    ) -> anyhow::Result<Option<Survey>> {
        let usual_base = match self.usual_base(context, git) {
            Ok(usual_base) => usual_base,
            Err(error) => {
                let report = error::report(&error);
                let said = report.details.unwrap_or_default();
                findings.stop(
                    format!("{}: {said}", report.what),
                    "sign git in, or give a token as said above",
                );
                return Ok(None);
            }
        };
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
            return Ok(Some(Lease::New));
        };
        let remote = &self.source.remote;
        let there = git.remote_head(remote, remote_branch, self.login.as_ref())?;
        let Some(there) = there else {
            return Ok(Some(Lease::New));
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
