//! `cargo xtask open-pr`: from a branch to an open pull request, or to an updated one.

mod apply;
mod ask;
mod compare;
mod content;
mod findings;
mod large;
mod saved_text;
mod source;
mod steps;
mod summary;
mod survey;
mod text;
mod workflows;

use camino::Utf8PathBuf;
use serde::Serialize;
use xtask_remote::github::pulls::{self, Pull};

use crate::checks::facts::Verdict;
use crate::context::Context;
use crate::error::Failure;
use crate::git::Git;
use crate::overview;
use crate::pull_request::block;
use crate::secrets::Scanner;
use crate::steps::Steps;
use crate::ui::{Tone, safe_line};
use apply::Made;
use ask::{Choices, Last};
use findings::Findings;
use steps::Step;
use survey::Survey;
use text::Text;

/// Options of `open-pr`.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct Args {
    /// Title [default: from the commits].
    #[arg(long)]
    title: Option<String>,
    /// Description in Markdown [default: from the commits and the template].
    #[arg(long, conflicts_with = "body_file")]
    body: Option<String>,
    /// Read the description from this file (`-` for stdin).
    #[arg(long, value_name = "FILE")]
    body_file: Option<Utf8PathBuf>,
    /// Edit title and description in git's editor.
    #[arg(long, short)]
    edit: bool,
    /// Pull request template to use.
    #[arg(long, value_name = "NAME")]
    template: Option<String>,
    /// Leave out the summary of notebooks, resources and metrics.
    #[arg(long)]
    no_summary: bool,

    /// Mark as a draft.
    #[arg(long, conflicts_with = "ready")]
    draft: bool,
    /// Mark as ready for review.
    #[arg(long)]
    ready: bool,
    /// Request a review from this user or team (`org/team`); repeatable.
    #[arg(long, value_name = "HANDLE", value_delimiter = ',')]
    reviewer: Vec<String>,
    /// Add this label; repeatable.
    #[arg(long, value_name = "NAME")]
    label: Vec<String>,

    /// Branch to merge into [default: from xtask.toml, or the default branch].
    #[arg(long, value_name = "BRANCH")]
    base: Option<String>,
    /// Repository to open the pull request in [default: from the git remotes].
    #[arg(long, value_name = "OWNER/NAME")]
    repo: Option<String>,
    /// Remote to push to [default: from the git config].
    #[arg(long, value_name = "NAME")]
    remote: Option<String>,
    /// Create this branch for the commits.
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// Commit all changes first, with this message.
    #[arg(long, value_name = "MESSAGE")]
    commit: Option<String>,
    /// Run the tests first.
    #[arg(long, conflicts_with = "no_test")]
    test: bool,
    /// Skip the offer to run the tests.
    #[arg(long)]
    no_test: bool,
    /// Skip the search for secrets.
    #[arg(long)]
    allow_secrets: bool,

    /// Exit without watching the checks.
    #[arg(long)]
    no_wait: bool,
    /// Print the plan and exit.
    #[arg(long)]
    dry_run: bool,
}

impl Args {
    /// Who is asked for a review: by flag, else by xtask.toml.
    fn reviewers(&self, context: &Context) -> Vec<String> {
        match self.reviewer.is_empty() {
            true => context.config.github.reviewers.clone(),
            false => self.reviewer.clone(),
        }
    }

    /// The labels: those of xtask.toml, and by flag.
    fn labels(&self, context: &Context) -> Vec<String> {
        let mut labels = context.config.github.labels.clone();
        labels.extend(self.label.iter().cloned());
        labels.dedup();
        labels
    }
}

/// What `--json` prints; docs/pull-requests.md describes the fields.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    version: u32,
    /// `opened`, `updated`, `unchanged`, `planned` or `page`.
    outcome: &'static str,
    url: Option<String>,
    number: Option<u64>,
    title: &'a str,
    draft: bool,
    repository: String,
    base: &'a str,
    head_repository: String,
    branch: &'a str,
    commit: &'a str,
    steps: &'a [String],
    findings: &'a Findings,
    checks: Option<Verdict>,
}

/// Runs the command.
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let git = Git::open(context)?;
    let scanner = match args.allow_secrets {
        true => Scanner::off(),
        false => Scanner::ready(context, !args.dry_run)?,
    };
    let progress = context
        .ui
        .progress("Looking", "at the branch, its remote and GitHub");
    let looked = survey::take(context, &git, args, scanner);
    progress.clear();
    let (survey, findings) = looked?;
    if let Some(survey) = &survey {
        show_survey(context, survey);
    }
    findings.show(context);
    findings.allow()?;
    let survey = survey.ok_or_else(survey::nothing)?;

    let choices = ask::all(context, &git, args, &survey)?;
    let (plan, text) = confirmed(context, &git, args, &survey, &choices)?;
    if args.dry_run {
        context.ui.only_planned();
        let made = Made {
            pull: survey.pull.clone(),
            head: survey.head.clone(),
            ..Made::default()
        };
        return answer(
            context, args, &survey, &choices, &text, &plan, &findings, &made, None,
        );
    }
    let mut made = apply::apply(context, &git, args, &survey, &choices, &text, &plan)?;
    let text = made.reworded.take().unwrap_or(text);
    let made = read_back(context, &survey, &choices, &text, made)?;
    let checks = match (&made.pull, args.no_wait) {
        (Some(pull), false) => Some(follow(context, &git, pull)?),
        _ => None,
    };
    answer(
        context, args, &survey, &choices, &text, &plan, &findings, &made, checks,
    )?;
    conclude(&made, checks)
}

/// Says which branch goes where.
fn show_survey(context: &Context, survey: &Survey) {
    let from = match (&survey.branch, survey.source.is_fork) {
        (Some(branch), true) => format!("{branch} of {}", survey.source.name),
        (Some(branch), false) => branch.clone(),
        (None, true) => format!("a new branch of {}", survey.source.name),
        (None, false) => "a new branch".to_owned(),
    };
    let commits = match survey.commits.len() {
        0 => "no commits yet".to_owned(),
        count => crate::words::count(count, "commit"),
    };
    let what = format!(
        "{} ({commits}) into {} of {}",
        safe_line(&from),
        safe_line(&survey.base),
        survey.into
    );
    context.ui.status("Proposing", &what);
    for commit in survey.commits.iter().take(8) {
        let sha = context.ui.paint(survey::short(&commit.sha), Tone::Dim);
        context
            .ui
            .line(&format!("{:13}{sha} {}", "", safe_line(&commit.subject)));
    }
    if let Some(more) = survey.commits.len().checked_sub(9) {
        context.ui.line(&format!("{:13}and {} more", "", more + 1));
    }
}

/// Shows the plan and asks, until it is as it should be: what is left then is to be done.
fn confirmed(
    context: &Context,
    git: &Git,
    args: &Args,
    survey: &Survey,
    choices: &Choices,
) -> anyhow::Result<(Steps<Step>, Text)> {
    let mut text = choices.text.clone();
    let mut draft = args.draft;
    let summary = match args.no_summary {
        true => String::new(),
        false => apply::written_summary(context, git, survey, &survey.head)?,
    };
    if survey.pull.is_some() && !args.no_summary {
        text.body = block::renewed(&text.body, &summary);
    }
    loop {
        content::words(&survey.scanner, &sent(survey, choices, &text))?;
        let plan = steps::plan(context, args, survey, choices, &text, draft);
        if plan.is_empty() && survey.connection.token.is_some() {
            return Ok((plan, text));
        }
        if survey.pull.is_none() {
            ask::show_text(context, &text, &summary);
        }
        plan.show(&context.ui);
        if args.dry_run || plan.is_empty() {
            return Ok((plan, text));
        }
        match ask::last(context, survey, draft)? {
            Last::Go => return Ok((plan, text)),
            Last::GoAsDraft => {
                draft = true;
                return Ok((
                    steps::plan(context, args, survey, choices, &text, draft),
                    text,
                ));
            }
            Last::Edit => text = text.edited(git, &saved_text::folder(context))?,
        }
    }
}

/// What is sent besides commits, and is not on GitHub already.
fn sent<'a>(
    survey: &'a Survey,
    choices: &'a Choices,
    text: &'a Text,
) -> Vec<(&'static str, &'a str)> {
    let there = survey.pull.as_ref();
    let branch = survey.remote_branch.as_deref().unwrap_or(&choices.branch);
    let mut sent = Vec::new();
    if there.is_none() {
        sent.push(("the branch's name", branch));
    }
    if there.is_none_or(|pull| pull.title != text.title) {
        sent.push(("the title", text.title.as_str()));
    }
    if there.is_none_or(|pull| pull.body.as_ref() != Some(&text.body)) {
        sent.push(("the description", text.body.as_str()));
    }
    let message = choices.commit.as_deref();
    sent.extend(message.map(|message| ("the commit's message", message)));
    sent
}

/// Looks whether GitHub has what was sent, and says where.
fn read_back(
    context: &Context,
    survey: &Survey,
    choices: &Choices,
    text: &Text,
    mut made: Made,
) -> anyhow::Result<Made> {
    let ui = &context.ui;
    let Some(pull) = &made.pull else {
        let branch = survey.remote_branch.as_deref().unwrap_or(&choices.branch);
        let head = survey.head_label(branch);
        let url = compare::url(&survey.web, &survey.into, &survey.base, &head, text);
        ui.status(
            "Pushed",
            "open this page, look, and press the button there:",
        );
        made.left.clear();
        ui.line(&format!("{:13}{url}", ""));
        return Ok(made);
    };
    let pull = pulls::get(&survey.connection.github, &survey.into, pull.number)?;
    if pull.head.sha != made.head {
        ui.warn(&format!(
            "GitHub shows commit {} where {} was pushed: it may need a moment, or there was another push",
            survey::short(&pull.head.sha),
            survey::short(&made.head)
        ));
    }
    let verb = match (made.opened, &survey.pull) {
        (true, _) => "Opened",
        (false, Some(old)) if old.head.sha == made.head && same(old, &pull) => "Unchanged",
        (false, _) => "Updated",
    };
    let kind = if pull.draft {
        "draft pull request"
    } else {
        "pull request"
    };
    let what = format!(
        "{kind} {}: {}",
        pull.number,
        ui.link(&pull.html_url, &pull.html_url)
    );
    ui.status(verb, &what);
    if made.opened {
        ui.hint(
            "Next comes the review. After new commits, run `cargo xtask open-pr` again;\n\
             once its checks pass and it is approved, `cargo xtask merge`.",
        );
    }
    made.pull = Some(pull);
    Ok(made)
}

/// Follows the checks. Ctrl-C ends the following and nothing else.
fn follow(context: &Context, git: &Git, pull: &Pull) -> anyhow::Result<Verdict> {
    context.ui.status(
        "Following",
        "the checks (Ctrl-C stops watching; the checks go on)",
    );
    overview::follow(context, git).map_err(|error| match context.interrupt.is_set() {
        true => Failure::interrupted(
            "stopped watching; the pull request stays open, and its checks go on",
        )
        .next(format!("cargo xtask status --watch   # {}", pull.html_url))
        .into(),
        false => error,
    })
}

fn same(old: &Pull, new: &Pull) -> bool {
    old.title == new.title
        && old.body == new.body
        && old.draft == new.draft
        && old.base.branch == new.base.branch
}

#[expect(clippy::too_many_arguments, reason = "the answer is about all of them")]
fn answer(
    context: &Context,
    args: &Args,
    survey: &Survey,
    choices: &Choices,
    text: &Text,
    plan: &Steps<Step>,
    findings: &Findings,
    made: &Made,
    checks: Option<Verdict>,
) -> anyhow::Result<()> {
    let branch = survey.remote_branch.as_deref().unwrap_or(&choices.branch);
    let page = || {
        compare::url(
            &survey.web,
            &survey.into,
            &survey.base,
            &survey.head_label(branch),
            text,
        )
    };
    let url = match &made.pull {
        Some(pull) => Some(pull.html_url.clone()),
        None => survey.connection.token.is_none().then(page),
    };
    // At a terminal it was said already, as a link.
    let said = context.env.stdout_is_terminal && context.ui.is_moving();
    if let Some(url) = url.as_ref().filter(|_| !args.dry_run && !said) {
        context.ui.answer(url);
    }
    let outcome = match (&made.pull, &survey.pull) {
        _ if args.dry_run => "planned",
        (None, _) => "page",
        (Some(_), _) if made.opened => "opened",
        (Some(_), _) if plan.is_empty() => "unchanged",
        (Some(_), _) => "updated",
    };
    let answer = Answer {
        version: 1,
        outcome,
        url,
        number: made.pull.as_ref().map(|pull| pull.number),
        title: &text.title,
        draft: made.pull.as_ref().map_or(args.draft, |pull| pull.draft),
        repository: survey.into.to_string(),
        base: &survey.base,
        head_repository: survey.source.name.to_string(),
        branch,
        commit: &made.head,
        steps: plan.words(),
        findings,
        checks,
    };
    context.ui.json(&answer)
}

/// What is left to be said, as the exit code.
fn conclude(made: &Made, checks: Option<Verdict>) -> anyhow::Result<()> {
    if !made.left.is_empty() {
        return Failure::service("the pull request is open, but some steps failed")
            .details(made.left.join("\n"))
            .next("run it again with other names, or do it on its page")
            .err();
    }
    if checks == Some(Verdict::Failed) {
        return Failure::failed("a check of the pull request failed")
            .next("fix it, commit, and run `cargo xtask open-pr` again: it updates the same pull request")
            .err();
    }
    Ok(())
}
