//! Whether the branch can be pushed, and what must hold for it.

use super::on_github::{OnGitHub, new_token};
use super::short;
use crate::commands::open_pr::findings::Findings;
use crate::commands::open_pr::source::Source;
use crate::git::{Git, Lease};

impl OnGitHub<'_> {
    /// What must hold for a push; `None` where nothing is pushed.
    pub(super) fn push(
        &self,
        git: &Git,
        remote_branch: Option<&str>,
        branch: Option<&str>,
        head: &str,
        findings: &mut Findings,
    ) -> anyhow::Result<Option<Lease>> {
        let lease = match (remote_branch, branch) {
            (Some(there), Some(branch)) => self.lease(git, there, branch, head, findings)?,
            _ => Some(Lease::New),
        };
        if lease.is_some() {
            // The name of a branch that is still to be started is not known yet; any will do.
            let name = remote_branch.unwrap_or("xtask-may-push");
            self.judge_right(git, head, name, findings)?;
        }
        Ok(lease)
    }

    fn lease(
        &self,
        git: &Git,
        remote_branch: &str,
        branch: &str,
        head: &str,
        findings: &mut Findings,
    ) -> anyhow::Result<Option<Lease>> {
        let remote = &self.source.remote;
        let there = git.remote_head(remote, remote_branch, self.login.as_ref())?;
        let Some(there) = there else {
            return Ok(Some(Lease::New));
        };
        if there == head {
            return Ok(None);
        }
        let is_here = git.resolve(&there).is_some();
        if is_here && git.contains(head, &there) {
            return Ok(Some(Lease::Grows));
        }
        if is_here && git.is_cut_off(head, &there)? {
            findings.stop(
                format!(
                    "this clone is shallow: it does not tell whether {branch} has the commits of {remote_branch} on {remote}"
                ),
                format!("git fetch --unshallow {remote}"),
            );
            return Ok(Some(Lease::Grows));
        }
        if git.was_at(branch, &there) {
            findings.note(format!(
                "{branch} was rewritten since it was pushed: it replaces the one on {remote}, \
                 if that is still at {}",
                short(&there)
            ));
            return Ok(Some(Lease::Rewrites(there)));
        }
        if is_here && !git.remembers(branch) {
            // Without a reflog an own commit that was amended looks like another's.
            findings.stop(
                format!(
                    "{remote_branch} on {remote} is at {}, which {branch} lacks, and this clone keeps no reflog that \
                     would tell whether {branch} was there before",
                    short(&there)
                ),
                format!(
                    "git log {branch}..{there}; are they your own commits of before: git push \
                     --force-with-lease={remote_branch}:{there} {remote} {branch}:{remote_branch}; else: \
                     git pull --rebase {remote} {remote_branch}"
                ),
            );
            return Ok(Some(Lease::Grows));
        }
        findings.stop(
            format!("{remote_branch} on {remote} has commits that you do not have"),
            format!("git pull --rebase {remote} {remote_branch}"),
        );
        Ok(Some(Lease::Grows))
    }

    /// Whether git may push at all: what the account may do, the token may not be allowed.
    fn judge_right(
        &self,
        git: &Git,
        head: &str,
        branch: &str,
        findings: &mut Findings,
    ) -> anyhow::Result<()> {
        let Source { remote, name, .. } = &self.source;
        let Some(said) = git.may_not_push(remote, head, branch, self.login.as_ref())? else {
            return Ok(());
        };
        let reason = said.trim().lines().last().unwrap_or_default().to_owned();
        let next = match (&self.login, &self.connection.token) {
            (Some(_), Some(token)) => format!(
                "git signs in with the token from {}: {}",
                token.source,
                new_token(self.home)
            ),
            _ => format!(
                "git push --dry-run {remote} HEAD:refs/heads/{branch}   # as whom does git sign in?"
            ),
        };
        findings.stop(format!("git may not push to {name} ({reason})"), next);
        Ok(())
    }
}
