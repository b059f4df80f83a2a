//! Pushes one ref by its full name, with a lease.

use std::collections::HashSet;

use xshell::{Cmd, cmd};

use super::{Addition, Commit, Git, Login};
use crate::child_env::sh;
use crate::error::Failure;

/// The expected state of the branch on the remote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lease {
    /// The branch does not exist yet.
    New,
    /// Fast-forward only.
    Grows,
    /// Force, if the branch is still at this commit.
    Rewrites(String),
}

/// One ref to push.
#[derive(Debug, Clone)]
pub(crate) struct Push {
    /// The remote's name.
    pub(crate) remote: String,
    /// The commit.
    pub(crate) sha: String,
    pub(crate) branch: String,
    /// The expected state.
    pub(crate) lease: Lease,
    /// Another branch and the commit that it must still be at; else nothing is pushed.
    pub(crate) unmoved: Option<(String, String)>,
    /// Commits that the remote has, or that were searched before.
    pub(crate) known: Vec<String>,
}

/// The unknown content of a push.
#[derive(Debug)]
pub(crate) struct Brings {
    /// What its commits add, without known blobs.
    pub(crate) additions: Vec<Addition>,
    /// The commits, with merges.
    pub(crate) commits: Vec<Commit>,
}

impl Push {
    /// The command: exactly one ref, with full names on both sides.
    fn line(&self, settings: &[String]) -> Cmd<'static> {
        let Push { remote, sha, .. } = self;
        let full = format!("refs/heads/{}", self.branch);
        let lease = match &self.lease {
            // Without this, another user's branch of the same name would be fast-forwarded.
            Lease::New => Some(format!("--force-with-lease={full}:")),
            Lease::Grows => None,
            Lease::Rewrites(expected) => Some(format!("--force-with-lease={full}:{expected}")),
        };
        let mut options = Vec::from_iter(lease);
        let mut refs = vec![format!("{sha}:{full}")];
        if let Some((branch, sha)) = &self.unmoved {
            // A push to its present commit changes nothing; if the branch has moved, git refuses both refs.
            let other = format!("refs/heads/{branch}");
            options.push("--atomic".to_owned());
            options.push(format!("--force-with-lease={other}:{sha}"));
            refs.push(format!("{sha}:{other}"));
        }
        cmd!(
            sh(),
            "git {settings...} push --porcelain --no-follow-tags --recurse-submodules=no {options...}
                -- {remote} {refs...}"
        )
    }
}

impl Git {
    /// Pushes one ref after `search` has accepted its content.
    pub(crate) fn push(
        &self,
        push: &Push,
        login: Option<&Login>,
        search: impl FnOnce(&Brings) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        search(&self.brings(push)?)?;
        let line = push.line(&self.not_as_mirror(&push.remote));
        let finished = self.talk(line, &push.remote, login)?;
        if finished.ok() {
            return Ok(());
        }
        let what = format!("could not push branch {} to {}", push.branch, push.remote);
        let failure = Failure::service(what);
        let is_stale = finished.tail.contains("stale info");
        if let (true, Some((branch, _))) = (is_stale, &push.unmoved) {
            return Failure::failed(format!(
                "{branch} or {} changed on {} in the meantime; nothing was pushed",
                push.branch, push.remote
            ))
            .details(finished.tail)
            .next("run it again: it checks the remote first")
            .err();
        }
        if is_refused(&finished.tail) {
            return failure
                .details(finished.tail)
                .next(format!(
                    "git push {} HEAD:{}   # shows which account git uses",
                    push.remote, push.branch
                ))
                .err();
        }
        let failure = match (is_stale, &push.lease) {
            (true, Lease::New) => {
                failure.next("that branch already exists: choose another name with --branch")
            }
            (true, _) => failure.next(
                "the remote branch has new commits: git fetch, review them, then run it again",
            ),
            (false, _) => failure,
        };
        failure.details(finished.tail).err()
    }

    fn brings(&self, push: &Push) -> anyhow::Result<Brings> {
        let known: Vec<&str> = push.known.iter().map(String::as_str).collect();
        let mut additions = self.additions(&known, &push.sha)?;
        if !additions.is_empty() {
            let mut files = HashSet::new();
            for commit in &known {
                files.extend(self.objects_of_files(commit)?);
            }
            additions.retain(|one| one.new.as_ref().is_none_or(|new| !files.contains(new)));
        }
        Ok(Brings {
            additions,
            commits: self.with_merges(&known, &push.sha)?,
        })
    }

    /// Checks with a dry run whether git may push to a remote; returns git's output if not.
    pub(crate) fn may_not_push(
        &self,
        remote: &str,
        sha: &str,
        branch: &str,
        login: Option<&Login>,
    ) -> anyhow::Result<Option<String>> {
        let settings = self.not_as_mirror(remote);
        // Forced: existing branches are checked elsewhere.
        let line = cmd!(
            sh(),
            "git {settings...} push --dry-run --no-verify --porcelain --no-follow-tags
                --recurse-submodules=no -- {remote} +{sha}:refs/heads/{branch}"
        );
        let finished = self.talk(line, remote, login)?;
        Ok((!finished.ok()).then_some(finished.tail))
    }

    /// What makes a push one of a single ref where the remote is set up as a mirror.
    fn not_as_mirror(&self, remote: &str) -> Vec<String> {
        let mirror = format!("remote.{remote}.mirror");
        match self.is_set(&mirror) {
            true => vec!["-c".to_owned(), format!("{mirror}=false")],
            false => Vec::new(),
        }
    }

    /// Sets a local branch's upstream if it has none.
    pub(crate) fn track(&self, branch: &str, remote: &str, name: &str) {
        if self.setting(&format!("branch.{branch}.merge")).is_some() {
            return;
        }
        // Best effort: the push has succeeded either way.
        let _ = self.run(cmd!(sh(), "git config branch.{branch}.remote {remote}"));
        let _ = self.run(cmd!(
            sh(),
            "git config branch.{branch}.merge refs/heads/{name}"
        ));
    }
}

/// Whether the server refused the push or the credentials.
fn is_refused(said: &str) -> bool {
    [
        "error: 403",
        "error: 401",
        "Permission denied",
        "Authentication failed",
        "Write access",
    ]
    .iter()
    .any(|words| said.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_names_one_ref_in_full() {
        let mut push = Push {
            remote: "origin".to_owned(),
            sha: "abc".to_owned(),
            branch: "-f".to_owned(),
            lease: Lease::Grows,
            unmoved: None,
            known: Vec::new(),
        };
        let start = "git push --porcelain --no-follow-tags --recurse-submodules=no";
        let end = "-- origin abc:refs/heads/-f";
        let typed = |push: &Push| push.line(&[]).to_string();
        assert_eq!(typed(&push), format!("{start} {end}"));
        push.lease = Lease::New;
        let lease = "--force-with-lease=refs/heads/-f:";
        assert_eq!(typed(&push), format!("{start} {lease} {end}"));
        push.lease = Lease::Rewrites("def".to_owned());
        assert_eq!(typed(&push), format!("{start} {lease}def {end}"));
        push.unmoved = Some(("x".to_owned(), "123".to_owned()));
        let both = "--atomic --force-with-lease=refs/heads/x:123";
        let other = "123:refs/heads/x";
        assert_eq!(
            typed(&push),
            format!("{start} {lease}def {both} {end} {other}")
        );
    }
}
