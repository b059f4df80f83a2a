//! Tasks that run code in a Python process.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use serde_json::{Map, Value, json};
use tokio::time::Instant;
use xtask_local_server::state_dir::create_private_dir;

use super::code::{Code, notebook_id};
use super::dependencies;
use super::work::{Ending, Task, TaskError};
use crate::access;
use crate::jobs::Kind;
use crate::mlflow::abandoned;
use crate::runner::interruption::{asked, until};
use crate::runner::kernel::{self, Kernel};
use crate::runner::outcome::{self, Outcome};
use crate::runner::parameters;
use crate::store::{StoreError, TaskOutput};

/// Bytes of the process's log in the error of a crash.
const LOG_TAIL: usize = 4000;

/// Exit code with which code asks to continue in a new process.
const RESTART: i32 = 75;
/// SIGKILL, the signal of the out-of-memory killer.
const KILL: i32 = 9;

enum Stop {
    Exit(ExitStatus),
    Timeout,
    Cancelled,
}

impl Stop {
    /// The status of a process that ended before its code did. Code can exit with any code, so that the exit code
    /// counts only together with the kernel's last event.
    fn died(&self, finished: Option<bool>) -> Option<ExitStatus> {
        let Stop::Exit(status) = self else {
            return None;
        };
        let expected = finished.map(|ok| i32::from(!ok));
        (expected.is_none() || expected != status.code()).then_some(*status)
    }

    fn ending(&self, finished: Option<bool>) -> Ending {
        match self {
            Stop::Exit(_) if finished == Some(true) && self.died(finished).is_none() => {
                Ending::Success
            }
            Stop::Exit(_) => Ending::Failed,
            Stop::Timeout => Ending::Timeout,
            Stop::Cancelled => Ending::Cancelled,
        }
    }
}

pub(super) async fn run(task: &Task) -> Result<Ending, TaskError> {
    let code = Code::find(task)?;
    let dependencies = dependencies::of(&task.run.settings, &task.task_run.settings);
    for file in dependencies::files(&dependencies, &code.path) {
        access::readable(&task.call()?, &file)
            .map_err(|refused| task.declared_wrong(refused.message))?;
    }
    let declared = &task.task_run.settings;
    let parameters = if let Some(file) = &declared.spark_python_task {
        json!(task.resolve(|context| parameters::for_python_file(file, context))?)
    } else if let Some(wheel) = &declared.python_wheel_task {
        json!(task.resolve(|context| parameters::for_wheel(wheel, context))?)
    } else {
        let notebook = declared.notebook_task.clone().unwrap_or_default();
        json!(task.resolve(|context| parameters::for_notebook(&notebook, context))?)
    };
    create_private_dir(&task.app.task_run_dir(task.task_run.run_id))?;
    task.begin(&parameters)?;
    let mut request = request(task, &code, &dependencies, &parameters)?;
    let deadline = task.deadline();
    let stop = loop {
        // An overlay must be active before anything is imported.
        let is_bare = request["overlays"]
            .as_array()
            .is_none_or(|overlays| overlays.is_empty());
        let mut process = if is_bare {
            task.kernels.take()?
        } else {
            task.kernels.fresh()?
        };
        process.send(&request).await?;
        task.app
            .store
            .mark_execution_started(task.task_run.run_id)?;
        let stop = see_through(task, &mut process, deadline).await?;
        let restarts = matches!(stop, Stop::Exit(status) if status.code() == Some(RESTART));
        if !(restarts && go_on_after_restart(task, &mut request)?) {
            break stop;
        }
    };
    let folder = task.app.task_run_dir(task.task_run.run_id);
    let outcome = outcome::of(outcome::events(&folder.join("events.jsonl")));
    let ending = stop.ending(outcome.finished);
    close_mlflow_runs(task, &ending, &outcome.mlflow_runs).await;
    keep_task_values(task)?;
    let output = output(task, code.kind, &stop, outcome);
    task.app
        .store
        .set_task_output(task.task_run.run_id, &output)?;
    Ok(ending)
}

async fn see_through(
    task: &Task,
    process: &mut Kernel,
    deadline: Option<Instant>,
) -> std::io::Result<Stop> {
    let mut cancelled = task.cancelled.clone();
    let stop = tokio::select! {
        exit = process.finish() => Stop::Exit(exit?),
        () = until(deadline) => Stop::Timeout,
        () = asked(&mut cancelled) => Stop::Cancelled,
    };
    if !matches!(stop, Stop::Exit(_)) {
        process.end().await;
    }
    Ok(stop)
}

/// A killed process could not close its MLflow runs.
async fn close_mlflow_runs(task: &Task, ending: &Ending, runs: &[String]) {
    let status = match ending {
        Ending::Success => return,
        Ending::Failed => "FAILED",
        Ending::Timeout | Ending::Cancelled => "KILLED",
    };
    abandoned::close(&task.app, runs, status).await;
}

/// The request to the kernel; see `notebook_kernel/request.py`.
fn request(
    task: &Task,
    code: &Code,
    dependencies: &[String],
    parameters: &Value,
) -> Result<Value, TaskError> {
    let (app, run, task_run) = (&task.app, &task.run, &task.task_run);
    let folder = app.task_run_dir(task_run.run_id);
    let (kind, widgets, arguments) = match code.kind {
        Kind::PythonFile => ("python_file", &Value::Null, parameters),
        Kind::PythonWheel => ("python_wheel", &Value::Null, parameters),
        _ => ("notebook", parameters, &Value::Null),
    };
    let wheel = task_run.settings.python_wheel_task.as_ref();
    Ok(json!({
        "kind": kind,
        "package": wheel.map(|wheel| &*wheel.package_name).unwrap_or_default(),
        "entry_point": wheel.map(|wheel| &*wheel.entry_point).unwrap_or_default(),
        "dependencies": dependencies,
        "notebook_environment": dependencies::instead_of_the_notebooks(&task_run.settings),
        "notebook": code.path, "source_file": code.file, "folder": folder, "events": folder.join("events.jsonl"),
        "imports_file": kernel::imports_file(app, task_run.settings.code_path()),
        "roots": {
            "/Workspace": app.workspace_files.root(), "/Volumes": app.volumes.root(),
            "/dbfs": app.config.state.path().join("dbfs"),
        },
        "parameters": if widgets.is_null() { json!({}) } else { widgets.clone() },
        "arguments": if arguments.is_null() { json!([]) } else { arguments.clone() },
        "task_values": known_values(task)?, "start_cell": 0, "widgets": {},
        "identity": {
            "host": app.url, "workspace_id": app.identity.workspace_id, "user": run.acts_as(&app.identity.user_name),
            "job_id": run.job_id.to_string(), "job_name": run.run_name, "run_id": run.run_id.to_string(),
            "task_run_id": task_run.run_id.to_string(), "task_key": task_run.task_key,
            "notebook_id": notebook_id(app, &code.path)?.to_string(), "is_admin": task.call()?.caller.is_admin(),
        },
    }))
}

/// By task; an ended task without values has an empty entry.
fn known_values(task: &Task) -> Result<BTreeMap<String, Map<String, Value>>, StoreError> {
    let (store, run_id) = (&task.app.store, task.run.run_id);
    let mut values: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for done in store.task_runs(run_id)? {
        if done.end_time.is_some() {
            values.entry(done.task_key).or_default();
        }
    }
    for (key, name, value) in store.task_values(run_id)? {
        values.entry(key).or_default().insert(name, value);
    }
    Ok(values)
}

/// `restartPython`: the next process continues with the next cell and knows the widgets. Answers whether the kernel
/// asked for it; code may exit with this code for other reasons.
fn go_on_after_restart(task: &Task, request: &mut Value) -> Result<bool, TaskError> {
    let folder = task.app.task_run_dir(task.task_run.run_id);
    let file = folder.join("restart.json");
    let Ok(text) = std::fs::read(&file) else {
        return Ok(false);
    };
    std::fs::remove_file(&file)?;
    let state: Value = serde_json::from_slice(&text).map_err(std::io::Error::from)?;
    for field in ["start_cell", "widgets", "overlays", "prepared"] {
        request[field] = state[field].clone();
    }
    Ok(true)
}

fn keep_task_values(task: &Task) -> Result<(), TaskError> {
    let folder = task.app.task_run_dir(task.task_run.run_id);
    let Ok(text) = std::fs::read(folder.join("task_values.json")) else {
        return Ok(());
    };
    let values: Map<String, Value> = serde_json::from_slice(&text).map_err(std::io::Error::from)?;
    for (key, value) in &values {
        let task_key = &task.task_run.task_key;
        task.app
            .store
            .set_task_value(task.run.run_id, task_key, key, value)?;
    }
    Ok(())
}

/// Output of C code and child processes. Secrets that the run has read are removed from it, also on disk.
fn process_log(task: &Task) -> Vec<u8> {
    let file = task
        .app
        .task_run_dir(task.task_run.run_id)
        .join("process.log");
    let log = std::fs::read(&file).unwrap_or_default();
    let read = &task.app.runner.redaction;
    let Some(hidden) = read.hide(task.run.run_id, &log) else {
        return log;
    };
    if let Err(error) = std::fs::write(&file, &hidden) {
        tracing::error!(%file, %error, "cannot hide secrets in a process's log");
    }
    hidden
}

fn output(task: &Task, kind: Kind, stop: &Stop, outcome: Outcome) -> TaskOutput {
    let mut output = outcome.output;
    let log = process_log(task);
    match stop {
        Stop::Exit(_) => {
            if let Some(status) = stop.died(outcome.finished) {
                output.error = Some(death(kind, status));
                let tail = &log[log.len().saturating_sub(LOG_TAIL)..];
                output.error_trace = Some(String::from_utf8_lossy(tail).into_owned());
            }
        }
        Stop::Timeout => {
            let seconds = task
                .task_run
                .settings
                .timeout()
                .unwrap_or_default()
                .as_secs();
            output.error = Some(format!(
                "the task took longer than its timeout of {seconds} seconds"
            ));
        }
        Stop::Cancelled => output.error = Some("Run canceled.".to_owned()),
    }
    output
}

/// The error of a task whose process died.
fn death(kind: Kind, status: ExitStatus) -> String {
    let what = match kind {
        Kind::Notebook => "notebook",
        Kind::PythonWheel => "wheel",
        _ => "file",
    };
    let cause = match (status.signal(), status.code()) {
        (Some(KILL), _) => "; a system that runs out of memory kills processes like this",
        (None, Some(_)) => " before its code did; os._exit, os.exec or a native library ends it so",
        _ => "",
    };
    format!("the {what}'s Python process ended with {status}{cause}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(code: i32) -> Stop {
        Stop::Exit(ExitStatus::from_raw(code << 8))
    }

    #[test]
    fn an_exit_code_counts_only_with_what_the_kernel_tells() {
        assert_eq!(exit(0).ending(Some(true)), Ending::Success);
        assert_eq!(exit(1).ending(Some(false)), Ending::Failed);
        assert!(exit(1).died(Some(false)).is_none());
        for (code, finished) in [
            (0, None),
            (0, Some(false)),
            (1, Some(true)),
            (1, None),
            (RESTART, None),
        ] {
            assert_eq!(exit(code).ending(finished), Ending::Failed, "{code}");
            assert!(exit(code).died(finished).is_some(), "{code}");
        }
        let killed = Stop::Exit(ExitStatus::from_raw(KILL));
        assert_eq!(killed.ending(Some(true)), Ending::Failed);
    }

    #[test]
    fn the_cause_of_a_death_is_named() {
        let said = |kind, raw| death(kind, ExitStatus::from_raw(raw));
        assert_eq!(
            said(Kind::Notebook, KILL),
            "the notebook's Python process ended with signal: 9 (SIGKILL); \
             a system that runs out of memory kills processes like this"
        );
        assert!(said(Kind::PythonWheel, 11).ends_with("ended with signal: 11 (SIGSEGV)"));
        assert!(said(Kind::PythonFile, 0).contains("exit status: 0 before its code did"));
    }
}
