//! What would be published: commit by commit, and what a commit of everything would add.

use std::collections::BTreeMap;

use serde_json::Value;

use super::findings::Findings;
use super::large::{too_large, too_large_on_disk};
use super::survey::listed;
use crate::context::Context;
use crate::git::{Addition, Change, Git};
use crate::secrets::{Location, Look, NOT_SEARCHED, Scanner, Sieve};

/// What is looked at.
pub(super) struct Range<'a> {
    pub(super) base: &'a str,
    pub(super) head: &'a str,
    /// The files that differ between the two.
    pub(super) changes: &'a [Change],
}

/// Looks at commits.
pub(super) fn committed(
    context: &Context,
    git: &Git,
    scanner: &Scanner,
    findings: &mut Findings,
    range: &Range<'_>,
) -> anyhow::Result<()> {
    let additions = git.additions(&[range.base], range.head)?;
    let mut look = Look::at(context, git, scanner, &additions)?;
    sizes_of(&look, findings, &additions);
    look.search(git, &additions)?;
    look.messages(&git.with_merges(&[range.base], range.head)?);
    say(&mut look, findings, range.head);
    let repositories = undeclared_repositories(git, range.head, range.changes);
    if !repositories.is_empty() {
        findings.warn(
            format!("{} {}", listed(&repositories), ARE_REPOSITORIES),
            "git rm --cached FOLDER, or git submodule add URL FOLDER",
        );
    }
    outputs_of(&look, git, findings, range.changes)
}

/// Looks at what a commit of everything would add.
pub(super) fn uncommitted(
    context: &Context,
    git: &Git,
    scanner: &Scanner,
    findings: &mut Findings,
    uncommitted: &[Change],
) -> anyhow::Result<()> {
    let Some(head) = git.head() else {
        return Ok(());
    };
    if too_large_on_disk(git, findings, uncommitted)? {
        return Ok(());
    }
    let apart = match git.stage_apart() {
        Ok(apart) => apart,
        Err(error) => {
            let report = crate::error::report(&error);
            let said = report.details.unwrap_or_default();
            findings.stop(format!("{}: {said}", report.what), report.next.join("; "));
            return Ok(());
        }
    };
    let git = apart.git();
    let changes = git.changed_between(&head, &apart.tree)?;
    let additions = git.additions_of_tree(&head, &apart.tree)?;
    let repositories = undeclared_repositories(git, &apart.tree, &changes);
    if !repositories.is_empty() {
        findings.stop(
            format!("{} {}", listed(&repositories), ARE_REPOSITORIES),
            "add it to .gitignore, remove its .git folder, or git submodule add URL FOLDER",
        );
    }
    let mut look = Look::at(context, git, scanner, &additions)?;
    sizes_of(&look, findings, &additions);
    look.search(git, &additions)?;
    say(&mut look, findings, &head);
    if !look.conflicts.is_empty() {
        findings.stop(
            format!("the marks of a conflict are in {}", listed(&look.conflicts)),
            "resolve it, save the file, and call it again",
        );
    }
    outputs_of(&look, git, findings, &changes)
}

/// Looks at what is sent to GitHub besides commits.
pub(super) fn words(scanner: &Scanner, words: &[(&'static str, &str)]) -> anyhow::Result<()> {
    if !scanner.is_on {
        return Ok(());
    }
    let mut sieve = Sieve::new(scanner);
    for (which, text) in words {
        let lines: Vec<(usize, &str)> = (1..).zip(text.lines()).collect();
        sieve.add(&Location::Words(which), &lines);
    }
    sieve.refuse("")
}

/// A file too large stops the push also where a later commit removes it.
fn sizes_of(look: &Look<'_>, findings: &mut Findings, additions: &[Addition]) {
    let mut largest: BTreeMap<&str, u64> = BTreeMap::new();
    for addition in additions {
        let size = addition.new.as_ref().and_then(|id| look.sizes.get(id));
        let known = largest.entry(&addition.path).or_default();
        *known = (*known).max(size.copied().unwrap_or_default());
    }
    for (path, size) in largest {
        too_large(findings, path, size);
    }
}

/// Says what was found, and what was not searched.
fn say(look: &mut Look<'_>, findings: &mut Findings, head: &str) {
    let Some(sieve) = &mut look.sieve else {
        return;
    };
    if let Some(why) = sieve.finish() {
        findings.stop(
            format!("{NOT_SEARCHED}: {why}"),
            "call it again, or look for them yourself and add --allow-secrets",
        );
    }
    if let Some((what, next)) = sieve.verdict(head) {
        findings.stop(what, next);
    }
    if !look.unsearched.is_empty() {
        let names: Vec<String> = look.unsearched.iter().cloned().collect();
        findings.warn(
            format!("too large to be searched for secrets: {}", listed(&names)),
            "look at it yourself before it is published",
        );
    }
}

/// Says which notebooks hold what their cells printed.
fn outputs_of(
    look: &Look<'_>,
    git: &Git,
    findings: &mut Findings,
    changes: &[Change],
) -> anyhow::Result<()> {
    let notebooks = changes
        .iter()
        .filter(|change| change.path.ends_with(".ipynb"));
    let notebooks: Vec<(&str, &str)> = notebooks
        .filter_map(|change| Some((change.path.as_str(), change.new.as_deref()?)))
        .filter(|(_, id)| look.is_searched(id))
        .collect();
    if notebooks.is_empty() {
        return Ok(());
    }
    let mut blobs = git.blobs()?;
    for (path, id) in notebooks {
        if let Some(content) = blobs.read(id)? {
            outputs(findings, path, &content);
        }
    }
    Ok(())
}

/// What is wrong with a folder that is a repository of its own.
const ARE_REPOSITORIES: &str =
    "is a git repository of its own: the commit would hold a reference to it and none of its files";

/// Repositories inside this one that `.gitmodules` does not name.
fn undeclared_repositories(git: &Git, tree: &str, changes: &[Change]) -> Vec<String> {
    let mut found = changes
        .iter()
        .filter(|change| change.is_repository)
        .peekable();
    if found.peek().is_none() {
        return Vec::new();
    }
    let declared = git.content(tree, ".gitmodules").unwrap_or_default();
    let declared = String::from_utf8_lossy(&declared).into_owned();
    let is_declared = |path: &str| {
        declared.lines().any(|line| {
            let value = line.trim().strip_prefix("path").map(str::trim_start);
            value.and_then(|rest| rest.strip_prefix('=')).map(str::trim) == Some(path)
        })
    };
    found
        .filter(|change| !is_declared(&change.path))
        .map(|change| change.path.clone())
        .collect()
}

/// Says that a notebook holds what its cells printed.
fn outputs(findings: &mut Findings, path: &str, content: &[u8]) {
    let notebook: Value = xtask_remote::json::from_slice(content).unwrap_or_default();
    let cells = notebook["cells"].as_array().map_or(&[][..], Vec::as_slice);
    let with_outputs = cells
        .iter()
        .filter(|cell| {
            cell["outputs"]
                .as_array()
                .is_some_and(|outputs| !outputs.is_empty())
        })
        .count();
    if with_outputs > 0 {
        let cells = if with_outputs == 1 { "cell" } else { "cells" };
        findings.warn(
            format!("{path} holds the output of {with_outputs} {cells}, data perhaps among it"),
            "clear the outputs in the editor, save, and commit",
        );
    }
}
