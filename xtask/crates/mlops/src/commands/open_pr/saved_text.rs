//! What was typed, kept until the pull request is there: a run that fails loses nothing.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use super::text::Text;
use crate::context::Context;
use crate::files;
use xtask_remote::sha256;

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    version: u32,
    branch: String,
    text: Text,
}

/// Where the text for a branch is kept.
fn file(context: &Context, branch: &str) -> Utf8PathBuf {
    // A branch's name may hold what a file's may not.
    let name = &sha256(branch.as_bytes())[..16];
    folder(context).join(format!("{name}.json"))
}

pub(super) fn folder(context: &Context) -> Utf8PathBuf {
    context.local().join("open-pr")
}

/// The text that an earlier run for this branch did not get to use.
pub(super) fn find(context: &Context, branch: &str) -> Option<Text> {
    let text = fs_err::read_to_string(file(context, branch)).ok()?;
    let kept: Kept = xtask_remote::json::from_str(&text).ok()?;
    (kept.version == 1 && kept.branch == branch).then_some(kept.text)
}

/// Keeps a text.
pub(super) fn keep(context: &Context, branch: &str, text: &Text) -> anyhow::Result<()> {
    let kept = Kept {
        version: 1,
        branch: branch.to_owned(),
        text: text.clone(),
    };
    let kept = serde_json::to_vec_pretty(&kept)?;
    Ok(files::replace(&file(context, branch), &kept)?)
}

/// Forgets it: the pull request has it now.
pub(super) fn forget(context: &Context, branch: &str) {
    let _ = fs_err::remove_file(file(context, branch));
}
