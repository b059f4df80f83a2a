//! Partial clones: git would fetch each missing object on demand, one request each, with its own
//! credentials. Here they are fetched together, with ours.

use std::collections::BTreeSet;

use xshell::cmd;

use super::{Git, Login};
use crate::child_env::sh;
use crate::error::Failure;

/// The most objects on one command line.
const AT_ONCE: usize = 1000;

impl Git {
    /// The credential for local commands in a partial clone, which may fetch.
    pub(crate) fn lend(&self, login: Option<&Login>) {
        if let Some(login) = login
            && self.promisor().is_some()
        {
            let _ = self.login.set(login.clone());
        }
    }

    /// Fetches the missing ones of some objects in a partial clone; other clones have all.
    pub(crate) fn bring_objects(&self, ids: &[&str]) -> anyhow::Result<()> {
        let Some(remote) = self.promisor() else {
            return Ok(());
        };
        let missing = self.missing(ids)?;
        for some in missing.chunks(AT_ONCE) {
            let line = cmd!(
                sh(),
                "git -c fetch.negotiationAlgorithm=noop fetch --quiet --no-tags --no-write-fetch-head
                    --no-recurse-submodules --no-auto-maintenance --filter=blob:none -- {remote} {some...}"
            );
            let finished = self.talk(line, &remote, self.login.get())?;
            if !finished.ok() {
                return Failure::service(format!(
                    "could not fetch {} files that the change touches",
                    some.len()
                ))
                .details(finished.tail)
                .next(format!("git fetch {remote}"))
                .err();
            }
        }
        Ok(())
    }

    /// The promisor remote.
    fn promisor(&self) -> Option<String> {
        if let Some(remote) = self.setting("extensions.partialClone") {
            return Some(remote);
        }
        let named = self.settings_named("remote.", ".promisor");
        let first = named.first()?;
        let name = first.strip_prefix("remote.")?.strip_suffix(".promisor")?;
        Some(name.to_owned())
    }

    /// Which of some objects are missing. Nearly every git command would fetch them; a walk over a tree
    /// that lists them does not.
    fn missing(&self, ids: &[&str]) -> anyhow::Result<Vec<String>> {
        let ids: BTreeSet<&str> = ids.iter().copied().collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let entries: String = ids
            .iter()
            .map(|id| format!("100644 blob {id}\t{id}\n"))
            .collect();
        let tree = self.fed(cmd!(sh(), "git mktree --missing"), entries)?;
        let walk = cmd!(sh(), "git rev-list --objects --missing=print --stdin");
        Ok(self
            .fed(walk, tree)?
            .lines()
            .filter_map(|line| line.strip_prefix('?').map(str::to_owned))
            .collect())
    }
}
