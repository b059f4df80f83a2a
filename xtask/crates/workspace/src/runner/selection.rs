//! Selects the tasks of a run.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::ApiError;
use crate::jobs::{Declared, Task};
use crate::store::{LifeCycle, NewTask, ResultState, RunState};

/// Tasks that `only` does not select are disabled.
pub(super) fn tasks(
    all: &[Declared<Task>],
    only: &[String],
    run: &RunState,
) -> Result<Vec<NewTask>, ApiError> {
    let chosen = choose(all, only)?;
    let task = |task: &Declared<Task>| {
        let key = task.task_key.as_str();
        let waits = !task.depends_on.is_empty();
        let state = match (run.life_cycle.has_ended(), chosen.contains(key), waits) {
            (true, _, _) => run.clone(),
            (false, false, _) => RunState::ended(
                LifeCycle::Skipped,
                ResultState::Disabled,
                "not selected for this run",
            ),
            (false, true, true) => RunState::active(LifeCycle::Blocked),
            (false, true, false) => RunState::active(LifeCycle::Pending),
        };
        NewTask {
            task_key: key.to_owned(),
            settings: task.clone(),
            state,
        }
    };
    Ok(all.iter().map(task).collect())
}

/// `only` selects: `a` the task, `+a` also its dependencies, `a+` also its dependents.
fn choose<'t>(tasks: &'t [Declared<Task>], only: &[String]) -> Result<BTreeSet<&'t str>, ApiError> {
    let graph: BTreeMap<&str, Vec<&str>> = tasks
        .iter()
        .map(|task| (&*task.task_key, task.needs().collect()))
        .collect();
    if only.is_empty() {
        return Ok(graph.into_keys().collect());
    }
    let mut chosen = BTreeSet::new();
    for pattern in only {
        let name = pattern.trim_matches('+');
        let Some((&key, _)) = graph.get_key_value(name) else {
            return Err(ApiError::invalid(format!(
                "only: '{name}' is not a task of the job"
            )));
        };
        let mut found = BTreeSet::from([key]);
        if pattern.starts_with('+') {
            grow(&mut found, |found| {
                graph
                    .iter()
                    .filter(|(key, _)| found.contains(*key))
                    .flat_map(|(_, n)| n.clone())
                    .collect()
            });
        }
        let mut below = BTreeSet::from([key]);
        if pattern.ends_with('+') {
            grow(&mut below, |below| {
                graph
                    .iter()
                    .filter(|(_, needs)| needs.iter().any(|n| below.contains(n)))
                    .map(|(key, _)| *key)
                    .collect()
            });
        }
        chosen.extend(found);
        chosen.extend(below);
    }
    Ok(chosen)
}

/// Adds the results of `next` until there are no new ones.
fn grow<'t>(set: &mut BTreeSet<&'t str>, next: impl Fn(&BTreeSet<&'t str>) -> Vec<&'t str>) {
    let mut size = 0;
    while size < set.len() {
        size = set.len();
        let found = next(set);
        set.extend(found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_selects_tasks_with_their_upstream_or_downstream() {
        let task = |key: &str, needs: &[&str]| {
            let needs: Vec<_> = needs.iter().map(|need| json!({"task_key": need})).collect();
            Declared::parse(json!({"task_key": key, "depends_on": needs})).unwrap()
        };
        let tasks = [
            task("a", &[]),
            task("b", &["a"]),
            task("c", &["b"]),
            task("d", &["b"]),
        ];
        for (only, expected) in [
            (vec![], vec!["a", "b", "c", "d"]),
            (vec!["b"], vec!["b"]),
            (vec!["+c"], vec!["a", "b", "c"]),
            (vec!["b+"], vec!["b", "c", "d"]),
            (vec!["+b+"], vec!["a", "b", "c", "d"]),
            (vec!["a", "d"], vec!["a", "d"]),
        ] {
            let only: Vec<String> = only.into_iter().map(str::to_owned).collect();
            assert_eq!(
                choose(&tasks, &only)
                    .unwrap()
                    .into_iter()
                    .collect::<Vec<_>>(),
                expected,
                "{only:?}"
            );
        }
        assert!(
            choose(&tasks, &["x".to_owned()])
                .unwrap_err()
                .message
                .contains("'x'")
        );
    }
}
