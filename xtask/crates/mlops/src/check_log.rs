//! The log of a check on GitHub Actions, read for the part that tells why it failed.
//!
//! Nothing here asks a service: text in, findings out. The logs that it is tested on were made by the
//! real tools, see `tests/fixtures/check-logs/make.py`.

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

/// How many findings are kept; the others are counted.
const KEPT: usize = 3;
/// How many lines one finding shows.
const SHOWN_LINES: usize = 10;

/// Why a check failed, as far as its log tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FailingPart {
    /// The step that failed, as GitHub names it.
    pub(crate) step: Option<String>,
    /// What is wrong, the most telling first.
    pub(crate) findings: Vec<Finding>,
    /// How many more there are.
    pub(crate) more: usize,
}

/// One thing that is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Finding {
    /// Who says so: `pytest`, `rustc`, `clippy`, `ruff`, `notebook`, …
    pub(crate) tool: String,
    /// The test, rule or task, where it has a name.
    pub(crate) name: Option<String>,
    /// File and line, `path:line`.
    pub(crate) place: Option<String>,
    /// What is wrong, in one line.
    pub(crate) what: String,
    /// The lines of the log that show it.
    pub(crate) lines: Vec<String>,
}

/// Finds the failing part; `None` in the log of a job that did not fail. `failed` is the step that GitHub names.
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

/// What pytest says about one test that failed, in its own account of it.
pub(crate) fn test_failure(test: &str, account: &str) -> Option<Finding> {
    let lines: Vec<&str> = account.lines().collect();
    pytest::of_test(test, &lines)
}

/// What follows the marker by which `cargo xtask test` names its run; of several, the last.
pub(crate) fn run_marker(log: &str) -> Option<&str> {
    let marked = |line: &'_ str| line.find(crate::results::MARKER);
    log.lines().rev().find_map(|line| {
        let start = marked(line)?;
        Some(line[start + crate::results::MARKER.len()..].trim())
    })
}

/// The whole log as plain text: without times, colours and anything that moves a terminal's cursor.
pub(crate) fn plain(log: &str) -> String {
    let mut text = String::with_capacity(log.len());
    for line in log.lines() {
        text.push_str(&lines::plain(line));
        text.push('\n');
    }
    text
}

/// The part of the log of a step that GitHub names: by its name, which says the command where the workflow gives it no
/// other, else by its time.
fn named_step<'s>(steps: &'s [Step], failed: &JobStep) -> Option<&'s Step> {
    // An action or a composite one may have several parts; one of them says why.
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

/// The step whose end is an error, as far as the log alone tells. Of several the last one before the cleaning up: an
/// earlier one was allowed to fail, or the job would have ended there.
fn failing_step(steps: &[Step]) -> Option<&Step> {
    let failed = || steps.iter().filter(|step| !step.errors.is_empty());
    failed()
        .rfind(|step| !step.is_cleanup())
        .or_else(|| failed().next_back())
}

/// What tools say that know what is wrong; else what stopped the step; else its last words.
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

/// `path:line` out of text that starts with `path:line` and goes on with a colon or ends.
fn place(text: &str) -> Option<String> {
    let text = text.trim();
    // The drive of a path on Windows.
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

/// A path below a runner's checkout as the repository has it. Runners of any kind check out to
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
