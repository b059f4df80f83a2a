//! How tasks end that do not end by themselves: all their processes are gone, and no MLflow run stays open.

use serde_json::{Value, json};

use crate::runs::{ended, processes_with, python, result, start, task, until, workspace};
use crate::server::Server;

/// A notebook that opens an MLflow run, tells of it in a file, and starts a shell with a child of its own.
fn notebook(marker: &str, before: &str) -> String {
    format!(
        "import mlflow, os\n{before}\nmlflow.set_experiment('/Shared/ends')\nrun = mlflow.start_run()\n\
         # COMMAND ----------\n\
         # MAGIC %sh\n# MAGIC (sleep 300; : {marker}) &\n# MAGIC sh -c 'sleep 300; : {marker}'\n"
    )
}

/// The one MLflow run that a task made, as its events name it.
fn mlflow_run(server: &Server, run: &Value, task: usize) -> Option<String> {
    let id = run["tasks"][task]["run_id"].to_string();
    let file = server.state().join("runs").join(id).join("events.jsonl");
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let events = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut made = events.filter(|event| event["event"] == "mlflow_run");
    made.next()
        .map(|event| event["run_id"].as_str().unwrap().to_owned())
}

async fn status(server: &Server, run: &str) -> String {
    let (_, found) = server
        .get(&format!("/api/2.0/mlflow/runs/get?run_id={run}"))
        .await;
    found["run"]["info"]["status"].as_str().unwrap().to_owned()
}

/// Starts these notebooks side by side and waits until each has its MLflow run and its shell.
async fn begin(
    server: &Server,
    marker: &str,
    notebooks: &[(&str, &str)],
    settings: Value,
) -> Value {
    let run_id = start(server, notebooks, settings).await;
    let shells = 2 * notebooks.len();
    until(server, run_id, |run| {
        processes_with(marker) >= shells
            && (0..notebooks.len()).all(|task| mlflow_run(server, run, task).is_some())
    })
    .await
}

#[tokio::test]
async fn a_cancelled_task_leaves_no_process_and_no_open_mlflow_run() {
    let server = workspace().await;
    let marker = format!("xtask-cancel-{}", std::process::id());
    // The second one hears no signal, and has to be killed.
    let deaf = "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})";
    let (polite, deaf) = (notebook(&marker, ""), notebook(&marker, deaf));
    let settings = json!({"name": "cancel", "tasks": [task("Polite", &[], &json!({})), task("Deaf", &[], &json!({}))]});
    let begun = begin(
        &server,
        &marker,
        &[("Polite", &polite), ("Deaf", &deaf)],
        settings,
    )
    .await;
    let runs = [0, 1].map(|task| mlflow_run(&server, &begun, task).unwrap());
    assert_eq!(status(&server, &runs[0]).await, "RUNNING");
    let run_id = begun["run_id"].as_i64().unwrap();
    server
        .post("/api/2.2/jobs/runs/cancel", json!({"run_id": run_id}))
        .await;
    let run = ended(&server, run_id).await;
    assert_eq!((result(&run, 0), result(&run, 1)), ("CANCELED", "CANCELED"));
    assert_eq!(processes_with(&marker), 0);
    for run in &runs {
        assert_eq!(status(&server, run).await, "KILLED");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_task_that_takes_too_long_or_dies_leaves_no_open_mlflow_run() {
    let server = workspace().await;
    let marker = format!("xtask-timeout-{}", std::process::id());
    let mut slow = task("Slow", &[], &json!({}));
    // It has begun its MLflow run by then, on a loaded machine too.
    slow["timeout_seconds"] = json!(90);
    let dies = "import mlflow, os, signal\nmlflow.set_experiment('/Shared/ends')\nmlflow.start_run()\n\
        os.kill(os.getpid(), signal.SIGKILL)\n";
    let run_id = start(
        &server,
        &[("Slow", &notebook(&marker, "")), ("Dies", dies)],
        json!({"name": "ends", "tasks": [slow, task("Dies", &[], &json!({}))]}),
    )
    .await;
    let run = ended(&server, run_id).await;
    assert_eq!((result(&run, 0), result(&run, 1)), ("TIMEDOUT", "FAILED"));
    assert_eq!(processes_with(&marker), 0);
    for (task, expected) in [(0, "KILLED"), (1, "FAILED")] {
        let made = mlflow_run(&server, &run, task).unwrap();
        assert_eq!(status(&server, &made).await, expected);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_workspace_that_ends_leaves_no_process_and_no_open_mlflow_run() {
    let server = workspace().await;
    let marker = format!("xtask-shutdown-{}", std::process::id());
    let settings = json!({"name": "shutdown", "tasks": [task("Works", &[], &json!({}))]});
    let begun = begin(
        &server,
        &marker,
        &[("Works", &notebook(&marker, ""))],
        settings,
    )
    .await;
    let made = mlflow_run(&server, &begun, 0).unwrap();
    let state = server.stop().await;
    assert_eq!(processes_with(&marker), 0);
    let server = Server::start_with(state, None, python()).await;
    let run = ended(&server, begun["run_id"].as_i64().unwrap()).await;
    assert_eq!(result(&run, 0), "CANCELED");
    assert_eq!(status(&server, &made).await, "KILLED");
    server.stop().await;
}
