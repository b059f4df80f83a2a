//! Repositories, permissions and branch rules.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Id;
use crate::clock::Time;

/// Objects are in a bare git repository; refs are stored here, too.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Repo {
    pub(crate) id: Id,
    pub(crate) owner: Id,
    pub(crate) name: String,
    /// Former `OWNER/NAME`, which redirect until another repository takes them.
    #[serde(default)]
    pub(crate) former_names: Vec<String>,
    pub(crate) description: Option<String>,
    pub(crate) private: bool,
    pub(crate) default_branch: String,
    pub(crate) parent: Option<Id>,
    pub(crate) collaborators: BTreeMap<Id, Permission>,
    pub(crate) merging: Merging,
    /// By full name.
    pub(crate) refs: BTreeMap<String, String>,
    /// By branch name.
    pub(crate) rules: BTreeMap<String, BranchRule>,
    /// Number of the next pull request.
    pub(crate) next_number: u64,
    pub(crate) created_at: Time,
    pub(crate) pushed_at: Time,
}

/// Each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Permission {
    Read,
    Triage,
    Write,
    Maintain,
    Admin,
}

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

/// Requirements for changes of a branch.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct BranchRule {
    /// Names of checks or contexts of statuses.
    pub(crate) required_checks: Vec<String>,
    /// The pull request must contain the branch's newest commit.
    pub(crate) strict: bool,
    /// `None` if reviews are not required.
    pub(crate) required_approvals: Option<u32>,
    /// A push dismisses earlier approvals.
    pub(crate) dismiss_stale: bool,
    pub(crate) code_owners: bool,
    pub(crate) resolve_threads: bool,
    /// The rule applies to administrators, too.
    pub(crate) enforce_admins: bool,
    pub(crate) merge_queue: bool,
    /// A ruleset instead of classic protection.
    pub(crate) ruleset: Option<Id>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Label {
    pub(crate) id: Id,
    pub(crate) repo: Id,
    pub(crate) name: String,
    pub(crate) color: String,
    pub(crate) description: Option<String>,
}

impl Repo {
    pub(crate) fn branch(&self, name: &str) -> Option<&str> {
        self.refs
            .get(&format!("refs/heads/{name}"))
            .map(String::as_str)
    }

    pub(crate) fn branches(&self) -> impl Iterator<Item = (&str, &str)> {
        self.refs
            .iter()
            .filter_map(|(name, sha)| Some((name.strip_prefix("refs/heads/")?, sha.as_str())))
    }
}
