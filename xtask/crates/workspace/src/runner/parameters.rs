//! Parameters of tasks, with `{{…}}` references resolved.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::references::fill;
use crate::jobs::{Notebook, PythonFile, PythonWheel};
use crate::store::{Run, TaskRun};

/// What references can refer to.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub run: &'a Run,
    /// `None` when the parameters of a run are shown.
    pub task: Option<&'a TaskRun>,
    pub tasks: &'a [TaskRun],
    /// As (task key, key, value).
    pub values: &'a [(String, String, Value)],
    /// Id and address.
    pub workspace: (&'a str, &'a str),
}

impl Context<'_> {
    /// Resolved.
    pub(super) fn job_parameters(&self) -> Result<BTreeMap<String, String>, String> {
        let declared = self.run.parameters.iter();
        declared
            .map(|(name, value)| Ok((name.clone(), fill(value, self)?)))
            .collect()
    }

    /// A task's own parameters, overridden by the job's, which every task with named parameters gets.
    pub(super) fn pushed_down(
        &self,
        own: BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, String> {
        Ok(own.into_iter().chain(self.job_parameters()?).collect())
    }
}

/// The job parameters of a run, for display. References that need a task, or cannot be resolved, stay as they are.
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

/// `base_parameters`, overridden by the caller's `notebook_params`, overridden by job parameters. An error names a
/// reference that cannot be resolved.
pub(super) fn for_notebook(
    declared: &Notebook,
    context: &Context<'_>,
) -> Result<BTreeMap<String, String>, String> {
    let mut parameters = map(&declared.base_parameters, context)?;
    parameters.extend(overriding("notebook_params", context)?);
    context.pushed_down(parameters)
}

/// Its own arguments, or the caller's `python_params` instead.
pub(super) fn for_python_file(
    declared: &PythonFile,
    context: &Context<'_>,
) -> Result<Vec<String>, String> {
    arguments(&declared.parameters, context)
}

/// Positional arguments, own or the caller's, or named ones as `--name=value`, to which job parameters are added as for
/// a notebook.
pub(super) fn for_wheel(
    declared: &PythonWheel,
    context: &Context<'_>,
) -> Result<Vec<String>, String> {
    let list = arguments(&declared.parameters, context)?;
    if !list.is_empty() {
        return Ok(list);
    }
    let mut named = map(&declared.named_parameters, context)?;
    named.extend(overriding("python_named_params", context)?);
    if !named.is_empty() {
        named = context.pushed_down(named)?;
    }
    let argument = |(name, value)| format!("--{name}={value}");
    Ok(named.into_iter().map(argument).collect())
}

fn arguments(own: &[String], context: &Context<'_>) -> Result<Vec<String>, String> {
    let given = context.run.overrides["python_params"].as_array();
    let given: Vec<String> = given.into_iter().flatten().map(text).collect();
    let chosen = if given.is_empty() { own } else { &given };
    chosen.iter().map(|item| fill(item, context)).collect()
}

/// The caller's values in this field.
fn overriding(field: &str, context: &Context<'_>) -> Result<BTreeMap<String, String>, String> {
    let given = context.run.overrides[field].as_object();
    given.map_or_else(|| Ok(BTreeMap::new()), |given| map(given, context))
}

/// Resolves references in all values.
pub(super) fn map(
    values: &Map<String, Value>,
    context: &Context<'_>,
) -> Result<BTreeMap<String, String>, String> {
    let entries = values.iter();
    entries
        .map(|(name, value)| Ok((name.clone(), fill(&text(value), context)?)))
        .collect()
}

/// Strings as they are, everything else as JSON.
pub(super) fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::jobs::Declared;
    use crate::store::{LifeCycle, RunState, RunType, TaskOutput};
    use serde_json::json;

    pub(in crate::runner) fn task(key: &str, settings: Value) -> TaskRun {
        TaskRun {
            run_id: 222,
            job_run_id: 111,
            task_key: key.to_owned(),
            attempt_number: 0,
            settings: Declared::parse(settings).unwrap(),
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
            settings: Declared::parse(json!({})).unwrap(),
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
                json!({"notebook_task": {"notebook_path": "/Validate", "base_parameters": base}}),
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
        let parameters = with_context(base, |context| {
            let declared = context
                .task
                .unwrap()
                .settings
                .notebook_task
                .clone()
                .unwrap();
            for_notebook(&declared, context).unwrap()
        });
        assert_eq!(parameters["a"], "task");
        assert_eq!(parameters["b"], "caller");
        assert_eq!(parameters["model"], "m-111");
    }

    #[test]
    fn a_callers_arguments_replace_the_files_own() {
        with_context(json!({}), |context| {
            let file = json!({"python_file": "/f.py", "parameters": ["--run", "{{job.run_id}}"]});
            let file = serde_json::from_value(file).unwrap();
            assert_eq!(for_python_file(&file, context).unwrap(), ["--run", "111"]);
            let mut run = context.run.clone();
            run.overrides = json!({"python_params": ["x"]});
            let given = Context {
                run: &run,
                ..*context
            };
            assert_eq!(for_python_file(&file, &given).unwrap(), ["x"]);
        });
    }
}
