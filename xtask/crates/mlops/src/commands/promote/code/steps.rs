//! What is done, step by step. The plan shows these very steps, and they are what is executed.

use std::cell::Cell;

use xtask_remote::github::pulls::{self, Change, New, Pull};

use super::proposal::Proposal;
use super::survey::Survey;
use crate::context::Context;
use crate::error::{self, Failure};
use crate::git::{Brings, Git, Lease, Push};
use crate::pull_request::block;
use crate::pull_request::opening::Opening;
use crate::secrets::{self, Scanner};
use crate::steps::Steps;
use crate::ui::safe_line;
use crate::words::short;

/// What is offered to the release branch.
pub(super) struct Offer<'a> {
    pub(super) survey: &'a Survey,
    pub(super) proposal: &'a Proposal,
    /// The title of a new pull request; one that is there keeps its own.
    pub(super) title: String,
    /// Our part of its description.
    pub(super) notes: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Begins the release branch.
    Start(String),
    /// Pushes the branch that is proposed.
    Push(Lease),
    /// Opens the pull request.
    Open,
    /// Renews our part of its description.
    Describe(u64),
    /// Closes one that it takes the place of.
    Close(u64),
    /// Merges it, once its checks have passed and it is approved: [`Command::towards_a_merge`](super::Command).
    Merge,
}

impl Offer<'_> {
    /// The steps that lead from what is there to what is offered, and into the release branch where that is asked for.
    pub(super) fn steps(&self, merge: bool) -> Steps<Step> {
        let proposal = self.proposal;
        let mut steps: Vec<Step> = proposal.start.iter().cloned().map(Step::Start).collect();
        steps.extend(proposal.push.iter().cloned().map(Step::Push));
        match &proposal.pull {
            None => steps.push(Step::Open),
            Some(pull) if self.body(pull) != pull.body.clone().unwrap_or_default() => {
                steps.push(Step::Describe(pull.number));
            }
            Some(_) => {}
        }
        let replaced = proposal.replaces.iter();
        steps.extend(replaced.map(|pull| Step::Close(pull.number)));
        steps.extend(merge.then_some(Step::Merge));
        Steps::new(steps, |step| self.describe(step))
    }

    /// What a step does, for the plan.
    fn describe(&self, step: &Step) -> String {
        let Proposal { branch, head, .. } = self.proposal;
        let (into, release) = (&self.survey.upstream.into, &self.survey.route.release);
        match step {
            Step::Start(sha) => format!(
                "begin the branch {release} of {into} without files ({}): that deploys nothing",
                short(sha)
            ),
            Step::Push(Lease::Rewrites(at)) => format!(
                "push {} to {branch}, in place of {}{}",
                short(head),
                short(at),
                self.if_unmoved()
            ),
            Step::Push(_) => format!(
                "push {} to a new branch {branch}{}",
                short(head),
                self.if_unmoved()
            ),
            Step::Open => format!("open a pull request from {branch} into {release}"),
            Step::Describe(number) => {
                format!("renew the notes in the description of pull request {number}")
            }
            Step::Close(number) => {
                format!("close pull request {number}, which this one replaces")
            }
            Step::Merge => format!(
                "merge it into {release} by a merge commit, once its checks pass and it is approved"
            ),
        }
    }

    fn if_unmoved(&self) -> String {
        match self.unmoved() {
            Some((release, sha)) => format!(", if {release} is at {}", short(&sha)),
            None => String::new(),
        }
    }

    /// Where the release branch must be for a push.
    fn unmoved(&self) -> Option<(String, String)> {
        let start = self.proposal.start.clone();
        let release = self.survey.release.as_ref();
        let at = release.map(|release| release.head.sha.clone()).or(start)?;
        Some((self.survey.route.release.clone(), at))
    }

    /// The description of a pull request that is there: a person's words stay, and so does one without our
    /// marks.
    fn body(&self, pull: &Pull) -> String {
        block::renewed(pull.body.as_deref().unwrap_or_default(), &self.notes)
    }

    /// Executes the steps; the pull request that is there afterwards.
    /// Called again after a failure, it goes on from what is there.
    pub(super) fn apply(
        &self,
        context: &Context,
        git: &Git,
        steps: &Steps<Step>,
    ) -> anyhow::Result<Pull> {
        let upstream = &self.survey.upstream;
        let github = &upstream.connection.github;
        let mut pull = self.proposal.pull.clone();
        steps.apply(context, |step| {
            match step {
                Step::Start(sha) => {
                    let branch = &self.survey.route.release;
                    self.push(context, git, branch, sha, &Lease::New, None)?;
                }
                Step::Push(lease) => {
                    let Proposal { branch, head, .. } = self.proposal;
                    self.push(context, git, branch, head, lease, self.unmoved())?;
                }
                Step::Open => pull = Some(self.open(context)?),
                Step::Describe(number) => {
                    let body = pull.as_ref().map(|pull| self.body(pull));
                    let change = Change {
                        body: body.as_deref(),
                        ..Change::default()
                    };
                    pull = Some(pulls::change(github, &upstream.into, *number, &change)?);
                }
                Step::Close(number) => {
                    let change = Change {
                        state: Some("closed"),
                        ..Change::default()
                    };
                    pulls::change(github, &upstream.into, *number, &change)?;
                }
                Step::Merge => {}
            }
            Ok(())
        })?;
        pull.ok_or_else(|| Failure::service("there is no pull request").into())
    }

    fn push(
        &self,
        context: &Context,
        git: &Git,
        branch: &str,
        sha: &str,
        lease: &Lease,
        unmoved: Option<(String, String)>,
    ) -> anyhow::Result<()> {
        let upstream = &self.survey.upstream;
        let push = Push {
            remote: upstream.remote.clone(),
            sha: sha.to_owned(),
            branch: branch.to_owned(),
            lease: lease.clone(),
            unmoved,
            known: self.known(),
        };
        let scanner = Scanner::ready(context, false)?;
        let what = format!("{} to {}", safe_line(branch), upstream.into);
        let progress = context.ui.progress("Pushing", &what);
        let refused = Cell::new(false);
        let search = |brings: &Brings| {
            let searched = secrets::refuse(context, git, &scanner, brings, sha);
            refused.set(searched.is_err());
            searched
        };
        if let Err(error) = git.push(&push, upstream.login.as_ref(), search) {
            progress.clear();
            context.interrupt.check()?;
            return match refused.get() {
                true => Err(error),
                false => Err(not_pushed(&error)),
            };
        }
        progress.finish("Pushed", &what);
        Ok(())
    }

    /// Commits that the remote has.
    fn known(&self) -> Vec<String> {
        let release = self.survey.release.as_ref();
        let release = release.map(|release| release.head.sha.clone());
        let mut known = vec![self.survey.main.sha.clone(), self.proposal.files_of.clone()];
        known.extend(release);
        known
    }

    /// What stands above our part from the start: which ones it takes the place of, and what people wrote
    /// into those.
    fn first_words(&self) -> String {
        let replaced = &self.proposal.replaces;
        let Some(first) = replaced.first() else {
            return String::new();
        };
        let numbers: Vec<String> = replaced
            .iter()
            .map(|pull| format!("#{}", pull.number))
            .collect();
        let theirs = block::joined(first.body.as_deref().unwrap_or_default(), "");
        let line = format!("Takes the place of {}.", numbers.join(", "));
        format!("{line}\n\n{theirs}").trim_end().to_owned()
    }

    fn open(&self, context: &Context) -> anyhow::Result<Pull> {
        let upstream = &self.survey.upstream;
        let release = &self.survey.route.release;
        let body = block::joined(&self.first_words(), &self.notes);
        let opening = Opening {
            context,
            github: &upstream.connection.github,
            into: &upstream.into,
            from: &upstream.into,
            branch: &self.proposal.branch,
            new: New {
                title: &self.title,
                body: &body,
                head: &self.proposal.branch,
                head_repo: None,
                base: release,
                draft: false,
                maintainer_can_modify: false,
            },
            keeping: Some(&self.notes),
            refused: &|error| {
                Failure::service("the pull request was not opened")
                    .details(safe_line(&error.to_string()))
                    .next("run it again: it continues from what is there")
                    .into()
            },
        };
        opening.open(|pull| pull.base.branch == *release)
    }
}

/// Another call may have done the same at this moment: the next one sees it.
fn not_pushed(error: &anyhow::Error) -> anyhow::Error {
    let report = error::report(error);
    Failure::failed(report.what)
        .details(report.details.unwrap_or_default())
        .next("run it again: it looks first")
        .into()
}
