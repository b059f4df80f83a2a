//! Searches the blobs that each commit adds, whatever attributes and settings say about the files.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::scanner::Scanner;
use super::sieve::{Location, Sieve};
use super::text_of::text_of;
use crate::context::Context;
use crate::git::{Addition, Commit, Git};

/// Larger files are not searched, but listed.
const SEARCHED: u64 = 32 * 1024 * 1024;

/// The state of a search.
pub(crate) struct Look<'a> {
    context: &'a Context,
    /// Sizes of objects.
    pub(crate) sizes: HashMap<String, u64>,
    /// `None` where secrets are allowed.
    pub(crate) sieve: Option<Sieve<'a>>,
    /// Files that could not be searched.
    pub(crate) unsearched: BTreeSet<String>,
    /// Files with conflict markers.
    pub(crate) conflicts: Vec<String>,
}

impl<'a> Look<'a> {
    /// Reads the sizes of added objects, and fetches those missing in a partial clone.
    pub(crate) fn at(
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

    /// Searches the lines that each commit adds.
    pub(crate) fn search(&mut self, git: &Git, additions: &[Addition]) -> anyhow::Result<()> {
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

    /// Whether an object is small enough to be searched.
    pub(crate) fn is_searched(&self, id: &str) -> bool {
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
            true => Location::File(path.to_owned()),
            false => Location::Commit {
                path: path.to_owned(),
                commit: commit.to_owned(),
            },
        };
        // The path is published as well.
        sieve.add(&place, &[(1, path)]);
        sieve.add(&place, lines);
    }

    /// Searches messages of commits.
    pub(crate) fn messages(&mut self, commits: &[Commit]) {
        let Some(sieve) = &mut self.sieve else {
            return;
        };
        for commit in commits {
            let message = format!("{}\n\n{}", commit.subject, commit.body);
            let lines: Vec<(usize, &str)> = (1..).zip(message.lines()).collect();
            sieve.add(&Location::Message(commit.sha.clone()), &lines);
        }
    }
}

fn hash(line: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    line.hash(&mut hasher);
    hasher.finish()
}
