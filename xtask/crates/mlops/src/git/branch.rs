//! The current branch, and creating new ones.

use xshell::cmd;

use super::Git;
use crate::child_env::sh;
use crate::error::Failure;

impl Git {
    /// The current branch; `None` on a detached HEAD.
    pub(crate) fn branch(&self) -> Option<String> {
        let name = self
            .read(cmd!(sh(), "git symbolic-ref --quiet HEAD"))
            .ok()?;
        name.strip_prefix("refs/heads/").map(str::to_owned)
    }

    /// The upstream of a branch in git's settings: a remote, and a branch there. Where it is pushed to,
    /// [`Git::push_target`] tells.
    pub(crate) fn tracked(&self, branch: &str) -> Option<(String, String)> {
        let remote = self.setting(&format!("branch.{branch}.remote"))?;
        let merge = self.setting(&format!("branch.{branch}.merge"))?;
        let name = merge.strip_prefix("refs/heads/")?.to_owned();
        // `.` means a branch of this very clone.
        (remote != ".").then_some((remote, name))
    }

    /// Whether git accepts a name for a branch.
    pub(crate) fn is_branch_name(&self, name: &str) -> bool {
        let full = format!("refs/heads/{name}");
        !name.starts_with('-')
            && name != "HEAD"
            && self
                .run(cmd!(sh(), "git check-ref-format {full}"))
                .is_ok_and(|finished| finished.ok())
    }

    /// Creates a branch at HEAD and switches to it; files stay as they are. Returns the output of a failing
    /// post-checkout hook: the branch exists all the same.
    pub(crate) fn start_branch(&self, name: &str) -> anyhow::Result<Option<String>> {
        let finished = self.run(cmd!(sh(), "git switch --quiet --no-track --create {name}"))?;
        if finished.ok() {
            return Ok(None);
        }
        if self.branch().as_deref() == Some(name) {
            return Ok(Some(finished.tail));
        }
        Failure::failed(format!("could not create branch {name}"))
            .details(finished.tail)
            .err()
    }

    /// Whether a local branch has a reflog.
    pub(crate) fn remembers(&self, branch: &str) -> bool {
        self.reflog(branch).is_ok_and(|log| !log.is_empty())
    }

    /// Whether a local branch was at a commit, by its reflog.
    pub(crate) fn was_at(&self, branch: &str, sha: &str) -> bool {
        self.reflog(branch)
            .is_ok_and(|log| log.lines().any(|line| line == sha))
    }

    /// The commits that a local branch was at, one a line.
    fn reflog(&self, branch: &str) -> anyhow::Result<String> {
        self.read(cmd!(
            sh(),
            "git log --walk-reflogs --format=%H --end-of-options refs/heads/{branch} --"
        ))
    }

    /// Whether a clean filter (Git LFS) applies to a file.
    pub(crate) fn is_filtered(&self, path: &str) -> anyhow::Result<bool> {
        let top = self.top()?;
        let told = self.read(cmd!(sh(), "git -C {top} check-attr -z filter -- {path}"))?;
        let name = super::pieces(&told).nth(2).unwrap_or("unspecified");
        let program = |kind: &str| self.setting(&format!("filter.{name}.{kind}"));
        Ok(name != "unspecified" && (program("clean").is_some() || program("process").is_some()))
    }
}
