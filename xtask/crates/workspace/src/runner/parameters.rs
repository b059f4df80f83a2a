//! Parameters of a task, with `{{…}}` references filled in.

use std::collections::BTreeMap;

use serde_json::Value;

use super::references::fill;
use crate::store::{Run, TaskRun};

/// What references may speak about.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub run: &'a Run,
    /// The task that the parameters are for; none for what the run as a whole shows.
    pub task: Option<&'a TaskRun>,
    /// All tasks of the run, as they are now.
    pub tasks: &'a [TaskRun],
    /// Task values as (task key, key, value).
    pub values: &'a [(String, String, Value)],
    /// The workspace's id and address.
    pub workspace: (&'a str, &'a str),
}

impl Context<'_> {
    /// What the task declares about its kind of work.
    fn declared(&self, kind: &str) -> &Value {
        self.task.map_or(&Value::Null, |task| &task.settings[kind])
    }

    /// The job's parameters, with references filled in.
    pub(super) fn job_parameters(&self) -> Result<BTreeMap<String, String>, String> {
        let declared = self.run.parameters.iter();
        declared
            .map(|(name, value)| Ok((name.clone(), fill(value, self)?)))
            .collect()
    }

    /// A task's own parameters, and over them the job's: those are pushed down to every task that takes names and
    /// values.
    pub(super) fn pushed_down(
        &self,
        own: BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, String> {
        Ok(own.into_iter().chain(self.job_parameters()?).collect())
    }
}

/// The job parameters of a run as it shows them: what only a task could fill in, or what leads nowhere, stays as it
/// was given.
pub(crate) fn of_run(run: &Run, workspace: (&str, &str)) -> BTreeMap<String, String> {
    let context = Context {
        run,
        task: None,
        tasks: &[],
        values: &[],
        workspace,
    };
    let filled = |value: &String| fill(value, &context).unwrap_or_else(|_| value.clone());
    let given = run.parameters.iter();
    given
        .map(|(name, value)| (name.clone(), filled(value)))
        .collect()
}

/// The parameters that a notebook gets: its own `base_parameters`, beaten by the caller's `notebook_params`, beaten
/// by the job's parameters. An error names a reference that leads nowhere.
pub(super) fn for_notebook(context: &Context<'_>) -> Result<BTreeMap<String, String>, String> {
    let own = &context.declared("notebook_task")["base_parameters"];
    let mut parameters = map(own, context)?;
    parameters.extend(map(&context.run.overrides["notebook_params"], context)?);
    context.pushed_down(parameters)
}

/// The arguments that a Python file gets: its own, or the caller's `python_params` in their place.
pub(super) fn for_python_file(context: &Context<'_>) -> Result<Vec<String>, String> {
    let given = &context.run.overrides["python_params"];
    let own = &context.declared("spark_python_task")["parameters"];
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
    let task = context.declared("python_wheel_task");
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
        named = context.pushed_down(named)?;
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

/// A JSON value as a parameter: texts as they are, everything else as JSON.
pub(super) fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
pub(super) mod tests {
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

    pub(in crate::runner) fn with_context<T>(
        base: Value,
        check: impl FnOnce(&Context<'_>) -> T,
    ) -> T {
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
            due_time: None,
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
            task: Some(&tasks[1]),
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
    fn a_callers_arguments_replace_the_files_own() {
        with_context(json!({}), |context| {
            let mut task = context.task.unwrap().clone();
            task.settings =
                json!({"spark_python_task": {"parameters": ["--run", "{{job.run_id}}"]}});
            let own = Context {
                task: Some(&task),
                ..*context
            };
            assert_eq!(for_python_file(&own).unwrap(), ["--run", "111"]);
            let mut run = context.run.clone();
            run.overrides = json!({"python_params": ["x"]});
            let given = Context { run: &run, ..own };
            assert_eq!(for_python_file(&given).unwrap(), ["x"]);
        });
    }
}
