//! The checks of a commit: check runs of apps, and statuses of the older kind.

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

#[cfg(test)]
mod tests {
    use super::*;

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
