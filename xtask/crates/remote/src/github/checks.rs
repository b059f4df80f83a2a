//! The checks of a commit: check runs of apps, and statuses of the older kind.

use serde::Deserialize;

use super::GitHub;
use super::repositories::Name;
use crate::Error;
use crate::transport::{Method, Request};

/// How a check stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum State {
    /// It has not ended.
    #[default]
    Pending,
    /// It is good.
    Passed,
    /// It does not matter: skipped, or neutral.
    Skipped,
    /// It is not good, or was cancelled.
    Failed,
}

/// A check of a commit.
#[derive(Debug, Clone, Default)]
pub struct Check {
    /// Its name, by which rules require it. Several may have it.
    pub name: String,
    /// What to call it: its name, with its workflow where another check has the same name.
    pub label: String,
    /// The workflow that it is a job of.
    pub workflow: Option<String>,
    /// What started that workflow.
    pub event: Option<String>,
    /// How it stands.
    pub state: State,
    /// GitHub's own word for that, in lower case.
    pub word: String,
    /// Whether a merge waits for it; `None` where that is not known.
    pub required: Option<bool>,
    /// When it started, RFC 3339.
    pub started_at: Option<String>,
    /// When it ended, RFC 3339.
    pub completed_at: Option<String>,
    /// Its page.
    pub url: Option<String>,
    /// The job on GitHub Actions that it is, whose log can be had.
    pub job: Option<u64>,
    /// The workflow's run.
    pub run: Option<u64>,
    /// What it says about itself.
    pub summary: Option<String>,
}

/// Labels each check: by its name where no other has it, else by workflow and name, and where a workflow was started
/// by several events, by the event as well; as GitHub's own pages do.
pub(crate) fn label(checks: &mut [Check]) {
    let only = |same: &dyn Fn(&Check) -> bool| checks.iter().filter(|one| same(one)).count() == 1;
    let label = |check: &Check| {
        let Check { name, workflow, .. } = check;
        let alone = only(&|other| (&other.name, &other.workflow) == (name, workflow));
        match (workflow, &check.event) {
            _ if only(&|other| other.name == *name) => name.clone(),
            (Some(workflow), Some(event)) if !alone => format!("{workflow} / {name} ({event})"),
            (Some(workflow), _) => format!("{workflow} / {name}"),
            (None, _) => name.clone(),
        }
    };
    let labels: Vec<String> = checks.iter().map(label).collect();
    for (label, check) in labels.into_iter().zip(checks) {
        check.label = label;
    }
}

/// Turns GitHub's words into a state. A status of `completed` goes by its conclusion; whatever is
/// not known has not passed.
#[must_use]
pub fn state_of(status: &str, conclusion: Option<&str>) -> State {
    let word = conclusion.filter(|_| status.eq_ignore_ascii_case("completed"));
    match word.map(str::to_lowercase).as_deref() {
        None => State::Pending,
        Some("success") => State::Passed,
        Some("skipped" | "neutral") => State::Skipped,
        Some(_) => State::Failed,
    }
}

/// All checks of a commit, each as it stands now.
///
/// # Errors
/// Any [`Error`]; one with status 422 for a commit that GitHub does not have.
pub fn of_commit(github: &GitHub, name: &Name, sha: &str) -> Result<Vec<Check>, Error> {
    #[derive(Deserialize)]
    struct Run {
        name: String,
        status: String,
        conclusion: Option<String>,
        #[serde(default)]
        details_url: Option<String>,
    }
    #[derive(Deserialize)]
    struct Status {
        context: String,
        state: String,
        #[serde(default)]
        target_url: Option<String>,
    }
    let commit = format!("{}/commits/{sha}", name.path());
    let request =
        Request::new(Method::Get, format!("{commit}/check-runs")).query("filter", "latest");
    let runs: Vec<Run> = github.pages(&request, Some("check_runs"))?;
    let request = Request::new(Method::Get, format!("{commit}/status"));
    let statuses: Vec<Status> = github.pages(&request, Some("statuses"))?;
    let runs = runs.into_iter().map(|run| Check {
        state: state_of(&run.status, run.conclusion.as_deref()),
        word: run.conclusion.unwrap_or(run.status).to_lowercase(),
        label: run.name.clone(),
        name: run.name,
        url: run.details_url,
        ..Check::default()
    });
    let statuses = statuses.into_iter().map(|status| Check {
        state: match status.state.as_str() {
            "success" => State::Passed,
            "pending" => State::Pending,
            _ => State::Failed,
        },
        word: status.state,
        label: status.context.clone(),
        name: status.context,
        url: status.target_url,
        ..Check::default()
    });
    Ok(runs.chain(statuses).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_of_one_name_are_called_by_their_workflow() {
        let mut all = [
            ("test", Some("A"), Some("push")),
            ("test", Some("C"), Some("push")),
            ("test", Some("C"), Some("pull_request")),
            ("lint", Some("A"), Some("push")),
            ("test", None, None),
        ]
        .map(|(name, workflow, event)| Check {
            name: name.to_owned(),
            workflow: workflow.map(str::to_owned),
            event: event.map(str::to_owned),
            ..Check::default()
        });
        label(&mut all);
        assert_eq!(
            all.map(|check| check.label),
            [
                "A / test",
                "C / test (push)",
                "C / test (pull_request)",
                "lint",
                "test"
            ]
        );
    }

    #[test]
    fn what_is_not_known_has_not_passed() {
        assert_eq!(state_of("completed", Some("success")), State::Passed);
        assert_eq!(state_of("COMPLETED", Some("NEUTRAL")), State::Skipped);
        for word in [
            "failure",
            "timed_out",
            "action_required",
            "cancelled",
            "stale",
            "startup_failure",
            "new",
        ] {
            assert_eq!(state_of("completed", Some(word)), State::Failed, "{word}");
        }
        for word in [
            "queued",
            "in_progress",
            "waiting",
            "requested",
            "pending",
            "new",
        ] {
            assert_eq!(state_of(word, None), State::Pending, "{word}");
        }
    }
}
