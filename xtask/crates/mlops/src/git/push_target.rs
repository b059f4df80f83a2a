//! Where git's own settings have a branch pushed to.

use super::Git;

/// Where a branch is pushed to, as `git push` would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PushTarget {
    /// The remote's name, or an address; `None` where no setting names one.
    pub(crate) remote: Option<String>,
    /// What the branch is called there.
    pub(crate) branch: String,
}

impl Git {
    /// Where a branch is pushed to. What it pulls from is no answer: a branch that was made from
    /// `origin/release` pulls from there, and is pushed under its own name.
    pub(crate) fn push_target(&self, branch: &str) -> PushTarget {
        let full = format!("refs/heads/{branch}");
        // pushRemote, pushDefault, the branch's own remote, and the remote's push refspecs, as git reads them.
        let format = "--format=%(push:remotename)%00%(push:remoteref)";
        let told = self
            .read(&["for-each-ref", format, &full])
            .unwrap_or_default();
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

    /// The branch that a branch pulls from, where it is pushed there, too: because git is told so for all of
    /// them, or because this one was given a remote to push to (`gh pr checkout` does).
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
