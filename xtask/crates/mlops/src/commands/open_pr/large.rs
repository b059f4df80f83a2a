//! Files that are too large for GitHub, or for a history.

use super::findings::Findings;
use crate::git::{Change, Changed, Git};
use crate::ui::safe_line;

/// From here on a file is worth a word.
const LARGE: u64 = 10 * 1024 * 1024;
/// From here on GitHub refuses a file.
const TOO_LARGE: u64 = 100 * 1024 * 1024;
/// What to do about a large file.
const ELSEWHERE: &str = "keep it in a volume of the workspace, or in Git LFS";

/// Says which files are too large as they lie on disk: git is not even asked to read them. One that a filter
/// takes (Git LFS) is another one in the commit.
pub(super) fn too_large_on_disk(
    git: &Git,
    findings: &mut Findings,
    changes: &[Change],
) -> anyhow::Result<bool> {
    let top = git.top()?;
    let size = |path: &str| {
        let facts = fs_err::symlink_metadata(top.join(path)).ok()?;
        facts.is_file().then_some(facts.len())
    };
    let mut stopped = false;
    for change in changes
        .iter()
        .filter(|change| change.how != Changed::Deleted)
    {
        let Some(size) = size(&change.path).filter(|size| *size >= TOO_LARGE) else {
            continue;
        };
        if !git.is_filtered(&change.path)? {
            too_large(findings, &change.path, size);
            stopped = true;
        }
    }
    Ok(stopped)
}

/// Says that a file is too large, or large.
pub(super) fn too_large(findings: &mut Findings, path: &str, size: u64) {
    let (path, megabytes) = (safe_line(path), size / 1024 / 1024);
    if size >= TOO_LARGE {
        findings.stop(
            format!("{path} has {megabytes} MB; GitHub refuses files from 100 MB on"),
            ELSEWHERE,
        );
    } else if size >= LARGE {
        findings.warn(
            format!("{path} has {megabytes} MB, and stays in the history for good"),
            ELSEWHERE,
        );
    }
}
