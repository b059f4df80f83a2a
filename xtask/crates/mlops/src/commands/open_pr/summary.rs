//! The part of the description that we write: what changed in notebooks and resources, and what a local
//! run of this very content measured.

mod metrics;
mod planned;

use crate::context::Context;
use crate::git::{Change, Git};
use crate::pull_request::notebooks;

/// What the summary is about.
pub(super) struct Subject<'a> {
    /// The commit that it goes onto.
    pub(super) base: &'a str,
    /// The branch that it goes into.
    pub(super) base_branch: &'a str,
    /// The newest commit.
    pub(super) head: &'a str,
    /// What differs between the two.
    pub(super) changes: &'a [Change],
    /// Whether the files on disk are those of the newest commit.
    pub(super) clean: bool,
}

/// The summary, in Markdown; empty where there is nothing to say.
pub(super) fn write(context: &Context, git: &Git, subject: &Subject<'_>) -> anyhow::Result<String> {
    let sections = [
        ("Notebooks", notebooks::section(git, subject.changes)?),
        ("Resources", planned::section(context, git, subject)?),
        ("Metrics", metrics::section(context, subject)?),
    ];
    Ok(sections
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(heading, text)| format!("### {heading}\n\n{text}"))
        .collect::<Vec<_>>()
        .join("\n\n"))
}
