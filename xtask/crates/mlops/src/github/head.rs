//! A branch's push target on GitHub, and which pull requests are its own: shared by all commands about
//! "this branch".

use super::{GitHubRemote, Home};
use crate::context::Context;
use crate::git::{Git, PushTarget};

/// A local branch and its possible push targets.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    /// The remotes in order of preference: push target, upstream, the repository itself, the others.
    pub(crate) places: Vec<GitHubRemote>,
    local: String,
    target: PushTarget,
}

impl Head {
    /// Finds it from git's settings, without a call. `base` is the base branch of pull requests.
    pub(crate) fn of(context: &Context, git: &Git, home: &Home, local: &str, base: &str) -> Head {
        let target = pushed_to(context, git, local, base);
        let named = |name: Option<&str>| {
            let name = name?;
            home.places.iter().find(|place| place.remote == name)
        };
        let pulled = git.tracked(local).map(|(remote, _)| remote);
        let first = [
            named(target.remote.as_deref()),
            named(pulled.as_deref()),
            home.places.iter().find(|place| place.name.is(&home.name)),
        ];
        let mut places: Vec<GitHubRemote> = Vec::new();
        for place in first.into_iter().flatten().chain(&home.places) {
            if !places.iter().any(|known| known.remote == place.remote) {
                places.push(place.clone());
            }
        }
        Head {
            places,
            local: local.to_owned(),
            target,
        }
    }

    /// The branch's name on a remote.
    pub(crate) fn name_at(&self, remote: &str) -> &str {
        match self.target.remote.as_deref() == Some(remote) {
            true => &self.target.branch,
            false => &self.local,
        }
    }

    /// The remote to push to and the branch's name there: by git's settings, else the default of a clone.
    pub(crate) fn first(&self) -> Option<(&GitHubRemote, &str)> {
        let place = self.places.first()?;
        Some((place, self.name_at(&place.remote)))
    }

    /// The push remote of git's settings, if it is none of these.
    pub(crate) fn passed_over(&self) -> Option<&str> {
        let remote = self.target.remote.as_deref()?;
        let is_place = self.places.iter().any(|place| place.remote == remote);
        (!is_place).then_some(remote)
    }
}

/// The push target by git's settings, but never a branch that deploys or a base branch.
pub(crate) fn pushed_to(context: &Context, git: &Git, local: &str, base: &str) -> PushTarget {
    let mut target = git.push_target(local);
    if target.branch == base || context.config.target_of(&target.branch).is_some() {
        local.clone_into(&mut target.branch);
    }
    target
}

/// Whether a pull request with the branch's name is this branch's own, and not an earlier branch's or
/// another fork's; `None` if this clone lacks the commit. `first`: it comes from the branch's push target.
pub(crate) fn is_own(git: &Git, head: &str, first: bool, is_open: bool, sha: &str) -> Option<bool> {
    if sha == head || is_open && first {
        return Some(true);
    }
    if is_open && git.contains(head, sha) {
        return Some(true);
    }
    // A merged or closed pull request without this commit was another branch of the same name.
    git.resolve(sha).map(|_| git.contains(sha, head))
}
