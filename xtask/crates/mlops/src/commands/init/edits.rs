//! The settings of a new project, in the files that have them. What is replaced must be there exactly once, so that
//! a template which changed is noticed and not half edited.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::Context as _;
use camino::Utf8PathBuf;

use super::answers::{Answers, Target};
use super::names::LOCAL;
use super::template::{File, Files};
use crate::error::Failure;

/// What the template has for a target before it is edited.
pub(super) type Defaults = BTreeMap<String, Target>;

/// Puts the answers into databricks.yml, xtask.toml and the workflows.
pub(super) fn apply(
    files: &mut Files,
    answers: &Answers,
    defaults: &Defaults,
) -> anyhow::Result<()> {
    edit(files, "databricks.yml", |text| {
        bundle(text, answers, defaults)
    })?;
    if answers.spark {
        edit(files, "xtask.toml", spark)?;
    }
    for (name, target) in &answers.targets {
        match (&defaults[name].branch, &target.branch) {
            (Some(from), Some(to)) if from != to => {
                rename_branch(files, name, from, to)?;
                if answers.main_branch() == Some(to) {
                    let tests = format!(".github/workflows/{}-run-tests.yml", answers.package);
                    edit(files, &tests, |text| pushes(text, from, to))?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Has the tests that need Spark run, and Spark installed.
fn spark(text: &mut String) -> anyhow::Result<()> {
    let tests = "spark = [\"notebooks/tests/spark\"]     # tests that need Spark; `cargo xtask ci` runs them";
    let extras = "extras = [\"spark\"]                    # extras of pyproject.toml: PySpark and Delta, for Java 17";
    for (next, line) in [("\nintegration-target = ", tests), ("\n\n[github]", extras)] {
        let all = 0..text.len();
        once(text, all, next, &format!("\n{line}{next}"))?;
    }
    Ok(())
}

/// Has a target deployed from another branch.
fn rename_branch(files: &mut Files, target: &str, from: &str, to: &str) -> anyhow::Result<()> {
    edit(files, "databricks.yml", |text| {
        let comment = |branch: &str| format!("# Deployed from the branch {branch}.");
        once(text, 0..text.len(), &comment(from), &comment(to))
    })?;
    edit(files, "xtask.toml", |text| {
        let section = section(text, &format!("[targets.{target}]"), "[")?;
        let setting = |branch: &str| format!("branch = \"{branch}\"");
        once(text, section, &setting(from), &setting(to))
    })?;
    let workflow = format!(".github/workflows/deploy-{target}.yml");
    edit(files, &workflow, |text| {
        // Its first lines are comments that name the branch.
        let end = text.find("name:").unwrap_or_default();
        let comments = text[..end].replace(&format!(" {from} "), &format!(" {to} "));
        text.replace_range(..end, &comments);
        pushes(text, from, to)
    })
}

/// Has a workflow run for pushes to another branch.
fn pushes(text: &mut String, from: &str, to: &str) -> anyhow::Result<()> {
    let setting = |branch: &str| format!("branches: [{branch}]");
    once(text, 0..text.len(), &setting(from), &setting(to))
}

fn bundle(text: &mut String, answers: &Answers, defaults: &Defaults) -> anyhow::Result<()> {
    let whole = |text: &String| 0..text.len();
    let name = |name: &str| format!("\n  name: {name}\n");
    once(
        text,
        whole(text),
        &name(&answers.package),
        &name(&answers.name),
    )?;
    let mut schemas = answers.targets.values().map(|target| &target.schema);
    let shared = schemas
        .next()
        .filter(|first| schemas.all(|schema| schema == *first));
    let default = |schema: &str| format!("\n    default: {schema}\n");
    let shared = shared.unwrap_or(&answers.package);
    once(
        text,
        whole(text),
        &default(&answers.package),
        &default(shared),
    )?;
    for (name, target) in &answers.targets {
        let lines = |text: &String| section(text, &format!("  {name}:"), "  ");
        let catalog = |catalog: &str| format!("      catalog: {catalog}\n");
        let mut with_schema = catalog(&target.catalog);
        if target.schema != *shared {
            with_schema.push_str(&format!("      schema: {}\n", target.schema));
        }
        once(
            text,
            lines(text)?,
            &catalog(&defaults[name].catalog),
            &with_schema,
        )?;
        if target.workspace != LOCAL {
            let host = format!("      host: {}\n", target.workspace);
            once(text, lines(text)?, "      profile: mlops-local\n", &host)?;
        }
    }
    Ok(())
}

/// The lines after the line `start` up to the next one that begins like it.
fn section(text: &str, start: &str, like: &str) -> anyhow::Result<Range<usize>> {
    let line = format!("\n{start}\n");
    let mut found = text.match_indices(&line);
    let (Some((at, _)), None) = (found.next(), found.next()) else {
        return Failure::failed(format!("{start:?} is not there exactly once")).err();
    };
    let begin = at + line.len();
    let is_next = |line: &str| {
        line.strip_prefix(like)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric()))
    };
    let mut end = begin;
    for line in text[begin..].split_inclusive('\n') {
        if is_next(line) {
            break;
        }
        end += line.len();
    }
    Ok(begin..end)
}

/// Replaces text that is in a part of the file exactly once.
fn once(text: &mut String, part: Range<usize>, from: &str, to: &str) -> anyhow::Result<()> {
    let mut found = text[part.clone()].match_indices(from);
    match (found.next(), found.next()) {
        (Some((at, _)), None) => {
            let at = part.start + at;
            text.replace_range(at..at + from.len(), to);
            Ok(())
        }
        _ => Failure::failed(format!("{from:?} is not there exactly once")).err(),
    }
}

fn edit(
    files: &mut Files,
    path: &str,
    change: impl FnOnce(&mut String) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let file = files.get_mut(&Utf8PathBuf::from(path));
    let text = file
        .as_ref()
        .and_then(|file| String::from_utf8(file.bytes.clone()).ok());
    let (Some(File { bytes, .. }), Some(mut text)) = (file, text) else {
        return Failure::failed(format!("the template has no {path}")).err();
    };
    change(&mut text).with_context(|| format!("the template's {path} cannot be edited"))?;
    *bytes = text.into_bytes();
    Ok(())
}
