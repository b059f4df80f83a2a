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

/// Finds the failing part; `None` in the log of a job that did not fail.
pub(crate) fn failing_part(log: &str) -> Option<FailingPart> {
    let steps = lines::steps(log);
    let step = failing_step(&steps)?;
    let mut findings = findings(step);
    let more = findings.len().saturating_sub(KEPT);
    findings.truncate(KEPT);
    for finding in &mut findings {
        finding.lines.truncate(SHOWN_LINES);
    }
    Some(FailingPart {
        step: step.name.clone(),
        findings,
        more,
    })
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

/// The step whose end is an error. Of several the last one that ended the job: an earlier one may have
/// been allowed to fail.
fn failing_step(steps: &[Step]) -> Option<&Step> {
    let failed = || steps.iter().filter(|step| !step.errors.is_empty());
    failed()
        .rfind(|step| step.errors.iter().any(|error| ending::ends_a_job(error)))
        .or_else(|| failed().next_back())
}

/// What tools say that know what is wrong; else what stopped the step; else its last words.
fn findings(step: &Step) -> Vec<Finding> {
    if let Some(stopped) = ending::stopped(step) {
        return vec![stopped];
    }
    let output: Vec<&str> = step.output.iter().map(String::as_str).collect();
    if let Some(task) = programs::failed_task(&output) {
        return vec![task];
    }
    // `cargo xtask` shows what another program said behind a bar.
    let quoted: Vec<&str> = output
        .iter()
        .filter_map(|line| line.strip_prefix("  | "))
        .collect();
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
    programs::last_error(&output)
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
    let mut parts = text.trim().splitn(3, ':');
    let (path, line) = (parts.next()?, parts.next()?.trim());
    let is_path = path.contains(['.', '/']) && !path.contains([' ', '"', '\'', '<']);
    let is_line = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
    (is_path && is_line).then(|| format!("{}:{line}", in_repository(path)))
}

/// A path below a runner's checkout as the repository has it.
fn in_repository(path: &str) -> &str {
    match path.strip_prefix("/home/runner/work/") {
        Some(below) => below.splitn(3, '/').nth(2).unwrap_or(path),
        None => path,
    }
}

#[cfg(test)]
mod tests;
