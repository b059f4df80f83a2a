//! What a job may look like, and what the service fills in.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Trigger, task_kinds};
use crate::error::ApiError;

const GIT_PROVIDERS: &str = "github,gitlab,bitbucketcloud,gitlabenterpriseedition,bitbucketserver,\
     azuredevopsservices,githubenterprise,awscodecommit";
const RUN_IF: &[&str] = &[
    "ALL_SUCCESS",
    "ALL_DONE",
    "NONE_FAILED",
    "AT_LEAST_ONE_SUCCESS",
    "ALL_FAILED",
    "AT_LEAST_ONE_FAILED",
];

/// The settings with the service's defaults filled in, or why they are refused.
pub(crate) fn checked(mut settings: Map<String, Value>) -> Result<Value, ApiError> {
    let has_git = match settings.get("git_source") {
        None | Some(Value::Null) => false,
        Some(git) if git["git_provider"].as_str().is_none_or(str::is_empty) => {
            return Err(ApiError::invalid(format!(
                "git_source.git_provider must be one of: {GIT_PROVIDERS}"
            )));
        }
        Some(_) => true,
    };
    fill(&mut settings, "name", json!("Untitled"));
    fill(&mut settings, "format", json!("MULTI_TASK"));
    fill(&mut settings, "max_concurrent_runs", json!(1));
    fill(&mut settings, "timeout_seconds", json!(0));
    fill(&mut settings, "email_notifications", json!({}));
    fill(&mut settings, "webhook_notifications", json!({}));
    if let Some(tasks) = settings.get_mut("tasks") {
        let tasks = tasks
            .as_array_mut()
            .ok_or_else(|| ApiError::invalid("tasks must be a list"))?;
        for task in tasks.iter_mut() {
            check_task(task, has_git)?;
        }
        check_dependencies(tasks)?;
    }
    let settings = Value::Object(settings);
    Trigger::of(&settings)?;
    Ok(settings)
}

fn fill(object: &mut Map<String, Value>, key: &str, value: Value) {
    object.entry(key).or_insert(value);
}

fn check_task(task: &mut Value, has_git: bool) -> Result<(), ApiError> {
    let key = task["task_key"].as_str().unwrap_or_default().to_owned();
    if key.is_empty() {
        return Err(ApiError::invalid("every task needs a task_key"));
    }
    task_kinds::check(&key, task, has_git)?;
    let Some(object) = task.as_object_mut() else {
        return Ok(());
    };
    let run_if = object
        .get("run_if")
        .and_then(Value::as_str)
        .unwrap_or("ALL_SUCCESS");
    if !RUN_IF.contains(&run_if) {
        return Err(ApiError::invalid(format!(
            "Task '{key}': run_if '{run_if}' is none of {}",
            RUN_IF.join(", ")
        )));
    }
    fill(object, "run_if", json!("ALL_SUCCESS"));
    fill(object, "timeout_seconds", json!(0));
    fill(object, "email_notifications", json!({}));
    Ok(())
}

/// Refuses keys used twice, unknown dependencies, and circles.
fn check_dependencies(tasks: &[Value]) -> Result<(), ApiError> {
    let graph = dependencies(tasks);
    if graph.len() < tasks.len() {
        return Err(ApiError::invalid("two tasks have the same task_key"));
    }
    for (key, needs) in &graph {
        if let Some(missing) = needs.iter().find(|need| !graph.contains_key(*need)) {
            return Err(ApiError::invalid(format!(
                "Task '{key}' depends on '{missing}', which is not a task of the job"
            )));
        }
    }
    check_outcomes(tasks)?;
    let mut ordered: BTreeSet<&str> = BTreeSet::new();
    while ordered.len() < graph.len() {
        let ready: Vec<&str> = graph
            .iter()
            .filter(|(key, needs)| {
                !ordered.contains(*key) && needs.iter().all(|need| ordered.contains(need))
            })
            .map(|(key, _)| *key)
            .collect();
        if ready.is_empty() {
            let circle: Vec<&str> = graph
                .keys()
                .copied()
                .filter(|key| !ordered.contains(key))
                .collect();
            return Err(ApiError::invalid(format!(
                "these tasks wait for one another: {}",
                circle.join(", ")
            )));
        }
        ordered.extend(ready);
    }
    Ok(())
}

/// Only a condition has an outcome to depend on.
fn check_outcomes(tasks: &[Value]) -> Result<(), ApiError> {
    let is_condition = |key: &Value| {
        tasks
            .iter()
            .any(|task| task["task_key"] == *key && task["condition_task"].is_object())
    };
    for task in tasks {
        for need in task["depends_on"].as_array().into_iter().flatten() {
            let fine = match &need["outcome"] {
                Value::Null => true,
                Value::String(outcome) => {
                    matches!(outcome.as_str(), "true" | "false") && is_condition(&need["task_key"])
                }
                _ => false,
            };
            if !fine {
                return Err(ApiError::invalid(format!(
                    "Task {} depends on an outcome of {}: that must be \"true\" or \"false\" of a condition_task",
                    task["task_key"], need["task_key"]
                )));
            }
        }
    }
    Ok(())
}

fn needs_of(task: &Value) -> impl Iterator<Item = &str> {
    task["depends_on"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|entry| entry["task_key"].as_str())
}

/// Which tasks each task depends on, by key.
pub(crate) fn dependencies(tasks: &[Value]) -> BTreeMap<&str, Vec<&str>> {
    let needs = |task| Vec::from_iter(needs_of(task));
    tasks
        .iter()
        .map(|task| (task["task_key"].as_str().unwrap_or_default(), needs(task)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(settings: Value) -> Result<Value, String> {
        checked(settings.as_object().unwrap().clone()).map_err(|error| error.message)
    }

    fn notebook(key: &str, needs: &[&str]) -> Value {
        let needs: Vec<Value> = needs.iter().map(|need| json!({"task_key": need})).collect();
        json!({"task_key": key, "depends_on": needs, "notebook_task": {"notebook_path": "/a"}})
    }

    #[test]
    fn every_other_kind_of_task_is_refused_by_name() {
        for kind in task_kinds::OTHER_KINDS {
            let message =
                check(json!({"tasks": [{"task_key": "t", *kind: {"x": 1}}]})).unwrap_err();
            assert!(
                message.contains(kind) && message.contains("'t'"),
                "{message}"
            );
        }
        let message = check(json!({"tasks": [{"task_key": "t"}]})).unwrap_err();
        assert!(message.contains("none of notebook_task"), "{message}");
    }

    #[test]
    fn each_kind_must_say_what_it_needs() {
        let run = json!({"job_id": 1});
        for (task, expected) in [
            (json!({"spark_python_task": {}}), "python_file is required"),
            (
                json!({"spark_python_task": {"python_file": "/a.py", "parameters": "x"}}),
                "list of texts",
            ),
            (
                json!({"spark_python_task": {"python_file": "a.py", "source": "GIT"}}),
                "from Git",
            ),
            (
                json!({"condition_task": {"left": "1", "right": "2", "op": "IS"}}),
                "'IS' is none of EQUAL_TO",
            ),
            (json!({"run_job_task": {}}), "job_id is required"),
            (
                json!({"run_job_task": run, "notebook_task": {"notebook_path": "/a"}}),
                "more than one",
            ),
            (
                json!({"for_each_task": {"inputs": "[]", "task": {"task_key": "i"}}}),
                "'i' says nothing",
            ),
            (
                json!({"for_each_task": {"inputs": "[]", "task": {"task_key": "i", "sql_task": {}}}}),
                "sql_task",
            ),
            (
                json!({"for_each_task": {"inputs": "[]", "concurrency": 0}}),
                "between 1 and 100",
            ),
            (
                json!({"for_each_task": {"inputs": "[]", "task": {"task_key": "i", "condition_task":
                    {"left": "1", "right": "1", "op": "EQUAL_TO"}}}}),
                "only tasks that do some work",
            ),
        ] {
            let mut task = task;
            task["task_key"] = json!("t");
            let message = check(json!({"tasks": [task]})).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn only_a_condition_has_an_outcome() {
        let after = |outcome: &str| {
            json!({"task_key": "b", "depends_on": [{"task_key": "a", "outcome": outcome}],
                "notebook_task": {"notebook_path": "/b"}})
        };
        let condition = json!({"task_key": "a", "condition_task": {"left": "1", "op": "EQUAL_TO", "right": "1"}});
        check(json!({"tasks": [condition, after("true")]})).unwrap();
        for tasks in [
            json!([condition, after("maybe")]),
            json!([notebook("a", &[]), after("true")]),
        ] {
            let message = check(json!({ "tasks": tasks })).unwrap_err();
            assert!(message.contains("condition_task"), "{message}");
        }
    }

    #[test]
    fn dependencies_must_exist_and_lead_somewhere() {
        for (tasks, expected) in [
            (vec![notebook("a", &["b"])], "depends on 'b'"),
            (
                vec![
                    notebook("a", &["b"]),
                    notebook("b", &["a"]),
                    notebook("c", &[]),
                ],
                "a, b",
            ),
            (vec![notebook("a", &["a"])], "wait for one another"),
            (
                vec![notebook("a", &[]), notebook("a", &[])],
                "same task_key",
            ),
        ] {
            let message = check(json!({"tasks": tasks})).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
        check(json!({"tasks": [notebook("c", &["a", "b"]), notebook("a", &[]), notebook("b", &["a"])]})).unwrap();
    }

    #[test]
    fn git_sources_are_refused_with_a_reason() {
        let message = check(json!({"git_source": {"git_url": "x"}, "tasks": []})).unwrap_err();
        assert!(
            message.starts_with("git_source.git_provider must be one of: github,gitlab"),
            "{message}"
        );
        let git = json!({"git_url": "x", "git_provider": "gitHub"});
        let message = check(json!({"git_source": git, "tasks": [notebook("a", &[])]})).unwrap_err();
        assert!(message.contains("from Git"), "{message}");
    }

    #[test]
    fn the_services_defaults_are_filled_in() {
        let settings = check(json!({"tasks": [notebook("a", &[])]})).unwrap();
        assert_eq!(settings["max_concurrent_runs"], 1);
        assert_eq!(settings["tasks"][0]["run_if"], "ALL_SUCCESS");
        assert_eq!(settings["tasks"][0]["notebook_task"]["source"], "WORKSPACE");
    }
}
