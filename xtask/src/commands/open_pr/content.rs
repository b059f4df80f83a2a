//! What is in the files that are proposed: secrets, outputs of notebooks, files too large.

use serde_json::Value;

use super::findings::Findings;
use super::secrets;
use crate::context::Context;
use crate::git::{Change, Changed, Git};

/// From here on a file is worth a word.
const LARGE: u64 = 10 * 1024 * 1024;
/// From here on GitHub refuses a file.
const TOO_LARGE: u64 = 100 * 1024 * 1024;
/// Files above this are not searched for secrets.
const SEARCHED: u64 = 1024 * 1024;
/// How many places with secrets are named.
const NAMED: usize = 10;

/// Looks at the files of the commits.
///
/// # Errors
/// When git fails.
pub(super) fn committed(
    git: &Git,
    findings: &mut Findings,
    base: &str,
    head: &str,
    changes: &[Change],
) -> anyhow::Result<()> {
    let sizes = git.sizes(head)?;
    let mut found = Vec::new();
    for change in changes
        .iter()
        .filter(|change| change.how != Changed::Deleted)
    {
        let size = sizes.iter().find(|(path, _)| *path == change.path);
        let size = size.map_or(0, |(_, size)| *size);
        too_large(findings, &change.path, size);
        if size > SEARCHED {
            continue;
        }
        let lines = git.added_lines(base, head, &change.path)?;
        let lines = lines.iter().map(|(number, line)| (*number, line.as_str()));
        found.extend(secret_lines(&change.path, lines));
        if change.path.ends_with(".ipynb") {
            let content = git.content(head, &change.path).unwrap_or_default();
            outputs(findings, &change.path, &content);
        }
    }
    say_secrets(findings, &found);
    Ok(())
}

/// Looks at files that are not committed yet, as they are on disk.
///
/// # Errors
/// When git fails.
pub(super) fn uncommitted(
    context: &Context,
    git: &Git,
    findings: &mut Findings,
    changes: &[Change],
) -> anyhow::Result<()> {
    let top = git.top()?;
    let mut found = Vec::new();
    for change in changes
        .iter()
        .filter(|change| change.how != Changed::Deleted)
    {
        let file = top.join(&change.path);
        let Ok(facts) = fs_err::symlink_metadata(&file) else {
            continue;
        };
        too_large(findings, &change.path, facts.len());
        if !facts.is_file() || facts.len() > SEARCHED {
            continue;
        }
        let content = fs_err::read(&file).unwrap_or_default();
        let text = String::from_utf8_lossy(&content);
        let lines = text.lines().enumerate();
        found.extend(secret_lines(
            &change.path,
            lines.map(|(index, line)| (index + 1, line)),
        ));
        if change.path.ends_with(".ipynb") {
            outputs(findings, &change.path, &content);
        }
        context.interrupt.check()?;
    }
    say_secrets(findings, &found);
    Ok(())
}

fn secret_lines<'l>(path: &str, lines: impl Iterator<Item = (usize, &'l str)>) -> Vec<String> {
    lines
        .filter_map(|(number, line)| {
            let kind = secrets::in_line(line)?;
            Some(format!("{path}:{number} ({kind})"))
        })
        .collect()
}

fn say_secrets(findings: &mut Findings, found: &[String]) {
    if found.is_empty() {
        return;
    }
    let more = match found.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let places = found[..found.len().min(NAMED)].join(", ");
    findings.stop(
        format!("what looks like a secret would be published: {places}{more}"),
        "take it out, also of the commits that hold it, and revoke it; if it is none: --allow-secrets",
    );
}

fn too_large(findings: &mut Findings, path: &str, size: u64) {
    let megabytes = size / 1024 / 1024;
    if size >= TOO_LARGE {
        findings.stop(
            format!("{path} has {megabytes} MB; GitHub refuses files from 100 MB on"),
            "keep it in a volume of the workspace, or in Git LFS",
        );
    } else if size >= LARGE {
        findings.warn(
            format!("{path} has {megabytes} MB, and stays in the history for good"),
            "keep it in a volume of the workspace, or in Git LFS",
        );
    }
}

/// Says that a notebook holds what its cells printed.
fn outputs(findings: &mut Findings, path: &str, content: &[u8]) {
    let notebook: Value = serde_json::from_slice(content).unwrap_or_default();
    let cells = notebook["cells"].as_array().map_or(&[][..], Vec::as_slice);
    let with_outputs = cells
        .iter()
        .filter(|cell| {
            cell["outputs"]
                .as_array()
                .is_some_and(|outputs| !outputs.is_empty())
        })
        .count();
    if with_outputs > 0 {
        let cells = if with_outputs == 1 { "cell" } else { "cells" };
        findings.warn(
            format!("{path} holds the output of {with_outputs} {cells}, data perhaps among it"),
            "clear the outputs in the editor, save, and commit",
        );
    }
}
