//! Dependencies between tasks, and what the end of one means for those after it.

use std::collections::BTreeMap;

use crate::jobs::{RunIf, Task};
use crate::store::{ResultState, RunState, TaskRun};

/// How a task ended, for the tasks that depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It succeeded, or was not selected for the run.
    Success,
    /// It failed, timed out, or was not run because of a failure.
    Failed,
    /// It was cancelled, or a task before it was.
    Canceled,
    /// It was not run, without a failure: its `run_if` was false, or a condition chose another branch.
    Excluded,
    Decided(bool),
}

impl End {
    /// `None` while it has not ended.
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
            // Who selects tasks vouches for the others.
            Some(ResultState::Disabled) => End::Success,
            Some(ResultState::Excluded) => End::Excluded,
            _ => End::Failed,
        })
    }
}

/// What to do with a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// A dependency has not ended.
    Wait,
    Run,
    /// Do not run it; this is its state.
    Skip(RunState),
}

/// `ends` has the tasks that have ended.
pub(super) fn decide(task: &Task, ends: &BTreeMap<String, End>) -> Decision {
    let mut before = Vec::new();
    for need in &task.depends_on {
        match (ends.get(&need.task_key), &need.outcome) {
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
    // Whatever run_if is: a branch that was not taken is excluded to its last task.
    if excluded > 0 && excluded == before.len() {
        return Decision::Skip(RunState::terminated(
            ResultState::Excluded,
            "All upstream tasks were excluded.",
        ));
    }
    let ok = match task.run_if {
        RunIf::AllDone => true,
        RunIf::NoneFailed => failures == 0 && canceled == 0 && (successes > 0 || before.is_empty()),
        // An excluded task counts as a success, a cancelled one as a failure.
        RunIf::AtLeastOneSuccess => successes + excluded > 0,
        RunIf::AtLeastOneFailed => failures + canceled > 0,
        RunIf::AllFailed => failures + canceled == before.len(),
        RunIf::AllSuccess => successes + excluded == before.len(),
    };
    if ok {
        return Decision::Run;
    }
    Decision::Skip(match task.run_if {
        RunIf::AtLeastOneFailed | RunIf::AllFailed => {
            RunState::terminated(ResultState::Excluded, "No task before this one failed.")
        }
        _ if failures > 0 => {
            RunState::terminated(ResultState::UpstreamFailed, "An upstream task failed.")
        }
        _ => RunState::terminated(
            ResultState::UpstreamCanceled,
            "An upstream task was canceled.",
        ),
    })
}

/// The result of a run, decided by its last tasks, on which no other depends. Tasks that were not selected do not
/// count, wherever they are.
pub(super) fn verdict(tasks: &[TaskRun]) -> RunState {
    let chosen: Vec<_> = tasks
        .iter()
        .filter(|task| task.state.result != Some(ResultState::Disabled))
        .collect();
    let is_last = |key: &str| {
        !chosen
            .iter()
            .any(|task| task.settings.needs().any(|need| need == key))
    };
    let last_fine = chosen
        .iter()
        .filter(|task| is_last(&task.task_key))
        .all(|task| {
            matches!(
                End::of_state(&task.state),
                Some(End::Success | End::Excluded)
            )
        });
    let failed = chosen.iter().find(|task| {
        matches!(
            task.state.result,
            Some(ResultState::Failed | ResultState::TimedOut)
        )
    });
    match failed {
        None if last_fine => RunState::terminated(ResultState::Success, ""),
        Some(_) if last_fine => RunState::terminated(ResultState::SuccessWithFailures, ""),
        Some(task) => RunState::broken(format!(
            "Task {} failed with message: {}. This caused all downstream tasks to get skipped.",
            task.task_key, task.state.message
        )),
        None => RunState::terminated(ResultState::Canceled, "Run canceled."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner::parameters::tests::task;
    use crate::store::LifeCycle;
    use serde_json::{Value, json};

    fn declared(json: Value) -> Task {
        serde_json::from_value(json).unwrap()
    }

    fn after_both(run_if: &str) -> Task {
        declared(json!({"depends_on": [{"task_key": "a"}, {"task_key": "b"}], "run_if": run_if}))
    }

    fn ended(key: &str, needs: &[&str], result: ResultState) -> TaskRun {
        let needs: Vec<Value> = needs.iter().map(|need| json!({"task_key": need})).collect();
        TaskRun {
            state: RunState::terminated(result, "boom"),
            ..task(key, json!({"task_key": key, "depends_on": needs}))
        }
    }

    fn ends(a: End, b: End) -> BTreeMap<String, End> {
        [("a".to_owned(), a), ("b".to_owned(), b)].into()
    }

    #[test]
    fn a_task_waits_until_all_before_it_have_ended() {
        let some = [("a".to_owned(), End::Failed)].into();
        assert_eq!(decide(&after_both("ALL_SUCCESS"), &some), Decision::Wait);
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
                decide(&after_both(run_if), &mixed) == Decision::Run,
                runs,
                "{run_if}"
            );
        }
        let Decision::Skip(state) = decide(&after_both("ALL_SUCCESS"), &mixed) else {
            panic!("it ran")
        };
        assert_eq!(state.result, Some(ResultState::UpstreamFailed));
    }

    #[test]
    fn a_condition_opens_one_branch_and_leaves_the_other_out_to_its_end() {
        let after = |outcome: &str, run_if: &str| {
            let need = json!({"task_key": "a", "outcome": outcome});
            declared(json!({"depends_on": [need], "run_if": run_if}))
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
        assert_eq!(decide(&after_both("ALL_SUCCESS"), &join), Decision::Run);
        let nothing = ends(End::Excluded, End::Excluded);
        assert!(matches!(
            decide(&after_both("ALL_DONE"), &nothing),
            Decision::Skip(_)
        ));
    }

    #[test]
    fn a_failing_task_makes_the_run_an_internal_error_that_names_it() {
        let state = verdict(&[
            ended("a", &[], ResultState::Failed),
            ended("b", &["a"], ResultState::UpstreamFailed),
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
        let state = verdict(&[
            ended("a", &[], ResultState::Failed),
            ended("b", &["a"], ResultState::Success),
        ]);
        assert_eq!(state.life_cycle, LifeCycle::Terminated);
        assert_eq!(state.result, Some(ResultState::SuccessWithFailures));
    }

    #[test]
    fn a_task_that_was_not_chosen_has_no_say() {
        // Below the task, and between two that were chosen.
        let left_out = ended("b", &["a"], ResultState::Disabled);
        let between = ended("c", &["b"], ResultState::Success);
        for others in [vec![left_out.clone()], vec![left_out, between]] {
            for (result, expected) in [
                (ResultState::Failed, ResultState::Failed),
                (ResultState::TimedOut, ResultState::Failed),
                (ResultState::Canceled, ResultState::Canceled),
                (ResultState::Success, ResultState::Success),
            ] {
                let tasks = [vec![ended("a", &[], result)], others.clone()].concat();
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
            let decision = decide(&after_both(run_if), &ends(a, b));
            assert_eq!(decision == Decision::Run, runs, "{a:?} {b:?} {run_if}");
        }
    }
}
