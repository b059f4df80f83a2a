//! What takes GitHub and the remote: the repository, where the branch is pushed to, its pull request, its
//! base, and what must hold for the push.

use xtask_remote::github::pulls::{self, Pull};
use xtask_remote::github::repositories::{self, Name, Repository};

use super::{Here, Survey, remotes};
use crate::commands::open_pr::Args;
use crate::commands::open_pr::findings::Findings;
use crate::commands::open_pr::source::{self, Source};
use crate::commands::open_pr::workflows;
use crate::context::Context;
use crate::error;
use crate::git::{Git, Login};
use crate::github::{self, Connection, Head, Home};

/// GitHub, and what it says about the repository.
pub(super) struct OnGitHub<'a> {
    pub(super) home: &'a Home,
    pub(super) connection: Connection,
    repository: Option<Repository>,
    viewer: Option<String>,
    into: Name,
    head: Head,
    pub(super) source: Source,
    pub(super) login: Option<Login>,
}

impl<'a> OnGitHub<'a> {
    /// Opens it; `None` with findings where that cannot be.
    pub(super) fn open(
        context: &Context,
        git: &Git,
        args: &Args,
        home: &'a Home,
        connection: Connection,
        findings: &mut Findings,
    ) -> anyhow::Result<Option<OnGitHub<'a>>> {
        let host = home.address.host();
        let (repository, viewer) = match &connection.token {
            None => {
                findings.warn(
                    format!("no token for {host}: a page to fill in takes the place of the API"),
                    format!(
                        "gh auth login --hostname {host}, or set {}",
                        github::token_variable(&home.address)
                    ),
                );
                (None, None)
            }
            Some(token) => {
                let asked = github::repository(&connection, home);
                match asked.map(|found| (found, repositories::viewer(&connection.github).ok())) {
                    Ok((found, viewer)) => (Some(found), viewer.map(|viewer| viewer.login)),
                    Err(error) if error.status() == Some(401) => {
                        return Err(github::not_accepted(home, token).into());
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
        let usual_base = repository
            .as_ref()
            .map(|found| found.default_branch.as_str());
        let configured = context.config.github.base.as_deref();
        let base = configured.or(usual_base).unwrap_or("main");
        let head = Head::of(context, git, home, &git.branch().unwrap_or_default(), base);
        let asked = args.remote.as_deref();
        let source = match &repository {
            Some(repository) => source::choose(
                context,
                &connection,
                home,
                &head.places,
                repository,
                asked,
                findings,
            )?,
            None => source::without_token(home, &head.places, asked, findings),
        };
        let Some(source) = source else {
            return Ok(None);
        };
        remotes::judge(git, &connection, &head, &source, findings)?;
        let login = connection
            .token
            .as_ref()
            .and_then(|token| token.login(git, &home.address, &source.name));
        git.lend(login.as_ref());
        Ok(Some(OnGitHub {
            home,
            connection,
            repository,
            viewer,
            into,
            head,
            source,
            login,
        }))
    }

    /// Looks at the branch, its pull request and its commits.
    pub(super) fn survey(
        self,
        context: &Context,
        git: &Git,
        args: &Args,
        here: Here,
        findings: &mut Findings,
    ) -> anyhow::Result<Option<Survey>> {
        let Here {
            head,
            uncommitted,
            scanner,
        } = here;
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
            .filter(|branch| context.config.target_of(branch).is_none())
            .filter(|_| args.branch.is_none() || args.branch == current);
        let remote_branch = branch
            .as_ref()
            .map(|_| self.head.name_at(&self.source.remote).to_owned());
        let (pull, merged) = self.pull(remote_branch.as_deref(), &head, findings)?;
        let base = args
            .base
            .clone()
            .or_else(|| pull.as_ref().map(|pull| pull.base.branch.clone()))
            .unwrap_or(usual_base);
        let Some(base_sha) = self.base_sha(git, &base, findings)? else {
            return Ok(None);
        };
        if git.is_cut_off(&base_sha, &head)? {
            findings.stop(
                "this clone is shallow: where the branch and its base part lies before its first commit",
                format!("git fetch --unshallow {}", self.source.remote),
            );
            return Ok(None);
        }
        let push = self.push(
            git,
            remote_branch.as_deref(),
            branch.as_deref(),
            &head,
            findings,
        )?;
        let commits = git.commits(&base_sha, &head)?;
        let changes = git.changes(&base_sha, &head)?;
        let merged =
            merged.filter(|merged| git.contains(&head, merged) && !git.contains(&base_sha, merged));
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
            merged,
            viewer: self.viewer,
            scanner,
        };
        survey.judge(context, git, args, current.as_deref(), findings)?;
        Ok(Some(survey))
    }

    /// The branch that pull requests go to by default.
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

    /// The open pull request of the branch; without one, the newest commit of the one that was merged. Of those
    /// that are not open any more a word is said.
    fn pull(
        &self,
        branch: Option<&str>,
        head: &str,
        findings: &mut Findings,
    ) -> anyhow::Result<(Option<Pull>, Option<String>)> {
        let (Some(branch), Some(_)) = (branch, &self.connection.token) else {
            return Ok((None, None));
        };
        let github = &self.connection.github;
        let all = pulls::of_branch(github, &self.into, &self.source.name, branch)?;
        if let Some(open) = all.iter().find(|pull| pull.is_open()) {
            return Ok((Some(open.clone()), None));
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
            return Ok((None, Some(merged.head.sha.clone())));
        }
        if let Some(closed) = all.first() {
            findings.note(format!(
                "pull request {} of this branch was closed without a merge; a new one is opened",
                closed.number
            ));
        }
        Ok((None, None))
    }

    /// Where the base is now; by what the clone has where it cannot be fetched.
    fn base_sha(
        &self,
        git: &Git,
        base: &str,
        findings: &mut Findings,
    ) -> anyhow::Result<Option<String>> {
        let remote = self.connection.place_of(self.home, &self.into);
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
}

pub(super) fn new_token(home: &Home) -> String {
    format!(
        "make one at {}/settings/tokens that may write contents and pull requests, and set {}; or: gh auth login",
        home.address.web(),
        github::token_variable(&home.address)
    )
}
