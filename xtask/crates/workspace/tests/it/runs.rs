//! Runs in tests: uploading what they run, starting them, waiting for their end.

use std::time::Duration;

use camino::Utf8PathBuf;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::server::Server;

pub(crate) const FOLDER: &str = "/Workspace/Users/ml.developer@workspace.local/nb";
const LIMIT: Duration = Duration::from_secs(600);

/// Python with what notebooks need, or a failure that says how to name one.
pub(crate) fn python() -> Utf8PathBuf {
    let path = std::env::var("XTASK_TEST_PYTHON").unwrap_or_else(|_| {
        panic!(
            "these tests run notebooks: set XTASK_TEST_PYTHON to the Python of the project's \
             environment (after `uv sync`: $PWD/.venv/bin/python)"
        )
    });
    Utf8PathBuf::from(path)
}

pub(crate) async fn workspace() -> Server {
    Server::start_with(tempfile::tempdir().unwrap(), None, python()).await
}

/// Uploads notebooks, or files where the name has an extension.
pub(crate) async fn upload(server: &Server, sources: &[(&str, &str)]) {
    let (status, body) = server
        .post("/api/2.0/workspace/mkdirs", json!({"path": FOLDER}))
        .await;
    assert_eq!(status, StatusCode::OK, "{body}");
    for (name, source) in sources {
        let (name, text) = if name.contains('.') {
            ((*name).to_owned(), (*source).to_owned())
        } else {
            (
                format!("{name}.py"),
                format!("# Databricks notebook source\n{source}"),
            )
        };
        let (status, body) = server
            .import(&format!("{FOLDER}/{name}"), &text, true)
            .await;
        assert_eq!(status, StatusCode::OK, "{body}");
    }
}

/// Uploads notebooks and starts a job of these tasks; answers the run's id.
pub(crate) async fn start(server: &Server, notebooks: &[(&str, &str)], settings: Value) -> i64 {
    upload(server, notebooks).await;
    let (status, job) = server.post("/api/2.2/jobs/create", settings).await;
    assert_eq!(status, StatusCode::OK, "{job}");
    let (status, run) = server
        .post("/api/2.2/jobs/run-now", json!({"job_id": job["job_id"]}))
        .await;
    assert_eq!(status, StatusCode::OK, "{run}");
    run["run_id"].as_i64().unwrap()
}

pub(crate) fn task(key: &str, needs: &[&str], more: &Value) -> Value {
    let needs: Vec<Value> = needs.iter().map(|key| json!({"task_key": key})).collect();
    let mut task = json!({"task_key": key, "depends_on": needs,
        "notebook_task": {"notebook_path": format!("{FOLDER}/{key}")}});
    task["notebook_task"]["base_parameters"] = more.clone();
    task
}

/// Asks until `done` says so.
pub(crate) async fn until(server: &Server, run_id: i64, done: impl Fn(&Value) -> bool) -> Value {
    let deadline = tokio::time::Instant::now() + LIMIT;
    loop {
        let (_, run) = server
            .get(&format!("/api/2.2/jobs/runs/get?run_id={run_id}"))
            .await;
        if done(&run) {
            return run;
        }
        assert!(tokio::time::Instant::now() < deadline, "still {run}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub(crate) async fn ended(server: &Server, run_id: i64) -> Value {
    until(server, run_id, |run| {
        run["end_time"].as_i64().unwrap_or(0) > 0
    })
    .await
}

pub(crate) async fn output(server: &Server, run: &Value, task: usize) -> Value {
    let id = &run["tasks"][task]["run_id"];
    let (status, output) = server
        .get(&format!("/api/2.2/jobs/runs/get-output?run_id={id}"))
        .await;
    assert_eq!(status, StatusCode::OK, "{output}");
    output
}

pub(crate) fn result(run: &Value, task: usize) -> &str {
    run["tasks"][task]["state"]["result_state"]
        .as_str()
        .unwrap_or_default()
}

/// How many processes have this text in their command line.
pub(crate) fn processes_with(text: &str) -> usize {
    let output = std::process::Command::new("ps")
        .args(["-eo", "stat=,args="])
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter(|line| line.contains(text) && !line.starts_with('Z'))
        .count()
}
