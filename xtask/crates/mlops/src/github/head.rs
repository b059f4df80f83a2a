//! Where a branch goes on GitHub, and which pull requests are its own: one answer for every command that is
//! about "this branch".

use super::{Home, Place};
use crate::context::Context;
use crate::git::{Git, PushTarget};

/// A local branch, and the places that it may be pushed to.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    /// The remotes, in the order in which they are tried: what git's settings push to, what the branch pulls
    /// from, the repository itself, the others.
    pub(crate) places: Vec<Place>,
    local: String,
    target: PushTarget,
}

impl Head {
    /// Works it out from git's settings, without a call. `base` is the branch that pull requests go to.
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
        let mut places: Vec<Place> = Vec::new();
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

    /// What the branch is called at a remote.
    pub(crate) fn name_at(&self, remote: &str) -> &str {
        match self.target.remote.as_deref() == Some(remote) {
            true => &self.target.branch,
            false => &self.local,
        }
    }

    /// The remote that the branch is pushed to, and its name there: where git's settings lead, or else where a
    /// clone that has no such settings would push.
    pub(crate) fn first(&self) -> Option<(&Place, &str)> {
        let place = self.places.first()?;
        Some((place, self.name_at(&place.remote)))
    }

    /// The remote that git's settings push to, where it leads to none of the places.
    pub(crate) fn passed_over(&self) -> Option<&str> {
        let remote = self.target.remote.as_deref()?;
        let is_place = self.places.iter().any(|place| place.remote == remote);
        (!is_place).then_some(remote)
    }
}

/// Where a branch is pushed to: what git's settings say, but never a branch that deploys or that pull requests go
/// to.
pub(crate) fn pushed_to(context: &Context, git: &Git, local: &str, base: &str) -> PushTarget {
    let mut target = git.push_target(local);
    if target.branch == base || context.config.target_of(&target.branch).is_some() {
        local.clone_into(&mut target.branch);
    }
    target
}

/// Whether a pull request with the branch's name is this branch's own, and not that of an earlier branch or of
/// another fork's; `None` where this clone cannot tell, as it lacks the commit. `first` says that it comes from
/// where the branch is pushed to.
pub(crate) fn is_own(git: &Git, head: &str, first: bool, is_open: bool, sha: &str) -> Option<bool> {
    if sha == head || is_open && first {
        return Some(true);
    }
    if is_open && git.contains(head, sha) {
        return Some(true);
    }
    // What was merged or closed without this commit was another branch of the same name.
    git.resolve(sha).map(|_| git.contains(sha, head))
}
