//! The checks of a commit: check runs of apps, and statuses of the older kind.

use serde::Deserialize;

use super::GitHub;
use super::repositories::Name;
use crate::Error;
use crate::transport::{Method, Request};

/// How a check stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It has not ended.
    Pending,
    /// It is good.
    Passed,
    /// It does not matter: skipped, or neutral.
    Skipped,
    /// It is not good, or was cancelled.
    Failed,
}

/// A check of a commit.
#[derive(Debug, Clone)]
pub struct Check {
    /// Its name, by which rules require it.
    pub name: String,
    /// How it stands.
    pub state: State,
    /// GitHub's own word for that, in lower case.
    pub word: String,
    /// Its page.
    pub url: Option<String>,
}

/// What tells checks apart: the name of each, the workflow that it is a job of, and what started that.
pub(crate) type Called<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

/// What to call each check: by its name where no other has it, else by workflow and name, and where a workflow was
/// started by several events, by the event as well; as GitHub's own pages do.
pub(crate) fn labels(all: &[Called<'_>]) -> Vec<String> {
    let only = |same: &dyn Fn(&Called<'_>) -> bool| all.iter().filter(|one| same(one)).count() == 1;
    let label = |&(name, workflow, event): &Called<'_>| match (workflow, event) {
        _ if only(&|other| other.0 == name) => name.to_owned(),
        (Some(workflow), Some(event))
            if !only(&|other| (other.0, other.1) == (name, Some(workflow))) =>
        {
            format!("{workflow} / {name} ({event})")
        }
        (Some(workflow), _) => format!("{workflow} / {name}"),
        (None, _) => name.to_owned(),
    };
    all.iter().map(label).collect()
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
    struct Runs {
        check_runs: Vec<Run>,
    }
    #[derive(Deserialize)]
    struct Run {
        name: String,
        status: String,
        conclusion: Option<String>,
        #[serde(default)]
        details_url: Option<String>,
    }
    #[derive(Deserialize)]
    struct Statuses {
        statuses: Vec<Status>,
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
    let runs = github.pages(&request, |page: Runs| page.check_runs)?;
    let request = Request::new(Method::Get, format!("{commit}/status"));
    let statuses = github.pages(&request, |page: Statuses| page.statuses)?;
    let runs = runs.into_iter().map(|run| Check {
        state: state_of(&run.status, run.conclusion.as_deref()),
        word: run.conclusion.unwrap_or(run.status).to_lowercase(),
        name: run.name,
        url: run.details_url,
    });
    let statuses = statuses.into_iter().map(|status| Check {
        state: match status.state.as_str() {
            "success" => State::Passed,
            "pending" => State::Pending,
            _ => State::Failed,
        },
        word: status.state,
        name: status.context,
        url: status.target_url,
    });
    Ok(runs.chain(statuses).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_of_one_name_are_called_by_their_workflow() {
        let all = [
            ("test", Some("A"), Some("push")),
            ("test", Some("C"), Some("push")),
            ("test", Some("C"), Some("pull_request")),
            ("lint", Some("A"), Some("push")),
            ("test", None, None),
        ];
        assert_eq!(
            labels(&all),
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
