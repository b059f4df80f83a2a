//! What would be published: looked at commit by commit, as git stores it, and so is what a commit of
//! everything would add. Whatever a file holds is looked at, whatever attributes and settings say of it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::Value;

use super::findings::Findings;
use super::large::{too_large, too_large_on_disk};
use super::scanner::Scanner;
use super::sieve::{NOT_SEARCHED, Place, Sieve};
use super::survey::listed;
use super::text_of::text_of;
use crate::context::Context;
use crate::git::{Addition, Change, Commit, Git};

/// Files above this are not searched for secrets; they are named.
const SEARCHED: u64 = 32 * 1024 * 1024;

/// What is looked at.
pub(super) struct Range<'a> {
    pub(super) base: &'a str,
    pub(super) head: &'a str,
    /// The commits between the two.
    pub(super) commits: &'a [Commit],
    /// The files that differ between the two.
    pub(super) changes: &'a [Change],
}

/// Looks at commits.
///
/// # Errors
/// When git fails.
pub(super) fn committed(
    context: &Context,
    git: &Git,
    scanner: &Scanner,
    findings: &mut Findings,
    range: &Range<'_>,
) -> anyhow::Result<()> {
    let additions = git.additions(range.base, range.head)?;
    let mut look = Look::at(context, git, scanner, &additions)?;
    look.sizes_of(findings, &additions);
    look.search(git, &additions)?;
    look.messages(range.commits);
    look.say(findings, range.head);
    let repositories = undeclared_repositories(git, range.head, range.changes);
    if !repositories.is_empty() {
        findings.warn(
            format!("{} {}", listed(&repositories), ARE_REPOSITORIES),
            "git rm --cached FOLDER, or git submodule add URL FOLDER",
        );
    }
    look.outputs(git, findings, range.changes)
}

/// Looks at commits that were made since, a hook may have changed what they hold.
///
/// # Errors
/// [`crate::error::Kind::Failed`] when they hold what looks like a secret.
pub(super) fn made_since(
    context: &Context,
    git: &Git,
    scanner: &Scanner,
    base: &str,
    head: &str,
) -> anyhow::Result<()> {
    let additions = git.additions(base, head)?;
    let mut look = Look::at(context, git, scanner, &additions)?;
    look.search(git, &additions)?;
    look.messages(&git.commits(base, head)?);
    match look.sieve {
        Some(sieve) => sieve.refuse(head),
        None => Ok(()),
    }
}

/// Looks at what a commit of everything would add.
///
/// # Errors
/// When git fails.
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
    look.sizes_of(findings, &additions);
    look.search(git, &additions)?;
    look.say(findings, &head);
    if !look.conflicts.is_empty() {
        findings.stop(
            format!("the marks of a conflict are in {}", listed(&look.conflicts)),
            "resolve it, save the file, and call it again",
        );
    }
    look.outputs(git, findings, &changes)
}

/// Looks at what is sent to GitHub besides commits.
///
/// # Errors
/// [`crate::error::Kind::Failed`] when it holds what looks like a secret.
pub(super) fn words(scanner: &Scanner, words: &[(&'static str, &str)]) -> anyhow::Result<()> {
    if !scanner.is_on {
        return Ok(());
    }
    let mut sieve = Sieve::new(scanner);
    for (which, text) in words {
        let lines: Vec<(usize, &str)> = (1..).zip(text.lines()).collect();
        sieve.add(&Place::Words(which), &lines);
    }
    sieve.refuse("")
}

/// What is seen of some additions.
struct Look<'a> {
    context: &'a Context,
    sizes: HashMap<String, u64>,
    /// `None` where secrets are allowed.
    sieve: Option<Sieve<'a>>,
    /// Files that could not be searched.
    unsearched: BTreeSet<String>,
    /// Files with marks of a conflict.
    conflicts: Vec<String>,
}

impl<'a> Look<'a> {
    fn at(
        context: &'a Context,
        git: &Git,
        scanner: &'a Scanner,
        additions: &[Addition],
    ) -> anyhow::Result<Look<'a>> {
        let objects = additions.iter().flat_map(|of| of.new.iter().chain(&of.old));
        let unique: BTreeSet<&str> = objects.map(String::as_str).collect();
        let unique: Vec<&str> = unique.into_iter().collect();
        git.bring_objects(&unique)?;
        Ok(Look {
            context,
            sizes: git.sizes(&unique)?,
            sieve: scanner.is_on.then(|| Sieve::new(scanner)),
            unsearched: BTreeSet::new(),
            conflicts: Vec::new(),
        })
    }

    /// A file too large stops the push also where a later commit removes it.
    fn sizes_of(&self, findings: &mut Findings, additions: &[Addition]) {
        let mut largest: BTreeMap<&str, u64> = BTreeMap::new();
        for addition in additions {
            let size = addition.new.as_ref().and_then(|id| self.sizes.get(id));
            let known = largest.entry(&addition.path).or_default();
            *known = (*known).max(size.copied().unwrap_or_default());
        }
        for (path, size) in largest {
            too_large(findings, path, size);
        }
    }

    /// Searches the lines that each commit is the first to have.
    fn search(&mut self, git: &Git, additions: &[Addition]) -> anyhow::Result<()> {
        let mut blobs = git.blobs()?;
        let mut seen = HashSet::new();
        for commit in additions.chunk_by(|one, other| one.commit == other.commit) {
            let mut before = HashSet::new();
            let old: BTreeSet<&String> = commit.iter().flat_map(|addition| &addition.old).collect();
            for id in old.into_iter().filter(|id| self.is_searched(id)) {
                if let Some(content) = blobs.read(id)? {
                    before.extend(text_of(&content).lines().map(hash));
                }
            }
            for Addition {
                commit, path, new, ..
            } in commit
            {
                self.context.interrupt.check()?;
                let Some(id) = new.as_ref().filter(|id| seen.insert(id.as_str())) else {
                    continue;
                };
                let content = match self.is_searched(id) {
                    true => blobs.read(id)?,
                    false => None,
                };
                let Some(content) = content else {
                    self.unsearched.insert(path.clone());
                    continue;
                };
                let text = text_of(&content);
                let is_new = |(_, line): &(usize, &str)| !before.contains(&hash(line));
                let lines: Vec<(usize, &str)> = (1..).zip(text.lines()).filter(is_new).collect();
                self.lines(commit, path, &lines);
            }
        }
        Ok(())
    }

    fn is_searched(&self, id: &str) -> bool {
        self.sizes.get(id).is_some_and(|size| *size <= SEARCHED)
    }

    fn lines(&mut self, commit: &str, path: &str, lines: &[(usize, &str)]) {
        let has = |mark: &str| lines.iter().any(|(_, line)| line.starts_with(mark));
        if has("<<<<<<< ") && has(">>>>>>> ") {
            self.conflicts.push(path.to_owned());
        }
        let Some(sieve) = &mut self.sieve else {
            return;
        };
        let place = match commit.is_empty() {
            true => Place::File(path.to_owned()),
            false => Place::Commit {
                path: path.to_owned(),
                commit: commit.to_owned(),
            },
        };
        // The name is published as well.
        sieve.add(&place, &[(1, path)]);
        sieve.add(&place, lines);
    }

    fn messages(&mut self, commits: &[Commit]) {
        let Some(sieve) = &mut self.sieve else {
            return;
        };
        for commit in commits {
            let message = format!("{}\n\n{}", commit.subject, commit.body);
            let lines: Vec<(usize, &str)> = (1..).zip(message.lines()).collect();
            sieve.add(&Place::Message(commit.sha.clone()), &lines);
        }
    }

    fn say(&mut self, findings: &mut Findings, head: &str) {
        let Some(sieve) = &mut self.sieve else {
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
        if !self.unsearched.is_empty() {
            let names: Vec<String> = self.unsearched.iter().cloned().collect();
            findings.warn(
                format!("too large to be searched for secrets: {}", listed(&names)),
                "look at it yourself before it is published",
            );
        }
    }

    /// Says which notebooks hold what their cells printed.
    fn outputs(
        &self,
        git: &Git,
        findings: &mut Findings,
        changes: &[Change],
    ) -> anyhow::Result<()> {
        let notebooks = changes
            .iter()
            .filter(|change| change.path.ends_with(".ipynb"));
        let notebooks: Vec<(&str, &str)> = notebooks
            .filter_map(|change| Some((change.path.as_str(), change.new.as_deref()?)))
            .filter(|(_, id)| self.is_searched(id))
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
    let notebook: Value = serde_json::from_slice(content).unwrap_or_default();
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

fn hash(line: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    line.hash(&mut hasher);
    hasher.finish()
}
