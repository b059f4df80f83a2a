//! Parameters of a task, with `{{…}}` references filled in.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::store::{Run, TaskRun};

/// What references may speak about.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub run: &'a Run,
    /// The task that the parameters are for.
    pub task: &'a TaskRun,
    /// All tasks of the run, as they are now.
    pub tasks: &'a [TaskRun],
    /// Task values as (task key, key, value).
    pub values: &'a [(String, String, Value)],
    /// The workspace's id and address.
    pub workspace: (&'a str, &'a str),
}

/// The parameters that a notebook gets: its own `base_parameters`, beaten by the caller's `notebook_params`, beaten
/// by the job's parameters. An error names a reference that leads nowhere.
pub(super) fn for_notebook(context: &Context<'_>) -> Result<BTreeMap<String, String>, String> {
    let mut parameters = map(
        &context.task.settings["notebook_task"]["base_parameters"],
        context,
    )?;
    parameters.extend(map(&context.run.overrides["notebook_params"], context)?);
    for (name, value) in &context.run.parameters {
        parameters.insert(name.clone(), fill(value, context)?);
    }
    Ok(parameters)
}

/// The arguments that a Python file gets: its own, or the caller's `python_params` in their place.
pub(super) fn for_python_file(context: &Context<'_>) -> Result<Vec<String>, String> {
    let given = &context.run.overrides["python_params"];
    let own = &context.task.settings["spark_python_task"]["parameters"];
    let chosen = if given.as_array().is_some_and(|given| !given.is_empty()) {
        given
    } else {
        own
    };
    let items = chosen.as_array().into_iter().flatten();
    items.map(|item| fill(&text(item), context)).collect()
}

/// The arguments that the entry point of a wheel gets: its own or the caller's list, or named ones as `--name=value`.
/// To named ones the job's parameters are added, as to a notebook's.
pub(super) fn for_wheel(context: &Context<'_>) -> Result<Vec<String>, String> {
    let task = &context.task.settings["python_wheel_task"];
    let given = &context.run.overrides;
    let items = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let list = match items(&given["python_params"]) {
        given if given.is_empty() => items(&task["parameters"]),
        given => given,
    };
    if !list.is_empty() {
        return list.iter().map(|item| fill(&text(item), context)).collect();
    }
    let mut named = map(&task["named_parameters"], context)?;
    named.extend(map(&given["python_named_params"], context)?);
    if !named.is_empty() {
        for (name, value) in &context.run.parameters {
            named.insert(name.clone(), fill(value, context)?);
        }
    }
    let argument = |(name, value)| format!("--{name}={value}");
    Ok(named.into_iter().map(argument).collect())
}

/// An object of texts with references filled in.
pub(super) fn map(
    values: &Value,
    context: &Context<'_>,
) -> Result<BTreeMap<String, String>, String> {
    let entries = values.as_object().into_iter().flatten();
    entries
        .map(|(name, value)| Ok((name.clone(), fill(&text(value), context)?)))
        .collect()
}

/// Replaces every reference in a text. What is no reference of ours stays as it is.
pub(super) fn fill(template: &str, context: &Context<'_>) -> Result<String, String> {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let Some((reference, tail)) = after.split_once("}}") else {
            filled.push_str("{{");
            rest = after;
            continue;
        };
        match resolve(reference.trim(), context)? {
            Some(value) => filled.push_str(&value),
            None => filled.push_str(&format!("{{{{{reference}}}}}")),
        }
        rest = tail;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn resolve(reference: &str, context: &Context<'_>) -> Result<Option<String>, String> {
    let (run, task) = (context.run, context.task);
    if let Some(path) = reference.strip_prefix("input")
        && let Some(input) = &task.input
    {
        return of_input(path, input, reference).map(Some);
    }
    let mut parts = reference.splitn(3, '.');
    let (first, second, third) = (parts.next(), parts.next(), parts.next());
    Ok(match (first.unwrap_or_default(), second, third) {
        ("job", Some("id"), None) | ("job_id", None, None) => Some(run.job_id.to_string()),
        ("job", Some("name"), None) => Some(run.run_name.clone()),
        ("job", Some("run_id"), None) | ("parent_run_id", None, None) => {
            Some(run.run_id.to_string())
        }
        ("job", Some("repair_count"), None) => Some(run.repair_count.to_string()),
        ("job", Some("trigger"), Some("type")) => Some("one_time".to_owned()),
        ("job", Some("start_time"), Some(part)) => start_time(run.start_time, part),
        ("job", Some("parameters"), Some(name)) => {
            let value = run.parameters.get(name);
            Some(value.cloned().ok_or_else(|| {
                format!("the job has no parameter '{name}' ({{{{{reference}}}}})")
            })?)
        }
        ("task", Some("name"), None) | ("task_key", None, None) => Some(task.task_key.clone()),
        ("task", Some("run_id"), None) | ("run_id", None, None) => Some(task.run_id.to_string()),
        ("task", Some("execution_count"), None) => Some((task.attempt_number + 1).to_string()),
        ("task", Some("notebook_path"), None) => {
            Some(text(&task.settings["notebook_task"]["notebook_path"]))
        }
        ("workspace", Some("id"), None) => Some(context.workspace.0.to_owned()),
        ("workspace", Some("url"), None) => Some(context.workspace.1.to_owned()),
        ("tasks", Some(key), Some(what)) => Some(of_task(key, what, context)?),
        _ => None,
    })
}

/// `{{input}}` of an iteration, or what `{{input.a.b}}` finds in it.
fn of_input(path: &str, input: &Value, reference: &str) -> Result<String, String> {
    let mut found = input;
    for name in path.split('.').skip(1) {
        found = found
            .get(name)
            .ok_or_else(|| format!("the input {input} has no '{name}' ({{{{{reference}}}}})"))?;
    }
    Ok(text(found))
}

fn of_task(key: &str, what: &str, context: &Context<'_>) -> Result<String, String> {
    let Some(task) = context.tasks.iter().rev().find(|task| task.task_key == key) else {
        return Err(format!(
            "the job has no task '{key}' ({{{{tasks.{key}.{what}}}}})"
        ));
    };
    if let Some(name) = what.strip_prefix("values.") {
        let found = context
            .values
            .iter()
            .find(|(task, value, _)| task == key && value == name);
        return found.map(|(_, _, value)| text(value)).ok_or_else(|| {
            format!("task '{key}' has set no value '{name}' with dbutils.jobs.taskValues.set (yet)")
        });
    }
    match what {
        "run_id" => Ok(task.run_id.to_string()),
        "notebook_path" => Ok(text(&task.settings["notebook_task"]["notebook_path"])),
        "result_state" => Ok(task
            .state
            .result
            .map_or("", |result| result.as_str())
            .to_lowercase()),
        _ => Err(format!(
            "there is no '{what}' of a task ({{{{tasks.{key}.{what}}}}})"
        )),
    }
}

fn start_time(millisecond: i64, part: &str) -> Option<String> {
    let time = Timestamp::from_millisecond(millisecond).ok()?;
    let format = match part {
        "timestamp_ms" => return Some(millisecond.to_string()),
        "iso_datetime" => "%Y-%m-%dT%H:%M:%S",
        "iso_date" => "%Y-%m-%d",
        "iso_weekday" => "%u",
        "is_weekday" => {
            return Some(
                (!matches!(time.strftime("%u").to_string().as_str(), "6" | "7")).to_string(),
            );
        }
        "year" => "%Y",
        "month" => "%m",
        "day" => "%d",
        "hour" => "%H",
        "minute" => "%M",
        "second" => "%S",
        _ => return None,
    };
    Some(time.strftime(format).to_string())
}

/// A JSON value as a parameter: texts as they are, everything else as JSON.
fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{LifeCycle, RunState, RunType, TaskOutput};
    use serde_json::json;

    fn task(key: &str, settings: Value) -> TaskRun {
        TaskRun {
            run_id: 222,
            job_run_id: 111,
            task_key: key.to_owned(),
            attempt_number: 0,
            settings,
            parameters: json!({}),
            state: RunState::active(LifeCycle::Pending),
            start_time: None,
            execution_started_at: None,
            end_time: None,
            output: TaskOutput::default(),
            loop_run_id: None,
            input: None,
            outcome: None,
            started_run_id: None,
        }
    }

    fn with_context<T>(base: Value, check: impl FnOnce(&Context<'_>) -> T) -> T {
        let run = Run {
            run_id: 111,
            job_id: 9,
            number_in_job: 1,
            run_name: "train".into(),
            creator: String::new(),
            run_as: String::new(),
            settings: json!({}),
            parameters: [("model".to_owned(), "m-{{job.run_id}}".to_owned())].into(),
            overrides: json!({"notebook_params": {"b": "caller"}}),
            state: RunState::active(LifeCycle::Pending),
            start_time: 1_700_000_000_000,
            end_time: None,
            run_type: RunType::JobRun,
            parent_run_id: None,
            repair_count: 0,
        };
        let tasks = [
            task("Train", json!({})),
            task(
                "Validate",
                json!({"notebook_task": {"base_parameters": base}}),
            ),
        ];
        let values = [("Train".to_owned(), "version".to_owned(), json!(7))];
        check(&Context {
            run: &run,
            task: &tasks[1],
            tasks: &tasks,
            values: &values,
            workspace: ("1", "http://w"),
        })
    }

    #[test]
    fn the_jobs_parameters_beat_the_callers_which_beat_the_tasks() {
        let base = json!({"a": "task", "b": "task", "model": "task"});
        let parameters = with_context(base, |context| for_notebook(context).unwrap());
        assert_eq!(parameters["a"], "task");
        assert_eq!(parameters["b"], "caller");
        assert_eq!(parameters["model"], "m-111");
    }

    #[test]
    fn references_are_filled_in() {
        with_context(json!({}), |context| {
            for (template, expected) in [
                ("{{job.id}}/{{ job.run_id }}/{{task.run_id}}", "9/111/222"),
                ("{{tasks.Train.values.version}}", "7"),
                ("{{job.parameters.model}}", "m-{{job.run_id}}"),
                ("{{job.start_time.iso_date}}", "2023-11-14"),
                ("{{unknown}} and {{ open", "{{unknown}} and {{ open"),
                ("{{workspace.url}}", "http://w"),
            ] {
                assert_eq!(fill(template, context).unwrap(), expected, "{template}");
            }
        });
    }

    #[test]
    fn an_iteration_sees_its_input() {
        with_context(json!({}), |context| {
            let mut task = context.task.clone();
            assert_eq!(fill("{{input}}", context).unwrap(), "{{input}}");
            task.input = Some(json!({"table": "t", "rows": [1]}));
            let context = Context {
                task: &task,
                ..*context
            };
            assert_eq!(
                fill("{{input.table}}:{{input.rows}}", &context).unwrap(),
                "t:[1]"
            );
            assert!(
                fill("{{input.nope}}", &context)
                    .unwrap_err()
                    .contains("'nope'")
            );
        });
    }

    #[test]
    fn a_callers_arguments_replace_the_files_own() {
        with_context(json!({}), |context| {
            let mut task = context.task.clone();
            task.settings =
                json!({"spark_python_task": {"parameters": ["--run", "{{job.run_id}}"]}});
            let own = Context {
                task: &task,
                ..*context
            };
            assert_eq!(for_python_file(&own).unwrap(), ["--run", "111"]);
            let mut run = context.run.clone();
            run.overrides = json!({"python_params": ["x"]});
            let given = Context { run: &run, ..own };
            assert_eq!(for_python_file(&given).unwrap(), ["x"]);
        });
    }

    #[test]
    fn a_reference_that_leads_nowhere_is_an_error() {
        with_context(json!({}), |context| {
            for template in [
                "{{tasks.Train.values.nope}}",
                "{{tasks.Nope.run_id}}",
                "{{job.parameters.nope}}",
            ] {
                assert!(
                    fill(template, context).unwrap_err().contains("no"),
                    "{template}"
                );
            }
        });
    }
}
