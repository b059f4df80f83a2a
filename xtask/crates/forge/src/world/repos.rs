//! Repositories, who may do what in them, and the rules of their branches.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Id, Row};
use crate::clock::Time;

/// A repository. Its objects are in a bare git repository; what refs point at is kept here as well.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Repo {
    pub(crate) id: Id,
    pub(crate) owner: Id,
    pub(crate) name: String,
    /// Names that it had before, `OWNER/NAME`: they lead to it until another repository takes one.
    #[serde(default)]
    pub(crate) former_names: Vec<String>,
    pub(crate) description: Option<String>,
    pub(crate) private: bool,
    pub(crate) default_branch: String,
    /// What it is a fork of.
    pub(crate) parent: Option<Id>,
    pub(crate) collaborators: BTreeMap<Id, Permission>,
    pub(crate) merging: Merging,
    /// Full names of refs, and what they point at.
    pub(crate) refs: BTreeMap<String, String>,
    /// Rules by branch name.
    pub(crate) rules: BTreeMap<String, BranchRule>,
    /// The number that the next pull request gets.
    pub(crate) next_number: u64,
    pub(crate) created_at: Time,
    pub(crate) pushed_at: Time,
}

/// What somebody may do in a repository; each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Permission {
    Read,
    Triage,
    Write,
    Maintain,
    Admin,
}

/// How pull requests may be merged.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Merging {
    pub(crate) allow_merge_commit: bool,
    pub(crate) allow_squash_merge: bool,
    pub(crate) allow_rebase_merge: bool,
    pub(crate) allow_auto_merge: bool,
    pub(crate) delete_branch_on_merge: bool,
}

impl Default for Merging {
    fn default() -> Merging {
        Merging {
            allow_merge_commit: true,
            allow_squash_merge: true,
            allow_rebase_merge: true,
            allow_auto_merge: false,
            delete_branch_on_merge: false,
        }
    }
}

/// What must be true before a branch changes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct BranchRule {
    /// Names of checks or contexts of statuses that must be green.
    pub(crate) required_checks: Vec<String>,
    /// Whether the pull request must hold the newest commit of the branch.
    pub(crate) strict: bool,
    /// Approvals that are needed; `None` when reviews are not asked for at all.
    pub(crate) required_approvals: Option<u32>,
    /// Whether a push makes earlier approvals void.
    pub(crate) dismiss_stale: bool,
    /// Whether owners named in CODEOWNERS must approve.
    pub(crate) code_owners: bool,
    /// Whether open threads hold the merge up.
    pub(crate) resolve_threads: bool,
    /// Whether administrators are held to the rule, too.
    pub(crate) enforce_admins: bool,
    /// Whether merges go through a queue.
    pub(crate) merge_queue: bool,
    /// Whether the rule is a ruleset rather than a classic protection.
    pub(crate) ruleset: Option<Id>,
}

/// A label of a repository.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Label {
    pub(crate) id: Id,
    pub(crate) repo: Id,
    pub(crate) name: String,
    pub(crate) color: String,
    pub(crate) description: Option<String>,
}

impl Repo {
    /// What a branch points at.
    pub(crate) fn branch(&self, name: &str) -> Option<&str> {
        self.refs
            .get(&format!("refs/heads/{name}"))
            .map(String::as_str)
    }

    /// Names of branches and what they point at.
    pub(crate) fn branches(&self) -> impl Iterator<Item = (&str, &str)> {
        self.refs
            .iter()
            .filter_map(|(name, sha)| Some((name.strip_prefix("refs/heads/")?, sha.as_str())))
    }
}

impl Row for Repo {
    const KIND: &'static str = "repository";
}
impl Row for Label {
    const KIND: &'static str = "label";
}
