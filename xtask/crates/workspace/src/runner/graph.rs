//! Which task waits for which, and what the end of one means for those after it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::store::{LifeCycle, ResultState, RunState, TaskRun};

/// How a task ended, as those that depend on it see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It did its work, or was left out by whoever started the run.
    Success,
    /// It failed, took too long, or was not run because one before it failed.
    Failed,
    /// It was cancelled, or one before it was.
    Canceled,
    /// It was not run, and that is no failure (its `run_if` did not hold, or a condition led elsewhere).
    Excluded,
    /// It is a condition, and this is what it said.
    Decided(bool),
}

impl End {
    /// What the stored state of a task says; `None` while it has not ended.
    pub(super) fn of(task: &TaskRun) -> Option<End> {
        End::of_state(&task.state).map(|end| match (end, task.outcome) {
            (End::Success, Some(outcome)) => End::Decided(outcome),
            (end, _) => end,
        })
    }

    fn of_state(state: &RunState) -> Option<End> {
        if !state.life_cycle.has_ended() {
            return None;
        }
        Some(match state.result {
            Some(ResultState::Success) => End::Success,
            Some(ResultState::Canceled | ResultState::UpstreamCanceled) => End::Canceled,
            // A caller who names the tasks to run vouches for the others.
            Some(ResultState::Disabled) => End::Success,
            Some(ResultState::Excluded) => End::Excluded,
            _ => End::Failed,
        })
    }
}

/// A task that another one waits for.
#[derive(Debug, Clone)]
pub(super) struct Need {
    /// Its key.
    pub key: String,
    /// What it must say, where it is a condition.
    pub outcome: Option<String>,
}

/// What a task declares about its place in the job.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// The tasks it waits for.
    pub depends_on: Vec<Need>,
    /// When it runs, given how those ended.
    pub run_if: String,
    /// How long it may take.
    pub timeout: Option<Duration>,
    /// How often it is tried again.
    pub max_retries: i64,
    /// Pause before the next attempt.
    pub retry_pause: Duration,
    /// Whether a timeout counts as a failure to retry.
    pub retry_on_timeout: bool,
}

impl Node {
    /// Reads a task as the job declares it.
    pub(super) fn of(settings: &Value) -> Node {
        let needs = settings["depends_on"].as_array().into_iter().flatten();
        Node {
            depends_on: needs
                .filter_map(|need| {
                    Some(Need {
                        key: need["task_key"].as_str()?.to_owned(),
                        outcome: need["outcome"].as_str().map(str::to_owned),
                    })
                })
                .collect(),
            run_if: settings["run_if"]
                .as_str()
                .unwrap_or("ALL_SUCCESS")
                .to_owned(),
            timeout: seconds(&settings["timeout_seconds"]),
            max_retries: settings["max_retries"].as_i64().unwrap_or(0),
            retry_pause: Duration::from_millis(
                settings["min_retry_interval_millis"].as_u64().unwrap_or(0),
            ),
            retry_on_timeout: settings["retry_on_timeout"].as_bool().unwrap_or(false),
        }
    }
}

/// A number of seconds; 0 and absent mean no limit.
pub(super) fn seconds(value: &Value) -> Option<Duration> {
    value
        .as_u64()
        .filter(|seconds| *seconds > 0)
        .map(Duration::from_secs)
}

/// What to do with a task now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// A task before it has not ended.
    Wait,
    /// Run it.
    Run,
    /// It will not be run; this is its state.
    Skip(RunState),
}

/// Decides on a task, given how the others ended (those that have).
pub(super) fn decide(node: &Node, ends: &BTreeMap<String, End>) -> Decision {
    let mut before = Vec::new();
    for need in &node.depends_on {
        match (ends.get(&need.key), &need.outcome) {
            (None, _) => return Decision::Wait,
            (Some(End::Decided(said)), Some(wanted)) if said.to_string() != *wanted => {
                before.push(End::Excluded);
            }
            (Some(End::Decided(_)), _) => before.push(End::Success),
            (Some(end), _) => before.push(*end),
        }
    }
    let count = |end: End| before.iter().filter(|e| **e == end).count();
    let (successes, failures, canceled, excluded) = (
        count(End::Success),
        count(End::Failed),
        count(End::Canceled),
        count(End::Excluded),
    );
    // Whatever run_if says: a branch that is not taken is left out to its last task.
    if excluded > 0 && excluded == before.len() {
        return Decision::Skip(RunState::ended(
            LifeCycle::Terminated,
            ResultState::Excluded,
            "All upstream tasks were excluded.",
        ));
    }
    let ok = match node.run_if.as_str() {
        "ALL_DONE" => true,
        "NONE_FAILED" => failures == 0 && canceled == 0 && (successes > 0 || before.is_empty()),
        // A task that was left out counts as one that went well, a cancelled one as one that failed.
        "AT_LEAST_ONE_SUCCESS" => successes + excluded > 0,
        "AT_LEAST_ONE_FAILED" => failures + canceled > 0,
        "ALL_FAILED" => failures + canceled == before.len(),
        _ => successes + excluded == before.len(),
    };
    if ok {
        return Decision::Run;
    }
    Decision::Skip(match node.run_if.as_str() {
        "AT_LEAST_ONE_FAILED" | "ALL_FAILED" => RunState::ended(
            LifeCycle::Terminated,
            ResultState::Excluded,
            "No task before this one failed.",
        ),
        _ if failures > 0 => RunState::ended(
            LifeCycle::Terminated,
            ResultState::UpstreamFailed,
            "An upstream task failed.",
        ),
        _ => RunState::ended(
            LifeCycle::Terminated,
            ResultState::UpstreamCanceled,
            "An upstream task was canceled.",
        ),
    })
}

/// How the whole run ended: what its last tasks (those that no other waits for) say counts. Tasks that were not chosen
/// for the run have no say, whether they come last or wait for another.
pub(super) fn verdict(tasks: &[(String, Node, RunState)]) -> RunState {
    let chosen: Vec<_> = tasks
        .iter()
        .filter(|(_, _, state)| state.result != Some(ResultState::Disabled))
        .collect();
    let is_last = |key: &String| {
        !chosen
            .iter()
            .any(|(_, node, _)| node.depends_on.iter().any(|need| need.key == *key))
    };
    let last_fine = chosen
        .iter()
        .filter(|(key, _, _)| is_last(key))
        .all(|(_, _, state)| matches!(End::of_state(state), Some(End::Success | End::Excluded)));
    let failed = chosen.iter().find(|(_, _, state)| {
        matches!(
            state.result,
            Some(ResultState::Failed | ResultState::TimedOut)
        )
    });
    match failed {
        None if last_fine => RunState::ended(LifeCycle::Terminated, ResultState::Success, ""),
        Some(_) if last_fine => {
            RunState::ended(LifeCycle::Terminated, ResultState::SuccessWithFailures, "")
        }
        Some((key, _, state)) => RunState::ended(
            LifeCycle::InternalError,
            ResultState::Failed,
            format!(
                "Task {key} failed with message: {}. This caused all downstream tasks to get skipped.",
                state.message
            ),
        ),
        None => RunState::ended(
            LifeCycle::Terminated,
            ResultState::Canceled,
            "Run canceled.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn node(run_if: &str) -> Node {
        Node::of(&json!({"depends_on": [{"task_key": "a"}, {"task_key": "b"}], "run_if": run_if}))
    }

    fn ends(a: End, b: End) -> BTreeMap<String, End> {
        [("a".to_owned(), a), ("b".to_owned(), b)].into()
    }

    #[test]
    fn a_task_waits_until_all_before_it_have_ended() {
        let some = [("a".to_owned(), End::Failed)].into();
        assert_eq!(decide(&node("ALL_SUCCESS"), &some), Decision::Wait);
    }

    #[test]
    fn run_if_decides_after_a_failure() {
        let mixed = ends(End::Success, End::Failed);
        for (run_if, runs) in [
            ("ALL_SUCCESS", false),
            ("ALL_DONE", true),
            ("NONE_FAILED", false),
            ("AT_LEAST_ONE_SUCCESS", true),
            ("AT_LEAST_ONE_FAILED", true),
            ("ALL_FAILED", false),
        ] {
            assert_eq!(
                decide(&node(run_if), &mixed) == Decision::Run,
                runs,
                "{run_if}"
            );
        }
        let Decision::Skip(state) = decide(&node("ALL_SUCCESS"), &mixed) else {
            panic!("it ran")
        };
        assert_eq!(state.result, Some(ResultState::UpstreamFailed));
    }

    #[test]
    fn a_condition_opens_one_branch_and_leaves_the_other_out_to_its_end() {
        let after = |outcome: &str, run_if: &str| {
            let need = json!({"task_key": "a", "outcome": outcome});
            Node::of(&json!({"depends_on": [need], "run_if": run_if}))
        };
        let decided: BTreeMap<String, End> = [("a".to_owned(), End::Decided(true))].into();
        assert_eq!(
            decide(&after("true", "ALL_SUCCESS"), &decided),
            Decision::Run
        );
        for run_if in ["ALL_SUCCESS", "ALL_DONE", "NONE_FAILED"] {
            let Decision::Skip(state) = decide(&after("false", run_if), &decided) else {
                panic!("it ran")
            };
            assert_eq!(state.result, Some(ResultState::Excluded), "{run_if}");
        }
        // Where the branches meet again, the one that was not taken does no harm.
        let join = ends(End::Success, End::Excluded);
        assert_eq!(decide(&node("ALL_SUCCESS"), &join), Decision::Run);
        let nothing = ends(End::Excluded, End::Excluded);
        assert!(matches!(
            decide(&node("ALL_DONE"), &nothing),
            Decision::Skip(_)
        ));
    }

    #[test]
    fn a_failing_task_makes_the_run_an_internal_error_that_names_it() {
        let failed = RunState::ended(LifeCycle::Terminated, ResultState::Failed, "boom");
        let upstream = RunState::ended(LifeCycle::Terminated, ResultState::UpstreamFailed, "");
        let state = verdict(&[
            ("a".into(), Node::of(&json!({})), failed),
            (
                "b".into(),
                Node::of(&json!({"depends_on": [{"task_key": "a"}]})),
                upstream,
            ),
        ]);
        assert_eq!(state.life_cycle, LifeCycle::InternalError);
        assert!(
            state.message.contains("Task a failed with message: boom"),
            "{}",
            state.message
        );
    }

    #[test]
    fn a_failure_that_the_last_task_makes_good_is_told_and_fails_nothing() {
        let failed = RunState::ended(LifeCycle::Terminated, ResultState::Failed, "boom");
        let fine = RunState::ended(LifeCycle::Terminated, ResultState::Success, "");
        let last = Node::of(&json!({"depends_on": [{"task_key": "a"}], "run_if": "ALL_DONE"}));
        let state = verdict(&[
            ("a".into(), Node::of(&json!({})), failed),
            ("b".into(), last, fine),
        ]);
        assert_eq!(state.life_cycle, LifeCycle::Terminated);
        assert_eq!(state.result, Some(ResultState::SuccessWithFailures));
    }

    #[test]
    fn a_task_that_was_not_chosen_has_no_say() {
        let ended = |result| RunState::ended(LifeCycle::Terminated, result, "boom");
        let left_out = || RunState::ended(LifeCycle::Skipped, ResultState::Disabled, "");
        let after = |key: &str| Node::of(&json!({"depends_on": [{"task_key": key}]}));
        let first = |result| ("a".to_owned(), Node::of(&json!({})), ended(result));
        // Below the task, and between two that were chosen.
        let below = [("b".to_owned(), after("a"), left_out())];
        let between = [
            ("b".to_owned(), after("a"), left_out()),
            ("c".to_owned(), after("b"), ended(ResultState::Success)),
        ];
        for others in [&below[..], &between[..]] {
            for (result, expected) in [
                (ResultState::Failed, ResultState::Failed),
                (ResultState::TimedOut, ResultState::Failed),
                (ResultState::Canceled, ResultState::Canceled),
                (ResultState::Success, ResultState::Success),
            ] {
                let tasks = [&[first(result)], others].concat();
                assert_eq!(verdict(&tasks).result, Some(expected), "{result:?}");
            }
        }
    }

    #[test]
    fn what_was_left_out_counts_as_success_and_what_was_cancelled_as_failure() {
        for (a, b, run_if, runs) in [
            (End::Failed, End::Excluded, "AT_LEAST_ONE_SUCCESS", true),
            (End::Failed, End::Excluded, "ALL_FAILED", false),
            (End::Failed, End::Canceled, "ALL_FAILED", true),
            (End::Success, End::Canceled, "AT_LEAST_ONE_FAILED", true),
            (End::Success, End::Canceled, "NONE_FAILED", false),
            (End::Success, End::Canceled, "ALL_SUCCESS", false),
            (End::Success, End::Success, "AT_LEAST_ONE_FAILED", false),
            (End::Excluded, End::Success, "NONE_FAILED", true),
        ] {
            let decision = decide(&node(run_if), &ends(a, b));
            assert_eq!(decision == Decision::Run, runs, "{a:?} {b:?} {run_if}");
        }
    }
}
