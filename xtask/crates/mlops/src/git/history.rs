//! Commits: those that are proposed, and how two lines of them relate.

use super::{Git, pieces};
use crate::children::Program;
use crate::process;

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Commit {
    /// 40 hex digits.
    pub(crate) sha: String,
    /// The first line of its message.
    pub(crate) subject: String,
    /// The rest of it.
    pub(crate) body: String,
}

impl Git {
    /// The commits that `head` has and `base` lacks, oldest first, without merges of the base.
    ///
    /// # Errors
    /// When git fails.
    pub(crate) fn commits(&self, base: &str, head: &str) -> anyhow::Result<Vec<Commit>> {
        let listed = self.read(&[
            "-c",
            "log.showSignature=false",
            "log",
            "-z",
            "--reverse",
            "--no-merges",
            "--encoding=UTF-8",
            "--format=%H%n%B",
            "--end-of-options",
            &format!("{base}..{head}"),
            "--",
        ])?;
        Ok(pieces(&listed).map(commit).collect())
    }

    /// The commits that `head` leads to and none of `without` does, oldest first, with merges.
    ///
    /// # Errors
    /// When git fails.
    pub(crate) fn with_merges(&self, without: &[&str], head: &str) -> anyhow::Result<Vec<Commit>> {
        let fixed = [
            "-c",
            "log.showSignature=false",
            "log",
            "-z",
            "--reverse",
            "--encoding=UTF-8",
            "--format=%H%n%B",
            head,
            "--not",
        ];
        let listed = self.read(&[&fixed[..], without, &["--"]].concat())?;
        Ok(pieces(&listed).map(commit).collect())
    }

    /// How many commits `head` has that `base` lacks, and the other way round; `None` where the clone is too
    /// shallow to tell.
    ///
    /// # Errors
    /// When git fails.
    pub(crate) fn ahead_behind(
        &self,
        base: &str,
        head: &str,
    ) -> anyhow::Result<Option<(u64, u64)>> {
        if self.is_cut_off(base, head)? {
            return Ok(None);
        }
        let counts = self.read(&[
            "rev-list",
            "--left-right",
            "--count",
            "--end-of-options",
            &format!("{head}...{base}"),
            "--",
        ])?;
        let mut counts = counts
            .split_whitespace()
            .filter_map(|count| count.parse().ok());
        Ok(Some((
            counts.next().unwrap_or_default(),
            counts.next().unwrap_or_default(),
        )))
    }

    /// Whether what lies between two commits is not all here, as the clone is shallow: one of the commits that
    /// only one of them has is where the clone begins. What is asked about the two has no answer then.
    ///
    /// # Errors
    /// When git fails.
    pub(crate) fn is_cut_off(&self, one: &str, other: &str) -> anyhow::Result<bool> {
        if self.read(&["rev-parse", "--is-shallow-repository"])? != "true" {
            return Ok(false);
        }
        let file = self.read(&[
            "rev-parse",
            "--path-format=absolute",
            "--git-path",
            "shallow",
        ])?;
        let firsts = fs_err::read_to_string(file)?;
        let between = self.read(&[
            "rev-list",
            "--end-of-options",
            &format!("{one}...{other}"),
            "--",
        ])?;
        Ok(between
            .lines()
            .any(|commit| firsts.lines().any(|first| first == commit)))
    }

    /// Whether everything of `earlier` is in `later`.
    pub(crate) fn contains(&self, later: &str, earlier: &str) -> bool {
        self.run(&["merge-base", "--is-ancestor", earlier, later])
            .is_ok_and(|finished| finished.ok())
    }

    /// The commit that two lines have last in common.
    pub(crate) fn fork_point(&self, base: &str, head: &str) -> Option<String> {
        self.read(&["merge-base", base, head]).ok()
    }

    /// The files that a merge of `head` into `base` would conflict in; `None` where git is too old to
    /// say (before 2.38).
    ///
    /// # Errors
    /// On Ctrl-C.
    pub(crate) fn conflicts(&self, base: &str, head: &str) -> anyhow::Result<Option<Vec<String>>> {
        let mut command = self.command_of(
            Program::GitRemote,
            &[
                "merge-tree",
                "--write-tree",
                "--name-only",
                "--no-messages",
                "-z",
                base,
                head,
            ],
        );
        if let Some(login) = self.login.get() {
            self.sign_in_without_hooks(&mut command, login);
        }
        let finished = process::run(&self.ui, &self.interrupt, command, |_| ())?;
        Ok(match finished.status.code() {
            Some(0) => Some(Vec::new()),
            // The first piece is the tree.
            Some(1) => Some(
                pieces(finished.stdout.trim_end_matches('\n'))
                    .skip(1)
                    .map(str::to_owned)
                    .collect(),
            ),
            _ => None,
        })
    }
}

fn commit(listed: &str) -> Commit {
    let (sha, message) = listed.split_once('\n').unwrap_or((listed, ""));
    let message = message.trim();
    let (subject, body) = message.split_once('\n').unwrap_or((message, ""));
    Commit {
        sha: sha.to_owned(),
        subject: subject.trim().to_owned(),
        body: body.trim().to_owned(),
    }
}
