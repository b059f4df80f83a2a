//! Commits of a branch, and how two branches relate.

use xshell::cmd;

use super::{Git, pieces};
use crate::child_env::{Program, sh};
use crate::process;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Commit {
    /// The full SHA.
    pub(crate) sha: String,
    /// The subject line.
    pub(crate) subject: String,
    /// The body of the message.
    pub(crate) body: String,
}

impl Git {
    /// The commits in `head` but not in `base`, oldest first, without merges of the base.
    pub(crate) fn commits(&self, base: &str, head: &str) -> anyhow::Result<Vec<Commit>> {
        let listed = self.read(cmd!(
            sh(),
            "git -c log.showSignature=false log -z --reverse --no-merges --encoding=UTF-8
                --format=%H%n%B --end-of-options {base}..{head} --"
        ))?;
        Ok(pieces(&listed).map(commit).collect())
    }

    /// The commits in `head` but not in `without`, oldest first, with merges.
    pub(crate) fn with_merges(&self, without: &[&str], head: &str) -> anyhow::Result<Vec<Commit>> {
        let listed = self.read(cmd!(
            sh(),
            "git -c log.showSignature=false log -z --reverse --encoding=UTF-8 --format=%H%n%B
                {head} --not {without...} --"
        ))?;
        Ok(pieces(&listed).map(commit).collect())
    }

    /// How many commits `head` is ahead of and behind `base`; `None` if the clone is too shallow to tell.
    pub(crate) fn ahead_behind(
        &self,
        base: &str,
        head: &str,
    ) -> anyhow::Result<Option<(u64, u64)>> {
        if self.is_cut_off(base, head)? {
            return Ok(None);
        }
        let counts = self.read(cmd!(
            sh(),
            "git rev-list --left-right --count --end-of-options {head}...{base} --"
        ))?;
        let mut counts = counts
            .split_whitespace()
            .filter_map(|count| count.parse().ok());
        Ok(Some((
            counts.next().unwrap_or_default(),
            counts.next().unwrap_or_default(),
        )))
    }

    /// Whether a shallow clone lacks history between two commits, that is, a shallow boundary lies among
    /// the commits that only one of them has.
    pub(crate) fn is_cut_off(&self, one: &str, other: &str) -> anyhow::Result<bool> {
        if self.read(cmd!(sh(), "git rev-parse --is-shallow-repository"))? != "true" {
            return Ok(false);
        }
        let firsts = fs_err::read_to_string(self.git_path("shallow")?)?;
        let between = self.read(cmd!(
            sh(),
            "git rev-list --end-of-options {one}...{other} --"
        ))?;
        Ok(between
            .lines()
            .any(|commit| firsts.lines().any(|first| first == commit)))
    }

    /// Whether `earlier` is an ancestor of `later`.
    pub(crate) fn contains(&self, later: &str, earlier: &str) -> bool {
        self.run(cmd!(sh(), "git merge-base --is-ancestor {earlier} {later}"))
            .is_ok_and(|finished| finished.ok())
    }

    /// The merge base.
    pub(crate) fn fork_point(&self, base: &str, head: &str) -> Option<String> {
        self.read(cmd!(sh(), "git merge-base {base} {head}")).ok()
    }

    /// The files in which a merge of `head` into `base` would conflict; `None` before git 2.38.
    pub(crate) fn conflicts(&self, base: &str, head: &str) -> anyhow::Result<Option<Vec<String>>> {
        let line = cmd!(
            sh(),
            "git merge-tree --write-tree --name-only --no-messages -z {base} {head}"
        );
        let mut command = self.command_of(Program::GitRemote, line);
        if let Some(login) = self.login.get() {
            self.sign_in_without_hooks(&mut command, login);
        }
        let finished = process::run(&self.ui, &self.interrupt, command, &mut |_| ())?;
        Ok(match finished.status.code() {
            Some(0) => Some(Vec::new()),
            // The first entry is the tree.
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
