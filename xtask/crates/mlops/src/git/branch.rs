//! The current branch, and creating new ones.

use super::Git;
use crate::error::{Failure, Kind};

impl Git {
    /// The current branch; `None` on a detached HEAD.
    pub(crate) fn branch(&self) -> Option<String> {
        let name = self.read(&["symbolic-ref", "--quiet", "HEAD"]).ok()?;
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
                .run(&["check-ref-format", &full])
                .is_ok_and(|finished| finished.ok())
    }

    /// Creates a branch at HEAD and switches to it; files stay as they are. Returns the output of a failing
    /// post-checkout hook: the branch exists all the same.
    pub(crate) fn start_branch(&self, name: &str) -> anyhow::Result<Option<String>> {
        let finished = self.run(&["switch", "--quiet", "--no-track", "--create", name])?;
        if finished.ok() {
            return Ok(None);
        }
        if self.branch().as_deref() == Some(name) {
            return Ok(Some(finished.tail));
        }
        Failure::new(Kind::Failed, format!("could not create branch {name}"))
            .details(finished.tail)
            .err()
    }

    /// Whether a local branch has a reflog.
    pub(crate) fn remembers(&self, branch: &str) -> bool {
        let full = format!("refs/heads/{branch}");
        let log = ["log", "--walk-reflogs", "--max-count=1", "--format=%H"];
        self.read(&[&log[..], &["--end-of-options", &full, "--"]].concat())
            .is_ok_and(|log| !log.is_empty())
    }

    /// Whether a local branch was at a commit, by its reflog.
    pub(crate) fn was_at(&self, branch: &str, sha: &str) -> bool {
        let full = format!("refs/heads/{branch}");
        self.read(&[
            "log",
            "--walk-reflogs",
            "--format=%H",
            "--end-of-options",
            &full,
            "--",
        ])
        .is_ok_and(|log| log.lines().any(|line| line == sha))
    }

    /// Whether a clean filter (Git LFS) applies to a file.
    pub(crate) fn is_filtered(&self, path: &str) -> anyhow::Result<bool> {
        let top = self.top()?;
        let told = self.read(&["-C", top.as_str(), "check-attr", "-z", "filter", "--", path])?;
        let name = super::pieces(&told).nth(2).unwrap_or("unspecified");
        let program = |kind: &str| self.setting(&format!("filter.{name}.{kind}"));
        Ok(name != "unspecified" && (program("clean").is_some() || program("process").is_some()))
    }
}
