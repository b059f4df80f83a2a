//! Finds the part of a GitHub Actions log that says why a check failed.
//!
//! Pure functions: text in, findings out. The test logs come from the real tools, see
//! `tests/fixtures/check-logs/make.py`.

mod diagnostics;
mod ending;
mod lines;
mod panics;
mod programs;
mod pytest;
mod traceback;

use serde::{Deserialize, Serialize};
use xtask_remote::github::actions::JobStep;

use lines::Step;

/// The most findings to keep; the rest is counted.
const KEPT: usize = 3;
/// The most lines per finding.
const SHOWN_LINES: usize = 10;

/// Why a check failed, according to its log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FailingPart {
    /// The failed step, as GitHub names it.
    pub(crate) step: Option<String>,
    /// The findings, the most specific first.
    pub(crate) findings: Vec<Finding>,
    /// How many more findings there are.
    pub(crate) more: usize,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Finding {
    /// The tool: `pytest`, `rustc`, `clippy`, `ruff`, `notebook`, …
    pub(crate) tool: String,
    /// The test, rule or task, if named.
    pub(crate) name: Option<String>,
    /// File and line, `path:line`.
    pub(crate) place: Option<String>,
    /// The message, in one line.
    pub(crate) what: String,
    /// The relevant lines of the log.
    pub(crate) lines: Vec<String>,
}

/// Finds the failing part; `None` if the job did not fail. `failed` is the step that GitHub reports as
/// failed.
pub(crate) fn failing_part(log: &str, failed: Option<&JobStep>) -> Option<FailingPart> {
    let steps = lines::steps(log);
    let step = failed
        .and_then(|failed| named_step(&steps, failed))
        .or_else(|| failing_step(&steps))?;
    let mut findings = findings(step);
    let more = findings.len().saturating_sub(KEPT);
    findings.truncate(KEPT);
    for finding in &mut findings {
        finding.lines.truncate(SHOWN_LINES);
    }
    Some(FailingPart {
        step: match failed {
            Some(failed) => Some(crate::ui::safe_line(&failed.name)),
            None => step.name.clone(),
        },
        findings,
        more,
    })
}

/// The finding for one failed test in pytest's output.
pub(crate) fn test_failure(test: &str, account: &str) -> Option<Finding> {
    let lines: Vec<&str> = account.lines().collect();
    pytest::of_test(test, &lines)
}

/// The text after the last marker of `cargo xtask test`.
pub(crate) fn run_marker(log: &str) -> Option<&str> {
    let marked = |line: &'_ str| line.find(crate::results::MARKER);
    log.lines().rev().find_map(|line| {
        let start = marked(line)?;
        Some(line[start + crate::results::MARKER.len()..].trim())
    })
}

/// The log as plain text, without timestamps, colours and control sequences.
pub(crate) fn plain(log: &str) -> String {
    let mut text = String::with_capacity(log.len());
    for line in log.lines() {
        text.push_str(&lines::plain(line));
        text.push('\n');
    }
    text
}

/// The part of the log of a step: by its name (the command, if the workflow gives none), else by its time.
fn named_step<'s>(steps: &'s [Step], failed: &JobStep) -> Option<&'s Step> {
    // An action may have several parts; one of them has the reason.
    let telling = |found: Vec<&'s Step>| {
        let errors = found.iter().rfind(|step| !step.errors.is_empty());
        errors.or(found.last()).copied()
    };
    let of_name = |step: &&Step| step.name.as_deref() == Some(failed.name.as_str());
    let second = |time: Option<&str>| time?.get(..19).map(str::to_owned);
    let start = second(failed.started_at.as_deref());
    let end = second(failed.completed_at.as_deref());
    let in_time = |step: &&Step| {
        let began = second(step.began.as_deref());
        began.is_some() && start.is_some() && start <= began && began <= end
    };
    let with_errors = |step: &&Step| !step.errors.is_empty();
    telling(steps.iter().filter(of_name).collect())
        .or_else(|| telling(steps.iter().filter(in_time).filter(with_errors).collect()))
}

/// The failed step according to the log alone. Of several, the last one before the cleanup: earlier ones
/// were allowed to fail.
fn failing_step(steps: &[Step]) -> Option<&Step> {
    let failed = || steps.iter().filter(|step| !step.errors.is_empty());
    failed()
        .rfind(|step| !step.is_cleanup())
        .or_else(|| failed().next_back())
}

/// Findings of known tools; else what stopped the step; else its last lines.
fn findings(step: &Step) -> Vec<Finding> {
    if let Some(stopped) = ending::stopped(step) {
        return vec![stopped];
    }
    let output: Vec<&str> = step.output.iter().map(String::as_str).collect();
    let task = programs::failed_task(&output).or_else(|| programs::task_of_bundle_run(&output));
    if let Some(task) = task {
        return vec![task];
    }
    // `cargo xtask` shows what another program said behind a bar.
    let quoted: Vec<&str> = output
        .iter()
        .filter_map(|line| line.strip_prefix("  | "))
        .collect();
    let causes = pytest::causes(&quoted);
    if !causes.is_empty() {
        return causes;
    }
    for said in [&output, &quoted] {
        let known: Vec<Finding> = pytest::findings(said)
            .into_iter()
            .chain(panics::findings(said))
            .chain(diagnostics::findings(said))
            .collect();
        if !known.is_empty() {
            return known;
        }
    }
    traceback::group(&output)
        .or_else(|| programs::last_error(&output))
        .or_else(|| traceback::last(&output))
        .or_else(|| ending::killed(step))
        .unwrap_or_else(|| ending::last_words(step))
        .into()
}

impl From<Finding> for Vec<Finding> {
    fn from(finding: Finding) -> Vec<Finding> {
        vec![finding]
    }
}

/// `path:line` at the start of a text, followed by a colon or the end.
fn place(text: &str) -> Option<String> {
    let text = text.trim();
    // The drive letter of a Windows path.
    let drive = match text.as_bytes() {
        [letter, b':', b'\\', ..] if letter.is_ascii_alphabetic() => 2,
        _ => 0,
    };
    let mut parts = text[drive..].splitn(3, ':');
    let (path, line) = (parts.next()?, parts.next()?.trim());
    let is_path = path.contains(['.', '/']) && !path.contains([' ', '"', '\'', '<']);
    let is_line = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
    (is_path && is_line).then(|| format!("{}:{line}", in_repository(path)))
}

/// A path in a runner's checkout relative to the repository. Runners check out to
/// `WORK/REPOSITORY/REPOSITORY`.
fn in_repository(path: &str) -> &str {
    const WORK: &[&str] = &["work", "_work", "__w", "a"];
    let is_separator = |c: char| matches!(c, '/' | '\\');
    let mut before = ["", "", ""];
    let mut length = 0;
    for part in path.split(is_separator) {
        length += part.len() + 1;
        before = [before[1], before[2], part];
        let [work, repository, again] = before;
        if WORK.contains(&work) && repository == again && !again.is_empty() {
            return path
                .get(length..)
                .filter(|below| !below.is_empty())
                .unwrap_or(path);
        }
    }
    path
}

#[cfg(test)]
mod tests;
