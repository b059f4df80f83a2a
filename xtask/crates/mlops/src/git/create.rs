//! New repositories: one to begin a project in, and a copy of one commit of another.

use xshell::cmd;

use super::{Git, without_user};
use crate::child_env::sh;
use crate::error::Failure;

impl Git {
    /// Makes the folder a repository whose first commit will be on `branch`.
    pub(crate) fn init(&self, branch: &str) -> anyhow::Result<()> {
        self.read(cmd!(sh(), "git init --quiet --initial-branch={branch}"))?;
        self.forget_settings();
        Ok(())
    }

    /// Commits every file, also those that the user's own settings ignore. Hooks and signing are the user's.
    pub(crate) fn commit_first(&self, message: &str) -> anyhow::Result<String> {
        self.read(cmd!(sh(), "git add --all --force"))?;
        let finished = self.run(cmd!(sh(), "git commit --quiet --message {message}"))?;
        match self.head().filter(|_| finished.ok()) {
            Some(commit) => Ok(commit),
            None => Failure::failed("git refused the first commit")
                .details(finished.tail)
                .next("fix what git, its hook or its signing program reports, then run it again")
                .err(),
        }
    }

    /// Names a remote.
    pub(crate) fn add_remote(&self, name: &str, url: &str) -> anyhow::Result<()> {
        self.read(cmd!(sh(), "git remote add -- {name} {url}"))
            .map(drop)
    }

    /// Fills the folder, a repository without a commit, with the files of one commit of another repository;
    /// `revision` is its hash, or the name of a branch or tag.
    pub(crate) fn check_out_from(&self, url: &str, revision: &str) -> anyhow::Result<()> {
        // The older protocol sends no commit that is not at the end of a branch.
        let fetch = cmd!(
            sh(),
            "git -c protocol.version=2 fetch --quiet --no-tags --depth=1 -- {url} {revision}"
        );
        let finished = self.talk(fetch, url, None)?;
        if !finished.ok() {
            let shown = without_user(url, url);
            return Failure::service(format!("could not fetch {revision} of {shown}"))
                .details(without_user(&finished.tail, url))
                .err();
        }
        // As committed: no hook, and no conversion of line ends.
        let checkout = cmd!(
            sh(),
            "git -c core.hooksPath=/dev/null -c core.autocrlf=false checkout --quiet --detach FETCH_HEAD"
        );
        self.read(checkout).map(drop)
    }

    /// The tags of a commit.
    pub(crate) fn tags_at(&self, commit: &str) -> anyhow::Result<Vec<String>> {
        let listed = self.read(cmd!(sh(), "git tag --points-at {commit}"))?;
        Ok(listed.lines().map(str::to_owned).collect())
    }

    /// Whether a branch of a remote, as last fetched, contains a commit.
    pub(crate) fn is_on_remote(&self, remote: &str, commit: &str) -> bool {
        let below = format!("refs/remotes/{remote}/");
        let line = cmd!(
            sh(),
            "git for-each-ref --count=1 --contains={commit} {below}"
        );
        self.read(line).is_ok_and(|listed| !listed.is_empty())
    }
}
