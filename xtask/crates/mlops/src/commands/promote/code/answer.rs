//! What `--json` prints; docs/promote-code.md describes the fields.

use serde::Serialize;

use super::bundle_plan::BundlePlan;
use super::contents::Contents;
use super::evidence::Evidence;
use super::following::Deploy;
use super::route::Route;

/// The object.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    pub(super) version: u32,
    /// `nothing`, `planned`, `opened`, `updated`, `unchanged`, `queued` or `merged`.
    pub(super) outcome: &'static str,
    /// `promote` or `undo`.
    pub(super) direction: &'static str,
    pub(super) route: Route,
    /// The newest commit of the branch that the code comes from.
    pub(super) main: String,
    /// The newest commit of the branch that it goes to, before; null before the first release.
    pub(super) release: Option<String>,
    /// The release that an undo brings back.
    pub(super) back_to: Option<String>,
    pub(super) pull: Option<PullRequest>,
    /// The branch that is proposed, and its commit.
    pub(super) head: Option<Head>,
    pub(super) steps: Vec<String>,
    pub(super) contents: Contents,
    pub(super) bundle_plan: Option<BundlePlan>,
    pub(super) evidence: Option<Evidence>,
    /// What is missing for a merge, where the pull request was looked at.
    pub(super) missing: Vec<String>,
    /// The commit that it became.
    pub(super) merged_as: Option<String>,
    pub(super) deploy: Option<Deploy>,
}

#[derive(Debug, Serialize)]
pub(super) struct PullRequest {
    pub(super) number: u64,
    pub(super) url: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Head {
    pub(super) branch: String,
    pub(super) commit: String,
}
