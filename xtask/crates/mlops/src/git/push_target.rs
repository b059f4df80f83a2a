//! The push target of a branch in git's settings.

use xshell::cmd;

use super::Git;
use crate::child_env::sh;

/// The push target of a branch, as for `git push`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PushTarget {
    /// The remote's name or URL; `None` if not set.
    pub(crate) remote: Option<String>,
    /// The branch's name there.
    pub(crate) branch: String,
}

impl Git {
    /// The push target of a branch. Its upstream does not count: a branch made from `origin/release` pulls
    /// from there, and is pushed under its own name.
    pub(crate) fn push_target(&self, branch: &str) -> PushTarget {
        // pushRemote, pushDefault, the branch's own remote, and the remote's push refspecs, as git reads them.
        let line = cmd!(
            sh(),
            "git for-each-ref --format=%(push:remotename)%00%(push:remoteref) refs/heads/{branch}"
        );
        let told = self.read(line).unwrap_or_default();
        let (remote, name) = told.split_once('\0').unwrap_or_default();
        // `.` means a branch of this very clone.
        let remote = Some(remote).filter(|remote| !remote.is_empty() && *remote != ".");
        let by_refspec = name.strip_prefix("refs/heads/").map(str::to_owned);
        let name = by_refspec.or_else(|| self.pushed_upstream(branch, remote?));
        PushTarget {
            remote: remote.map(str::to_owned),
            branch: name.unwrap_or_else(|| branch.to_owned()),
        }
    }

    /// The upstream of a branch, where it is also the push target: by push.default, or as the branch has
    /// its own pushRemote (`gh pr checkout` sets it).
    fn pushed_upstream(&self, branch: &str, to: &str) -> Option<String> {
        let (remote, name) = self.tracked(branch)?;
        let always = || {
            let usual = self.setting("push.default").unwrap_or_default();
            ["upstream", "tracking"].contains(&usual.to_lowercase().as_str())
        };
        let this_one = || {
            self.setting(&format!("branch.{branch}.pushRemote"))
                .is_some()
        };
        (remote == to && (this_one() || always())).then_some(name)
    }
}
