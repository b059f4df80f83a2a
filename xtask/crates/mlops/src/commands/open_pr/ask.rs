//! The questions, each with a sentence for those who meet it for the first time. Every one has a flag, and
//! an answer that is taken without a terminal; only the last, which changes something, needs `--yes` then.

use super::saved_text;
use super::survey::{Survey, files_are, listed};
use super::text::{self, Text};
use super::{Args, apply};
use crate::commands::test;
use crate::context::Context;
use crate::error::Failure;
use crate::git::{Changed, Commit, Git};
use crate::ui::{safe, safe_line};

/// What was decided.
pub(super) struct Choices {
    /// The branch that is proposed.
    pub(super) branch: String,
    /// Whether it has to be started first.
    pub(super) start_branch: bool,
    /// The message of a commit of everything that is not committed.
    pub(super) commit: Option<String>,
    /// Title and description, without our summary.
    pub(super) text: Text,
    /// Whether the user wrote any of it.
    pub(super) written: bool,
}

/// Asks what is to be asked.
pub(super) fn all(
    context: &Context,
    git: &Git,
    args: &Args,
    survey: &Survey,
) -> anyhow::Result<Choices> {
    tests(context, args)?;
    let commit = commit(context, args, survey)?;
    if survey.commits.is_empty() && commit.is_none() && survey.pull.is_none() {
        return Failure::interrupted("there is nothing to propose without a commit").err();
    }
    let (branch, start_branch) = branch(context, git, args, survey, commit.as_deref())?;
    let (text, written) = words(context, git, args, survey, &branch, commit.as_deref())?;
    Ok(Choices {
        branch,
        start_branch,
        commit,
        text,
        written,
    })
}

/// Offers to run the tests where they are not known to pass on these very files.
fn tests(context: &Context, args: &Args) -> anyhow::Result<()> {
    if args.no_test || args.dry_run {
        return Ok(());
    }
    let green = test::green(context)?;
    if green.unit.is_some() && green.integration.is_some() && !args.test {
        context
            .ui
            .status("Tested", "all tests passed on exactly these files");
        return Ok(());
    }
    let ui = &context.ui;
    let run = match args.test {
        true => true,
        false if !ui.can_ask() => {
            ui.status(
                "Untested",
                "these files as they are; --test runs the tests first",
            );
            false
        }
        false => {
            ui.hint("GitHub runs the tests, too. Here you see first what they say.");
            ui.confirm(
                "These files were not tested as they are. Run `cargo xtask test` now?",
                true,
            )?
        }
    };
    match run {
        true => test::everything(context),
        false => Ok(()),
    }
}

/// Offers to commit what is not committed.
fn commit(context: &Context, args: &Args, survey: &Survey) -> anyhow::Result<Option<String>> {
    let ui = &context.ui;
    if survey.uncommitted.is_empty() {
        return Ok(None);
    }
    if args.commit.is_some() || !ui.can_ask() {
        return Ok(args.commit.clone());
    }
    ui.hint("A pull request proposes commits; what is only in your files is not in it.");
    ui.status(
        "Changed",
        &format!("{} not committed:", files_are(survey.uncommitted.len())),
    );
    for change in survey.uncommitted.iter().take(15) {
        let how = match change.how {
            Changed::Added => "new",
            Changed::Modified => "changed",
            Changed::Deleted => "deleted",
            Changed::Renamed => "renamed",
            Changed::Unmerged => "in conflict",
        };
        ui.line(&format!("{how:>14}  {}", safe_line(&change.path)));
    }
    if let Some(more) = survey.uncommitted.len().checked_sub(16) {
        ui.line(&format!("{:14}  and {} more", "", more + 1));
    }
    let options = ["Commit them all", "Leave them out", "Stop here"];
    match ui.choose("What to do with them", &options)? {
        0 => {
            ui.hint("It says what the change does, and why; it becomes part of the history.");
            let names: Vec<String> = survey
                .uncommitted
                .iter()
                .map(|change| change.path.clone())
                .collect();
            let proposal = format!("Change {}", listed(&names));
            ui.input("Message of the commit", &proposal).map(Some)
        }
        1 => Ok(None),
        _ => Failure::interrupted("nothing was changed").err(),
    }
}

/// The branch, and whether it has to be started.
fn branch(
    context: &Context,
    git: &Git,
    args: &Args,
    survey: &Survey,
    commit: Option<&str>,
) -> anyhow::Result<(String, bool)> {
    if let Some(branch) = &survey.branch {
        return Ok((branch.clone(), false));
    }
    let ui = &context.ui;
    let subject = survey
        .commits
        .first()
        .map(|commit| commit.subject.as_str())
        .or(commit)
        .unwrap_or_default();
    let subject = subject.lines().next().unwrap_or_default();
    let name = match &args.branch {
        Some(branch) => branch.clone(),
        None => {
            ui.hint("A branch holds your commits until they are merged. Others see its name.");
            ui.input(
                "Name of the branch",
                &free_name(git, &text::branch_of(subject)),
            )?
        }
    };
    apply::refuse_deployed(context, &survey.base, &name)?;
    if !git.is_branch_name(&name) {
        return Failure::usage(format!(
            "git takes no branch of the name {}",
            safe_line(&name)
        ))
        .next("cargo xtask open-pr --branch NAME")
        .err();
    }
    if git.resolve(&format!("refs/heads/{name}")).is_some() {
        return Failure::usage(format!("there is a branch {} already", safe_line(&name)))
            .next("git switch to it, or choose another name with --branch")
            .err();
    }
    Ok((name, true))
}

/// A name that no local branch has.
fn free_name(git: &Git, name: &str) -> String {
    let is_taken = |name: &String| git.resolve(&format!("refs/heads/{name}")).is_some();
    let numbered = (2..100).map(|number| format!("{name}-{number}"));
    std::iter::once(name.to_owned())
        .chain(numbered)
        .find(|name| !is_taken(name))
        .unwrap_or_else(|| name.to_owned())
}

/// Title and description.
fn words(
    context: &Context,
    git: &Git,
    args: &Args,
    survey: &Survey,
    branch: &str,
    commit: Option<&str>,
) -> anyhow::Result<(Text, bool)> {
    let ui = &context.ui;
    let by_flag = args.title.is_some() || args.body.is_some() || args.body_file.is_some();
    let typed = saved_text::find(context, branch).filter(|_| !by_flag);
    let kept = match &typed {
        Some(typed) if ui.can_ask() => {
            ui.hint("An earlier run did not come to its end; what was typed was kept.");
            let question = format!(
                "Use the text of that time, \"{}\"?",
                safe_line(&typed.title)
            );
            ui.confirm(&question, true)?
        }
        Some(_) => {
            ui.status(
                "Found",
                "what was typed for this branch when an earlier run failed",
            );
            true
        }
        None => false,
    };
    let text = match (typed.filter(|_| kept), &survey.pull) {
        (Some(typed), _) => typed,
        (None, Some(pull)) => Text {
            title: pull.title.clone(),
            body: pull.body.clone().unwrap_or_default(),
        },
        (None, None) => proposal(git, args, survey, branch, &survey.commits, commit)?,
    };
    let mut text = text.with_flags(context, args)?;
    let mut written = by_flag || kept;
    if survey.pull.is_none() && ui.can_ask() && args.title.is_none() {
        ui.hint("Others see the title in lists and in the history: what does the change do?");
        let title = ui.input("Title", &text.title)?;
        written |= title != text.title;
        text.title = title;
        text.check()?;
    }
    if args.edit {
        text = text.edited(git, &saved_text::folder(context))?;
        written = true;
    }
    Ok((text, written))
}

/// What the commits and the template say. `message` is that of a commit which is still to be made.
pub(super) fn proposal(
    git: &Git,
    args: &Args,
    survey: &Survey,
    branch: &str,
    commits: &[Commit],
    message: Option<&str>,
) -> anyhow::Result<Text> {
    let template = text::template(git, &survey.base_sha, args.template.as_deref())?;
    Ok(Text::of_commits(commits, message, branch).with_template(template.as_deref()))
}

/// The last question before anything is done.
pub(super) enum Last {
    Go,
    GoAsDraft,
    Edit,
}

/// Asks whether to go on.
pub(super) fn last(context: &Context, survey: &Survey, draft: bool) -> anyhow::Result<Last> {
    let ui = &context.ui;
    if survey.pull.is_some() || !ui.can_ask() {
        return ui.agree("Do this?", true).map(|()| Last::Go);
    }
    ui.hint("Opening it notifies others. A draft requests no review yet.");
    let go = match draft {
        true => "Do this (as a draft)",
        false => "Do this",
    };
    let options = [
        go,
        "Do this, as a draft",
        "Edit title and description",
        "Stop here",
    ];
    match ui.choose("Go on", &options)? {
        0 => Ok(Last::Go),
        1 => Ok(Last::GoAsDraft),
        2 => Ok(Last::Edit),
        _ => Failure::interrupted("nothing was changed").err(),
    }
}

/// The text, as it is shown before the last question.
pub(super) fn show_text(context: &Context, text: &Text, summary: &str) {
    let ui = &context.ui;
    ui.status("Title", &safe_line(&text.title));
    let body = safe(&text.body);
    let lines: Vec<&str> = body.lines().chain(summary.lines()).collect();
    const SHOWN: usize = 24;
    for line in lines.iter().take(SHOWN) {
        ui.line(format!("{:13}{}", "", safe_line(line)).trim_end());
    }
    if lines.len() > SHOWN {
        ui.line(&format!("{:13}… {} more lines", "", lines.len() - SHOWN));
    }
}
