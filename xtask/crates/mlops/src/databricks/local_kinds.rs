//! Kinds of resources and tasks that a local workspace does not support. Found in the bundle before the
//! deployment, so that it does not stop half-way at the first unsupported call.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use xtask_remote::local::{RESOURCES, TASKS};

use crate::error::Failure;

/// Resources by kind and key.
pub(super) type Resources = BTreeMap<String, Map<String, Value>>;

pub(super) fn check(target: &str, resources: &Resources, locations: &Value) -> anyhow::Result<()> {
    let mut lacking = Vec::new();
    for (kind, named) in resources {
        for (key, resource) in named {
            let reasons = match kind.as_str() {
                "jobs" => reasons_of_job(resource),
                kind if RESOURCES.contains(&kind) => Vec::new(),
                _ => vec!["this kind of resource".to_owned()],
            };
            let place = place(locations, kind, key);
            lacking.extend(
                reasons
                    .iter()
                    .map(|reason| format!("{kind}.{key}{place}: {reason}")),
            );
        }
    }
    if lacking.is_empty() {
        return Ok(());
    }
    Failure::usage(format!(
        "target {target} is on the local workspace, which does not support these resources; nothing was deployed"
    ))
        .details(lacking.join("\n"))
        .next("move the resource to the targets that support it: targets.NAME.resources in databricks.yml")
        .next("or deploy to a target on Databricks: `host: https://…` below targets.NAME.workspace")
        .err()
}

fn reasons_of_job(job: &Value) -> Vec<String> {
    let from_git = !job["git_source"].is_null();
    let tasks = job["tasks"].as_array().into_iter().flatten();
    tasks
        .flat_map(|task| reasons_of_task(task, from_git))
        .collect()
}

fn reasons_of_task(task: &Value, from_git: bool) -> Vec<String> {
    let key = task["task_key"].as_str().unwrap_or_default();
    let mut reasons = Vec::new();
    for (name, body) in task.as_object().into_iter().flatten() {
        if !name.ends_with("_task") || body.is_null() {
            continue;
        }
        if !TASKS.contains(&name.as_str()) {
            reasons.push(format!("task {key} is a {name}"));
        }
        let takes_a_file = matches!(name.as_str(), "notebook_task" | "spark_python_task");
        let source = body["source"].as_str();
        if takes_a_file && (source == Some("GIT") || (from_git && source != Some("WORKSPACE"))) {
            reasons.push(format!("task {key} takes its code from git_source"));
        }
        if name == "for_each_task" {
            reasons.extend(reasons_of_task(&body["task"], from_git));
        }
    }
    reasons
}

/// ` (FILE:LINE)`, where the CLI says it.
fn place(locations: &Value, kind: &str, key: &str) -> String {
    let path = format!("resources.{kind}.{key}");
    let at = &locations["locations"][&path][0];
    let file = at[0].as_u64().and_then(|index| usize::try_from(index).ok());
    let file = file.and_then(|index| locations["files"][index].as_str());
    match (file, at[1].as_u64()) {
        (Some(file), Some(line)) => format!(" ({file}:{line})"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal(resources: Value) -> Option<String> {
        let resources: Resources = serde_json::from_value(resources).unwrap();
        let locations = json!({"files": ["databricks.yml", "resources/x.yml"],
            "locations": {"resources.jobs.a": [[1, 7, 3]]}});
        let error = check("dev", &resources, &locations).err()?;
        crate::error::report(&error).details
    }

    #[test]
    fn what_is_there_passes() {
        let tasks = json!([
            {"task_key": "a", "notebook_task": {"notebook_path": "/a"}},
            {"task_key": "b", "for_each_task": {"inputs": "[]",
                "task": {"task_key": "c", "python_wheel_task": {}}}},
            {"task_key": "d", "sql_task": null},
        ]);
        let resources = json!({"jobs": {"a": {"tasks": tasks}}, "schemas": {"s": {}}});
        assert_eq!(refusal(resources), None);
    }

    #[test]
    fn each_that_is_lacking_is_named_with_its_file() {
        let tasks = json!([
            {"task_key": "a", "sql_task": {}},
            {"task_key": "b", "for_each_task": {"task": {"task_key": "c", "dbt_task": {}}}},
            {"task_key": "d", "spark_python_task": {"python_file": "x.py"}},
            {"task_key": "e", "notebook_task": {"source": "WORKSPACE"}},
        ]);
        let resources = json!({
            "jobs": {"a": {"git_source": {"git_url": "x"}, "tasks": tasks}},
            "quality_monitors": {"drift": {}},
        });
        assert_eq!(
            refusal(resources).unwrap(),
            "jobs.a (resources/x.yml:7): task a is a sql_task\n\
             jobs.a (resources/x.yml:7): task c is a dbt_task\n\
             jobs.a (resources/x.yml:7): task d takes its code from git_source\n\
             quality_monitors.drift: this kind of resource"
        );
    }
}
