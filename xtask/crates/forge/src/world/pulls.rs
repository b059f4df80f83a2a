//! Pull requests, reviews and comments.

use serde::{Deserialize, Serialize};

use super::Id;
use crate::clock::Time;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pull {
    pub(crate) id: Id,
    pub(crate) repo: Id,
    pub(crate) number: u64,
    pub(crate) title: String,
    pub(crate) body: Option<String>,
    pub(crate) author: Id,
    pub(crate) open: bool,
    pub(crate) draft: bool,
    /// The repository of the branch; a fork may be deleted.
    pub(crate) head_repo: Option<Id>,
    pub(crate) head_ref: String,
    pub(crate) head_sha: String,
    pub(crate) base_ref: String,
    pub(crate) base_sha: String,
    pub(crate) maintainer_can_modify: bool,
    pub(crate) requested_reviewers: Vec<Id>,
    pub(crate) requested_teams: Vec<String>,
    pub(crate) assignees: Vec<Id>,
    pub(crate) labels: Vec<Id>,
    pub(crate) auto_merge: Option<AutoMerge>,
    pub(crate) queued: Option<Queued>,
    pub(crate) created_at: Time,
    pub(crate) updated_at: Time,
    pub(crate) closed_at: Option<Time>,
    pub(crate) merged: Option<Merged>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Merged {
    pub(crate) at: Time,
    pub(crate) by: Id,
    pub(crate) commit: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AutoMerge {
    pub(crate) by: Id,
    pub(crate) at: Time,
    pub(crate) method: MergeMethod,
    pub(crate) title: Option<String>,
    pub(crate) message: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Queued {
    pub(crate) id: Id,
    pub(crate) by: Id,
    pub(crate) at: Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MergeMethod {
    Merge,
    Squash,
    Rebase,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Comment {
    pub(crate) id: Id,
    pub(crate) pull: Id,
    pub(crate) author: Id,
    pub(crate) body: String,
    pub(crate) created_at: Time,
    pub(crate) updated_at: Time,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Review {
    pub(crate) id: Id,
    pub(crate) pull: Id,
    pub(crate) author: Id,
    pub(crate) state: ReviewState,
    pub(crate) body: String,
    pub(crate) commit: String,
    pub(crate) submitted_at: Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum ReviewState {
    Approved,
    ChangesRequested,
    Commented,
    Dismissed,
}

/// A conversation about a line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Thread {
    pub(crate) id: Id,
    pub(crate) pull: Id,
    pub(crate) path: String,
    pub(crate) line: u32,
    pub(crate) author: Id,
    pub(crate) body: String,
    pub(crate) commit: String,
    pub(crate) created_at: Time,
    pub(crate) resolved_by: Option<Id>,
}

impl Pull {
    /// In GraphQL.
    pub(crate) fn state(&self) -> &'static str {
        match (self.open, &self.merged) {
            (true, _) => "OPEN",
            (false, Some(_)) => "MERGED",
            (false, None) => "CLOSED",
        }
    }

    pub(crate) fn is_cross_repository(&self) -> bool {
        self.head_repo != Some(self.repo)
    }
}

impl MergeMethod {
    /// In either API.
    pub(crate) fn parse(name: &str) -> Option<MergeMethod> {
        match name.to_ascii_lowercase().as_str() {
            "merge" => Some(MergeMethod::Merge),
            "squash" => Some(MergeMethod::Squash),
            "rebase" => Some(MergeMethod::Rebase),
            _ => None,
        }
    }

    /// In REST.
    pub(crate) fn name(self) -> &'static str {
        match self {
            MergeMethod::Merge => "merge",
            MergeMethod::Squash => "squash",
            MergeMethod::Rebase => "rebase",
        }
    }
}

impl ReviewState {
    /// In both APIs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            ReviewState::Approved => "APPROVED",
            ReviewState::ChangesRequested => "CHANGES_REQUESTED",
            ReviewState::Commented => "COMMENTED",
            ReviewState::Dismissed => "DISMISSED",
        }
    }
}
