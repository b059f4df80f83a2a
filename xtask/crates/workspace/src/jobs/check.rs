//! Refuses jobs that cannot run here, and fills in the service's defaults.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::task::{ForEach, Kind, PythonWheel};
use super::{Declared, Invalid, JobSettings, Task, Trigger};

const GIT_PROVIDERS: &str = "github,gitlab,bitbucketcloud,gitlabenterpriseedition,bitbucketserver,\
     azuredevopsservices,githubenterprise,awscodecommit";
/// Kinds of tasks that the Jobs API knows and a local workspace cannot run.
const OTHER_KINDS: &[&str] = &[
    "ai_runtime_task",
    "alert_task",
    "clean_rooms_notebook_task",
    "dashboard_task",
    "dbt_cloud_task",
    "dbt_platform_task",
    "dbt_task",
    "gen_ai_compute_task",
    "power_bi_task",
    "python_operator_task",
    "spark_jar_task",
    "spark_submit_task",
    "sql_task",
];
/// Most iterations of a `for_each_task` at a time, as on Databricks.
const MOST_AT_ONCE: usize = 100;

/// The settings with the service's defaults filled in, or why they are refused.
pub(crate) fn checked(mut settings: Map<String, Value>) -> Result<Declared<JobSettings>, Invalid> {
    let has_git = match settings.get("git_source") {
        None | Some(Value::Null) => false,
        Some(git) if git["git_provider"].as_str().is_none_or(str::is_empty) => {
            return Err(Invalid(format!(
                "git_source.git_provider must be one of: {GIT_PROVIDERS}"
            )));
        }
        Some(_) => true,
    };
    fill_in(&mut settings, has_git);
    let settings = Declared::<JobSettings>::parse(Value::Object(settings))?;
    for task in &settings.tasks {
        check_task(task)?;
    }
    check_dependencies(&settings.tasks)?;
    Trigger::of(settings.json())?;
    Ok(settings)
}

fn fill_in(settings: &mut Map<String, Value>, has_git: bool) {
    for (field, value) in [
        ("name", json!("Untitled")),
        ("format", json!("MULTI_TASK")),
        ("max_concurrent_runs", json!(1)),
        ("timeout_seconds", json!(0)),
        ("email_notifications", json!({})),
        ("webhook_notifications", json!({})),
    ] {
        settings.entry(field).or_insert(value);
    }
    let source = if has_git { "GIT" } else { "WORKSPACE" };
    let tasks = settings.get_mut("tasks").and_then(Value::as_array_mut);
    for task in tasks.into_iter().flatten().filter_map(Value::as_object_mut) {
        for (field, value) in [
            ("run_if", json!("ALL_SUCCESS")),
            ("timeout_seconds", json!(0)),
            ("email_notifications", json!({})),
        ] {
            task.entry(field).or_insert(value);
        }
        let of_loop = task.get("for_each_task").is_some_and(Value::is_object);
        let notebook = match of_loop {
            true => task["for_each_task"].pointer_mut("/task/notebook_task"),
            false => task.get_mut("notebook_task"),
        };
        if let Some(notebook) = notebook.and_then(Value::as_object_mut) {
            notebook.entry("source").or_insert(json!(source));
        }
    }
}

fn check_task(task: &Declared<Task>) -> Result<(), Invalid> {
    let key = &task.task_key;
    let refuse = |why: String| Err(Invalid(format!("Task '{key}' {why}")));
    if key.is_empty() {
        return Err(Invalid("every task needs a task_key".to_owned()));
    }
    let run_here = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Pipeline);
    let here: Vec<&str> = run_here.map(Kind::field).collect();
    let here = here.join(", ");
    if let Some(kind) = OTHER_KINDS
        .iter()
        .find(|kind| !task.json()[**kind].is_null())
    {
        return refuse(format!(
            "is a {kind}: the local workspace runs {here}. Deploy this job to a Databricks workspace, or leave it out \
             of the local targets."
        ));
    }
    match task.kinds().count() {
        0 => return refuse(format!("has nothing to run: it has none of {here}")),
        1 => {}
        _ => return refuse("has more than one thing to run".to_owned()),
    }
    let notebook = task.notebook_task.as_ref().map(|task| &task.source);
    let file = task.spark_python_task.as_ref().map(|task| &task.source);
    if notebook.or(file).is_some_and(|source| source == "GIT") {
        return refuse(
            "takes its code from Git: the local workspace runs only code of the workspace tree"
                .to_owned(),
        );
    }
    if let Some(wheel) = &task.python_wheel_task {
        check_wheel(key, wheel)?;
    }
    match &task.for_each_task {
        Some(loops) => check_loop(key, loops),
        None => Ok(()),
    }
}

fn check_wheel(key: &str, wheel: &PythonWheel) -> Result<(), Invalid> {
    if !wheel.named_parameters.values().all(Value::is_string) {
        return Err(Invalid(format!(
            "Task '{key}': the values of named_parameters must be strings"
        )));
    }
    match wheel.parameters.is_empty() || wheel.named_parameters.is_empty() {
        true => Ok(()),
        false => Err(Invalid(format!(
            "Task '{key}': python_wheel_task takes parameters or named_parameters, not both"
        ))),
    }
}

fn check_loop(key: &str, loops: &ForEach) -> Result<(), Invalid> {
    if !(1..=MOST_AT_ONCE).contains(&loops.concurrency) {
        return Err(Invalid(format!(
            "Task '{key}': for_each_task.concurrency must be between 1 and {MOST_AT_ONCE}"
        )));
    }
    check_task(&loops.task)?;
    match loops.task.kind() {
        Some(Kind::ForEach | Kind::Condition) => Err(Invalid(format!(
            "Task '{key}' repeats '{}', a condition or another loop; a loop can repeat only tasks that do some work",
            loops.task.task_key
        ))),
        _ => Ok(()),
    }
}

/// Refuses keys used twice, unknown dependencies, and cycles.
fn check_dependencies(tasks: &[Declared<Task>]) -> Result<(), Invalid> {
    let graph: BTreeMap<&str, &Declared<Task>> =
        tasks.iter().map(|task| (&*task.task_key, task)).collect();
    if graph.len() < tasks.len() {
        return Err(Invalid("two tasks have the same task_key".to_owned()));
    }
    for task in tasks {
        for need in &task.depends_on {
            let (key, on) = (&task.task_key, &need.task_key);
            let Some(other) = graph.get(&**on) else {
                return Err(Invalid(format!(
                    "Task '{key}' depends on '{on}', which is not a task of the job"
                )));
            };
            let outcome = need.outcome.as_deref();
            let is_condition = other.condition_task.is_some();
            if !(outcome.is_none() || is_condition && matches!(outcome, Some("true" | "false"))) {
                return Err(Invalid(format!(
                    "Task '{key}' depends on an outcome of '{on}': that must be \"true\" or \"false\" of a condition_task"
                )));
            }
        }
    }
    let mut ordered: BTreeSet<&str> = BTreeSet::new();
    while ordered.len() < graph.len() {
        let (ready, waiting): (Vec<&Task>, Vec<&Task>) = tasks
            .iter()
            .map(|task| &**task)
            .filter(|task| !ordered.contains(&*task.task_key))
            .partition(|task| task.needs().all(|need| ordered.contains(need)));
        if ready.is_empty() {
            let mut cycle: Vec<&str> = waiting.iter().map(|task| &*task.task_key).collect();
            cycle.sort_unstable();
            let cycle = cycle.join(", ");
            return Err(Invalid(format!(
                "these tasks wait for one another: {cycle}"
            )));
        }
        ordered.extend(ready.iter().map(|task| &*task.task_key));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(settings: Value) -> Result<Value, String> {
        let settings = checked(settings.as_object().unwrap().clone());
        settings.map(Declared::into_json).map_err(|error| error.0)
    }

    fn notebook(key: &str, needs: &[&str]) -> Value {
        let needs: Vec<Value> = needs.iter().map(|need| json!({"task_key": need})).collect();
        json!({"task_key": key, "depends_on": needs, "notebook_task": {"notebook_path": "/a"}})
    }

    #[test]
    fn every_other_kind_of_task_is_refused_by_name() {
        for kind in OTHER_KINDS {
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
            (
                json!({"spark_python_task": {}}),
                "missing field `python_file`",
            ),
            (
                json!({"spark_python_task": {"python_file": "/a.py", "parameters": "x"}}),
                "expected a sequence",
            ),
            (
                json!({"spark_python_task": {"python_file": "a.py", "source": "GIT"}}),
                "from Git",
            ),
            (
                json!({"condition_task": {"left": "1", "right": "2", "op": "IS"}}),
                "unknown variant `IS`, expected one of `EQUAL_TO`",
            ),
            (json!({"run_job_task": {}}), "missing field `job_id`"),
            (
                json!({"run_job_task": run, "notebook_task": {"notebook_path": "/a"}}),
                "more than one",
            ),
            (
                json!({"for_each_task": {"inputs": "[]", "task": {"task_key": "i"}}}),
                "'i' has nothing to run",
            ),
            (
                json!({"for_each_task": {"inputs": "[]", "task": {"task_key": "i", "sql_task": {}}}}),
                "sql_task",
            ),
            (
                json!({"for_each_task": {"inputs": "[]", "concurrency": 0, "task": run}}),
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
