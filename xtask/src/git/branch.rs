//! The branch that is checked out, and names for new ones.

use super::Git;
use crate::error::{Failure, Kind};

impl Git {
    /// The branch that is checked out; `None` on a detached head.
    pub(crate) fn branch(&self) -> Option<String> {
        let name = self.read(&["symbolic-ref", "--quiet", "HEAD"]).ok()?;
        name.strip_prefix("refs/heads/").map(str::to_owned)
    }

    /// Where a branch is pushed to and pulled from by git's own settings: its remote, and the name it
    /// has there.
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

    /// Makes a branch at the commit that is checked out, and checks it out; files stay as they are.
    ///
    /// # Errors
    /// When there is one of that name.
    pub(crate) fn start_branch(&self, name: &str) -> anyhow::Result<()> {
        let finished = self.run(&["switch", "--quiet", "--no-track", "--create", name])?;
        if finished.ok() {
            return Ok(());
        }
        Failure::new(Kind::Failed, format!("the branch {name} cannot be made"))
            .details(finished.tail)
            .err()
    }
}
