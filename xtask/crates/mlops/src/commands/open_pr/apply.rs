//! Executes the steps of the plan, one after the other.

use xtask_remote::Error;
use xtask_remote::github::pulls::{self, Change, New, Pull};

use super::ask::Choices;
use super::steps::Step;
use super::summary::{self, Subject};
use super::survey::{Survey, short};
use super::text::Text;
use super::{Args, ask, saved_text};
use crate::context::Context;
use crate::error::Failure;
use crate::git::{Git, Lease, Push};
use crate::pull_request::block;
use crate::pull_request::opening::Opening;
use crate::secrets;
use crate::steps::Steps;
use crate::ui::safe_line;

/// What the steps made.
#[derive(Debug, Default)]
pub(super) struct Made {
    /// The pull request.
    pub(super) pull: Option<Pull>,
    /// The commit that was proposed.
    pub(super) head: String,
    /// Whether the pull request is new.
    pub(super) opened: bool,
    /// Title and description, where a hook changed the message that they were made of.
    pub(super) reworded: Option<Text>,
    /// What could not be done although the pull request is there.
    pub(super) left: Vec<String>,
}

/// Executes the steps.
/// What was typed is kept when a step fails that others depend on.
pub(super) fn apply(
    context: &Context,
    git: &Git,
    args: &Args,
    survey: &Survey,
    choices: &Choices,
    text: &Text,
    steps: &Steps<Step>,
) -> anyhow::Result<Made> {
    let mut made = Made {
        pull: survey.pull.clone(),
        head: survey.head.clone(),
        ..Made::default()
    };
    if choices.written {
        saved_text::keep(context, &choices.branch, text)?;
    }
    let mut text = text.clone();
    steps.apply(context, |step| {
        let doing = Doing {
            context,
            git,
            args,
            survey,
            choices,
            text: &text,
        };
        doing.step(step, &mut made)?;
        if let Some(reworded) = &made.reworded {
            text.clone_from(reworded);
        }
        Ok(())
    })?;
    saved_text::forget(context, &choices.branch);
    Ok(made)
}

/// What every step is given.
struct Doing<'a> {
    context: &'a Context,
    git: &'a Git,
    args: &'a Args,
    survey: &'a Survey,
    choices: &'a Choices,
    text: &'a Text,
}

impl Doing<'_> {
    fn step(&self, step: &Step, made: &mut Made) -> anyhow::Result<()> {
        let ui = &self.context.ui;
        let github = &self.survey.connection.github;
        let into = &self.survey.into;
        match step {
            Step::StartBranch(name) => {
                let hook = self.git.start_branch(name)?;
                ui.status("Started", &format!("branch {}", safe_line(name)));
                if let Some(said) = hook {
                    ui.warn(&format!(
                        "the post-checkout hook failed: {}",
                        safe_line(&said)
                    ));
                }
            }
            Step::Commit { message, .. } => {
                self.git.commit_everything(message)?;
                made.head = self.git.head().unwrap_or_default();
                ui.status("Committed", short(&made.head));
                made.reworded = self.reworded(&made.head)?;
            }
            Step::Push { branch, lease } => self.push(branch, lease, &made.head)?,
            Step::Open { draft, .. } => {
                let body = self.body(&made.head)?;
                let pull = self.open(*draft, &body)?;
                (made.pull, made.opened) = (Some(pull), true);
            }
            Step::Change {
                number,
                title,
                body,
                base,
            } => {
                let new_body = self.renewed_body(&made.head)?;
                let change = Change {
                    title: title.then_some(self.text.title.as_str()),
                    body: body.then_some(new_body.as_str()),
                    base: base.then_some(self.survey.base.as_str()),
                    state: None,
                };
                made.pull = Some(pulls::change(github, into, *number, &change)?);
            }
            Step::Draft { draft } => {
                if let Some(pull) = &made.pull {
                    match draft {
                        true => pulls::mark_draft(github, &pull.node_id)?,
                        false => pulls::mark_ready(github, &pull.node_id)?,
                    }
                }
            }
            Step::AskReviewers { users, teams } => {
                if let Some(pull) = &made.pull
                    && let Err(error) =
                        pulls::ask_reviewers(github, into, pull.number, users, teams)
                {
                    made.left.push(format!("no review was requested: {error}"));
                }
            }
            Step::Label(labels) => {
                if let Some(pull) = &made.pull
                    && let Err(error) = pulls::add_labels(github, into, pull.number, labels)
                {
                    made.left
                        .push(format!("the labels were not added: {error}"));
                }
            }
        }
        Ok(())
    }

    /// What the commits say now, where title and description were made of them and a hook changed a message.
    fn reworded(&self, head: &str) -> anyhow::Result<Option<Text>> {
        let Doing {
            git,
            args,
            survey,
            choices,
            ..
        } = *self;
        if choices.written || survey.pull.is_some() {
            return Ok(None);
        }
        let commits = git.commits(&survey.base_sha, head)?;
        let text = ask::proposal(git, args, survey, &choices.branch, &commits, None)?;
        if text.title != self.text.title {
            self.context.ui.status("Title", &safe_line(&text.title));
        }
        Ok(Some(text))
    }

    fn push(&self, branch: &str, lease: &Lease, head: &str) -> anyhow::Result<()> {
        refuse_deployed(self.context, &self.survey.base, branch)?;
        let source = &self.survey.source;
        let push = Push {
            remote: source.remote.clone(),
            sha: head.to_owned(),
            branch: branch.to_owned(),
            lease: lease.clone(),
            unmoved: None,
            // What a hook has made of them is new.
            known: vec![self.survey.head.clone()],
        };
        let what = format!("{} to {}", safe_line(branch), source.name);
        let progress = self.context.ui.progress("Pushing", &what);
        let (context, git) = (self.context, self.git);
        git.push(&push, self.survey.login.as_ref(), |brings| {
            secrets::refuse(context, git, &self.survey.scanner, brings, head)
        })?;
        progress.finish("Pushed", &what);
        self.git.track(&self.choices.branch, &source.remote, branch);
        Ok(())
    }

    /// The description with our summary of what is proposed now.
    fn body(&self, head: &str) -> anyhow::Result<String> {
        if self.args.no_summary {
            return Ok(self.text.body.clone());
        }
        let written = written_summary(self.context, self.git, self.survey, head)?;
        Ok(block::joined(&self.text.body, &written))
    }

    /// The description of the one that is open, with a new summary where it has one of ours.
    fn renewed_body(&self, head: &str) -> anyhow::Result<String> {
        if self.args.no_summary || !block::is_in(&self.text.body) {
            return Ok(self.text.body.clone());
        }
        let written = written_summary(self.context, self.git, self.survey, head)?;
        Ok(block::renewed(&self.text.body, &written))
    }

    fn open(&self, draft: bool, body: &str) -> anyhow::Result<Pull> {
        let Survey {
            connection,
            into,
            base,
            source,
            ..
        } = self.survey;
        let branch = self.remote_branch();
        let head = self.survey.head_label(branch);
        let same_owner = source.is_fork && source.name.owner.eq_ignore_ascii_case(&into.owner);
        let own_fork = self.survey.viewer.as_ref().is_some_and(|viewer| {
            source.is_fork && viewer.eq_ignore_ascii_case(&source.name.owner)
        });
        let opening = Opening {
            context: self.context,
            github: &connection.github,
            into,
            from: &source.name,
            branch,
            new: New {
                title: &self.text.title,
                body,
                head: &head,
                head_repo: same_owner.then_some(source.name.name.as_str()),
                base,
                draft,
                maintainer_can_modify: own_fork,
            },
            keeping: None,
            refused: &|error| self.refused(error),
        };
        opening.open(|_| true)
    }

    fn remote_branch(&self) -> &str {
        self.survey
            .remote_branch
            .as_deref()
            .unwrap_or(&self.choices.branch)
    }

    /// Why it was not opened, and what to do.
    fn refused(&self, error: &Error) -> anyhow::Error {
        let said = error.to_string();
        let pushed = "the branch is pushed and your text is kept: run it again to continue";
        let next = match error.status() {
            Some(422) if said.contains("Draft pull requests") => {
                "this repository does not allow drafts: run it again without --draft".to_owned()
            }
            Some(403) => format!(
                "the token from {} may not open pull requests in {}: it needs to write pull requests (classic: scope `repo`)",
                self.survey
                    .connection
                    .token
                    .as_ref()
                    .map(|token| token.source.as_str())
                    .unwrap_or_default(),
                self.survey.into
            ),
            _ => pushed.to_owned(),
        };
        Failure::service("the pull request was not opened")
            .details(said)
            .next(next)
            .into()
    }
}

/// A branch that deploys, or that pull requests go to, gets commits by pull requests alone.
pub(super) fn refuse_deployed(context: &Context, base: &str, branch: &str) -> anyhow::Result<()> {
    let why = match context.config.target_of(branch) {
        Some((target, _)) => format!("pushes to it are deployed to target {target}"),
        None if branch == base => "pull requests go to it".to_owned(),
        None => return Ok(()),
    };
    Failure::usage(format!("{} is not pushed to: {why}", safe_line(branch)))
        .next("cargo xtask open-pr --branch NAME")
        .err()
}

/// The summary of what is proposed at a commit.
pub(super) fn written_summary(
    context: &Context,
    git: &Git,
    survey: &Survey,
    head: &str,
) -> anyhow::Result<String> {
    let changes = git.changes(&survey.base_sha, head)?;
    let subject = Subject {
        base: &survey.base_sha,
        base_branch: &survey.base,
        head,
        changes: &changes,
        clean: git.uncommitted()?.is_empty(),
    };
    summary::write(context, git, &subject)
}
