//! The kinds of tasks: those that run here, and those that are refused by name.

use serde_json::{Map, Value, json};

use crate::error::ApiError;

/// A kind of task that a job of the local workspace may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A notebook of the workspace tree.
    Notebook,
    /// A Python file of the workspace tree or of a volume.
    PythonFile,
    /// An entry point of an installed package.
    PythonWheel,
    /// Compares two values; tasks after it depend on what it says.
    Condition,
    /// Runs another job and waits for it.
    RunJob,
    /// Runs a task once for each input.
    ForEach,
    /// Updates a pipeline: kept, and not run here.
    Pipeline,
}

/// Answered to whoever wants a pipeline run.
pub(crate) const NO_PIPELINES: &str = "the local workspace keeps pipelines as records and does not run them: run it on \
     a Databricks workspace";

/// Kinds of tasks, by the field that declares them.
const KINDS: &[(&str, Kind)] = &[
    ("notebook_task", Kind::Notebook),
    ("spark_python_task", Kind::PythonFile),
    ("python_wheel_task", Kind::PythonWheel),
    ("condition_task", Kind::Condition),
    ("run_job_task", Kind::RunJob),
    ("for_each_task", Kind::ForEach),
    ("pipeline_task", Kind::Pipeline),
];
/// Kinds of tasks that the Jobs API knows and a local workspace cannot run.
pub(super) const OTHER_KINDS: &[&str] = &[
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
const OPERATORS: &[&str] = &[
    "EQUAL_TO",
    "NOT_EQUAL",
    "GREATER_THAN",
    "GREATER_THAN_OR_EQUAL",
    "LESS_THAN",
    "LESS_THAN_OR_EQUAL",
];
/// Most iterations of a `for_each_task` at a time, as on Databricks.
const MOST_AT_ONCE: i64 = 100;

impl Kind {
    /// The kind of a declared task.
    pub(crate) fn of(task: &Value) -> Option<Kind> {
        let declares = |field: &&(&str, Kind)| task[field.0].is_object();
        KINDS.iter().find(declares).map(|(_, kind)| *kind)
    }

    /// Whether tasks of this kind run in a Python process.
    pub(crate) fn is_process(self) -> bool {
        matches!(self, Kind::Notebook | Kind::PythonFile | Kind::PythonWheel)
    }

    /// The field that declares it.
    pub(crate) fn field(self) -> &'static str {
        let own = KINDS.iter().find(|(_, kind)| *kind == self);
        own.map_or("", |(field, _)| field)
    }
}

/// Checks what a task says to run, and fills in what the service would.
pub(super) fn check(key: &str, task: &mut Value, has_git: bool) -> Result<(), ApiError> {
    let kinds: Vec<&str> = KINDS.iter().map(|(field, _)| *field).collect();
    let run_here = KINDS.iter().filter(|(_, kind)| *kind != Kind::Pipeline);
    let here = run_here
        .map(|(field, _)| *field)
        .collect::<Vec<_>>()
        .join(", ");
    if let Some(kind) = OTHER_KINDS.iter().find(|kind| !task[**kind].is_null()) {
        return Err(ApiError::invalid(format!(
            "Task '{key}' is a {kind}: the local workspace runs {here}. Deploy this job to a Databricks workspace, \
             or leave it out of the local targets."
        )));
    }
    let declared = kinds.iter().filter(|field| task[**field].is_object());
    match (declared.count(), Kind::of(task)) {
        (1, Some(kind)) => match task[kind.field()].as_object_mut() {
            Some(body) => check_body(key, kind, body, has_git),
            None => Ok(()),
        },
        (0, _) => Err(ApiError::invalid(format!(
            "Task '{key}' says nothing to run: it has none of {here}"
        ))),
        _ => Err(ApiError::invalid(format!(
            "Task '{key}' says more than one thing to run"
        ))),
    }
}

fn check_body(
    key: &str,
    kind: Kind,
    body: &mut Map<String, Value>,
    has_git: bool,
) -> Result<(), ApiError> {
    match kind {
        Kind::Notebook => {
            text(key, "notebook_task", body, "notebook_path")?;
            let source = if has_git { "GIT" } else { "WORKSPACE" };
            body.entry("source").or_insert(json!(source));
            refuse_git(key, "notebook", body)
        }
        Kind::PythonFile => {
            text(key, "spark_python_task", body, "python_file")?;
            list_of_texts(key, body.get("parameters"))?;
            refuse_git(key, "file", body)
        }
        Kind::PythonWheel => {
            text(key, "python_wheel_task", body, "package_name")?;
            text(key, "python_wheel_task", body, "entry_point")?;
            list_of_texts(key, body.get("parameters"))?;
            check_named(key, body)
        }
        Kind::Condition => {
            text(key, "condition_task", body, "left")?;
            text(key, "condition_task", body, "right")?;
            let operator = body.get("op").and_then(Value::as_str).unwrap_or_default();
            if OPERATORS.contains(&operator) {
                return Ok(());
            }
            Err(ApiError::invalid(format!(
                "Task '{key}': condition_task.op '{operator}' is none of {}",
                OPERATORS.join(", ")
            )))
        }
        Kind::RunJob if body.get("job_id").is_some_and(Value::is_i64) => Ok(()),
        Kind::RunJob => Err(ApiError::invalid(format!(
            "Task '{key}': run_job_task.job_id is required"
        ))),
        Kind::ForEach => check_loop(key, body, has_git),
        Kind::Pipeline => text(key, "pipeline_task", body, "pipeline_id"),
    }
}

/// Named parameters are texts by name, and stand in place of the others.
fn check_named(key: &str, body: &Map<String, Value>) -> Result<(), ApiError> {
    let is_empty = |value: &Value| match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        other => other.is_null(),
    };
    let Some(named) = body
        .get("named_parameters")
        .filter(|named| !is_empty(named))
    else {
        return Ok(());
    };
    let is_fine = |named: &Map<String, Value>| named.values().all(Value::is_string);
    if !named.as_object().is_some_and(is_fine) {
        return Err(ApiError::invalid(format!(
            "Task '{key}': named_parameters must be texts by name"
        )));
    }
    match body.get("parameters") {
        Some(list) if !is_empty(list) => Err(ApiError::invalid(format!(
            "Task '{key}': python_wheel_task takes parameters or named_parameters, not both"
        ))),
        _ => Ok(()),
    }
}

fn check_loop(key: &str, body: &mut Map<String, Value>, has_git: bool) -> Result<(), ApiError> {
    text(key, "for_each_task", body, "inputs")?;
    let at_once = body.get("concurrency").and_then(Value::as_i64).unwrap_or(1);
    if !(1..=MOST_AT_ONCE).contains(&at_once) {
        return Err(ApiError::invalid(format!(
            "Task '{key}': for_each_task.concurrency must be between 1 and {MOST_AT_ONCE}"
        )));
    }
    let inner = body.entry("task").or_insert(Value::Null);
    let inner_key = inner["task_key"].as_str().unwrap_or_default().to_owned();
    if inner_key.is_empty() {
        return Err(ApiError::invalid(format!(
            "Task '{key}': for_each_task.task needs a task_key"
        )));
    }
    check(&inner_key, inner, has_git)?;
    match Kind::of(inner) {
        Some(Kind::ForEach | Kind::Condition) => Err(ApiError::invalid(format!(
            "Task '{key}' repeats '{inner_key}', which branches or repeats itself: only tasks that do some work can \
             be repeated"
        ))),
        _ => Ok(()),
    }
}

fn text(key: &str, kind: &str, body: &Map<String, Value>, field: &str) -> Result<(), ApiError> {
    match body.get(field).and_then(Value::as_str) {
        Some(text) if !text.is_empty() => Ok(()),
        _ => Err(ApiError::invalid(format!(
            "Task '{key}': {kind}.{field} is required"
        ))),
    }
}

fn list_of_texts(key: &str, value: Option<&Value>) -> Result<(), ApiError> {
    let fine = match value {
        None | Some(Value::Null) => true,
        Some(Value::Array(items)) => items.iter().all(Value::is_string),
        Some(_) => false,
    };
    if fine {
        return Ok(());
    }
    Err(ApiError::invalid(format!(
        "Task '{key}': parameters must be a list of texts"
    )))
}

fn refuse_git(key: &str, what: &str, body: &Map<String, Value>) -> Result<(), ApiError> {
    if body.get("source").is_some_and(|source| source == "GIT") {
        return Err(ApiError::invalid(format!(
            "Task '{key}' takes its {what} from Git: the local workspace runs what is in the workspace tree only"
        )));
    }
    Ok(())
}
