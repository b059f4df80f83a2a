//! What is done, step by step. The plan shows these very steps, and `apply` executes them.

use super::Args;
use super::ask::Choices;
use super::survey::{Survey, listed, short};
use super::text::Text;
use crate::context::Context;
use crate::git::Lease;
use crate::pull_request::block;
use crate::steps::Steps;

#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Starts a branch at the commit that is checked out.
    StartBranch(String),
    /// Commits everything that is not committed.
    Commit { message: String, files: Vec<String> },
    /// Pushes one ref.
    Push { branch: String, lease: Lease },
    /// Opens the pull request.
    Open { draft: bool, summary: bool },
    /// Changes the one that is open.
    Change {
        number: u64,
        title: bool,
        body: bool,
        base: bool,
    },
    /// Makes it a draft, or says that it is none any more.
    Draft { draft: bool },
    /// Asks for reviews.
    AskReviewers {
        users: Vec<String>,
        teams: Vec<String>,
    },
    /// Adds labels.
    Label(Vec<String>),
}

/// The steps that lead from what is there to what was chosen.
pub(super) fn plan(
    context: &Context,
    args: &Args,
    survey: &Survey,
    choices: &Choices,
    text: &Text,
    draft: bool,
) -> Steps<Step> {
    let steps = all(context, args, survey, choices, text, draft);
    Steps::new(steps, |step| step.describe(survey))
}

fn all(
    context: &Context,
    args: &Args,
    survey: &Survey,
    choices: &Choices,
    text: &Text,
    draft: bool,
) -> Vec<Step> {
    let mut steps = Vec::new();
    if choices.start_branch {
        steps.push(Step::StartBranch(choices.branch.clone()));
    }
    if let Some(message) = &choices.commit {
        steps.push(Step::Commit {
            message: message.clone(),
            files: survey
                .uncommitted
                .iter()
                .map(|change| change.path.clone())
                .collect(),
        });
    }
    let push = match (&survey.push, &choices.commit) {
        (None, Some(_)) => Some(Lease::Grows),
        (lease, _) => lease.clone(),
    };
    if let Some(lease) = push {
        let branch = survey.remote_branch.clone();
        steps.push(Step::Push {
            branch: branch.unwrap_or_else(|| choices.branch.clone()),
            lease,
        });
    }
    if survey.connection.token.is_none() {
        return steps;
    }
    match &survey.pull {
        None => steps.push(Step::Open {
            draft,
            summary: !args.no_summary,
        }),
        Some(pull) => {
            let old_body = pull.body.clone().unwrap_or_default();
            // A commit that is still to be made changes what the summary says.
            let to_come = choices.commit.is_some() && !args.no_summary;
            let change = Step::Change {
                number: pull.number,
                title: text.title != pull.title,
                body: text.body != old_body || to_come && block::is_in(&old_body),
                base: survey.base != pull.base.branch,
            };
            if !matches!(
                change,
                Step::Change {
                    title: false,
                    body: false,
                    base: false,
                    ..
                }
            ) {
                steps.push(change);
            }
            let wanted = args.draft.then_some(true).or(args.ready.then_some(false));
            if let Some(draft) = wanted.filter(|draft| *draft != pull.draft) {
                steps.push(Step::Draft { draft });
            }
        }
    }
    steps.extend(people(context, args, survey));
    steps
}

/// Reviewers and labels that it does not have yet; those of xtask.toml only for a new one.
fn people(context: &Context, args: &Args, survey: &Survey) -> Vec<Step> {
    let mut steps = Vec::new();
    let (mut reviewers, mut labels) = match &survey.pull {
        None => (args.reviewers(context), args.labels(context)),
        Some(_) => (args.reviewer.clone(), args.label.clone()),
    };
    // GitHub refuses the author as a reviewer.
    let author = survey.viewer.as_deref().unwrap_or_default();
    reviewers.retain(|name| !name.eq_ignore_ascii_case(author));
    if let Some(pull) = &survey.pull {
        let asked = |name: &String| {
            let known = pull.requested_reviewers.iter();
            known
                .clone()
                .any(|user| user.login.eq_ignore_ascii_case(name))
        };
        reviewers.retain(|name| !asked(name));
        labels.retain(|label| !pull.labels.iter().any(|known| known.name == *label));
    }
    if !reviewers.is_empty() {
        let (teams, users): (Vec<String>, Vec<String>) =
            reviewers.into_iter().partition(|name| name.contains('/'));
        let slug = |team: String| team.rsplit('/').next().unwrap_or_default().to_owned();
        steps.push(Step::AskReviewers {
            users,
            teams: teams.into_iter().map(slug).collect(),
        });
    }
    if !labels.is_empty() {
        steps.push(Step::Label(labels));
    }
    steps
}

impl Step {
    /// What it does, for the plan.
    fn describe(&self, survey: &Survey) -> String {
        let source = &survey.source;
        match self {
            Step::StartBranch(name) => {
                format!("start the branch {name} at {}", short(&survey.head))
            }
            Step::Commit { message, files } => {
                let subject = message.lines().next().unwrap_or_default();
                format!(
                    "commit {} as \"{subject}\": {}",
                    crate::words::count(files.len(), "file"),
                    listed(files)
                )
            }
            Step::Push { branch, lease } => {
                let there = format!("{branch} to {} (remote {})", source.name, source.remote);
                match lease {
                    Lease::New | Lease::Grows => format!("push {there}"),
                    Lease::Rewrites(at) => {
                        format!(
                            "push {there}, replacing what is there if it is still {}",
                            short(at)
                        )
                    }
                }
            }
            Step::Open { draft, summary } => format!(
                "open a {} into {} of {}{}",
                if *draft {
                    "draft pull request"
                } else {
                    "pull request"
                },
                survey.base,
                survey.into,
                if *summary {
                    ", with a summary of what changed"
                } else {
                    ""
                }
            ),
            Step::Change {
                number,
                title,
                body,
                base,
            } => {
                let parts = [
                    title.then(|| "title".to_owned()),
                    body.then(|| "description".to_owned()),
                    base.then(|| format!("base (now {})", survey.base)),
                ];
                let parts: Vec<String> = parts.into_iter().flatten().collect();
                format!(
                    "update the {} of pull request {number}",
                    parts.join(" and the ")
                )
            }
            Step::Draft { draft: true } => "make it a draft".to_owned(),
            Step::Draft { draft: false } => "mark it as ready for review".to_owned(),
            Step::AskReviewers { users, teams } => {
                let all: Vec<&str> = users.iter().chain(teams).map(String::as_str).collect();
                format!("request a review from {}", all.join(", "))
            }
            Step::Label(labels) => format!("label it {}", labels.join(", ")),
        }
    }
}
