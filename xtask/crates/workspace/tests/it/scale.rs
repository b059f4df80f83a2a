//! Many of everything: what a workspace of a year holds, and what a busy minute asks.
//!
//! The bounds are for a debug build on a machine that others use, too; `cargo xtask bench` has the figures.

use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use serde_json::json;

use crate::durability::{Life, stand_in};
use crate::runs::python;
use crate::server::Server;

const RUNS: i64 = 10_000;
/// Most memory of the program, without MLflow, kB.
const MEMORY: u64 = 200_000;
/// A list in a debug build; 50 ms in the program that people run.
const LIST: Duration = Duration::from_millis(400);

/// 10,000 ended runs of 20 jobs, with their tasks, as the program itself would have left them.
fn seed(state: &camino::Utf8Path) {
    let database = rusqlite::Connection::open(state.join("workspace.db")).unwrap();
    database
        .execute_batch(&format!(
            "BEGIN;
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {RUNS})
             INSERT INTO runs (run_id, job_id, number_in_job, run_name, creator_user_name, settings_json,
               parameters_json, overrides_json, life_cycle_state, result_state, start_time, end_time)
             SELECT 100000000000000 + i, 200000000000000 + i % 20, i / 20, 'job ' || (i % 20),
               'ml.developer@workspace.local', '{{\"name\":\"job\",\"tasks\":[]}}', '{{}}', '{{}}', 'TERMINATED',
               CASE i % 7 WHEN 0 THEN 'FAILED' ELSE 'SUCCESS' END, 1700000000000 + i * 60000,
               1700000030000 + i * 60000 FROM n;
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {RUNS})
             INSERT INTO task_runs (run_id, job_run_id, position, task_key, settings_json, life_cycle_state,
               result_state, start_time, end_time)
             SELECT 300000000000000 + i, 100000000000000 + i, 0, 'only', '{{\"task_key\":\"only\"}}', 'TERMINATED',
               'SUCCESS', 1700000000000 + i * 60000, 1700000030000 + i * 60000 FROM n;
             COMMIT;"
        ))
        .unwrap();
}

fn memory_kb(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_runs_are_listed_at_once_and_fifty_run_side_by_side() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
    let state = folder.join("state");
    let python = stand_in(&folder, "xtask-scale");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let life = Life::begin(&state, &python);
    life.kill();
    seed(&state);
    let life = Life::begin(&state, &python);

    for path in [
        "/api/2.2/jobs/runs/list?limit=25",
        "/api/2.2/jobs/runs/list?limit=25&expand_tasks=true&page_token=9000",
        "/api/2.2/jobs/runs/list?job_id=200000000000003&completed_only=true",
        "/api/2.2/jobs/runs/list?active_only=true",
        "/api/2.2/jobs/list",
        "/jobs/200000000000003",
        "/",
    ] {
        life.get(path).await;
        let begun = Instant::now();
        life.get(path).await;
        let took = begun.elapsed();
        println!("{path}: {took:?}");
        assert!(took < LIST, "{path}: {took:?}");
    }
    let (mut pages, mut seen, mut token) = (0, 0, "0".to_owned());
    loop {
        let path = format!("/api/2.2/jobs/runs/list?limit=25&page_token={token}");
        let page = life.get(&path).await;
        seen += page["runs"].as_array().map_or(0, Vec::len);
        pages += 1;
        match page["next_page_token"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => break,
        }
    }
    assert_eq!((pages, seen), (400, 10_000));

    let notebook = "/Users/ml.developer@workspace.local/Quick";
    let path = format!("{notebook}.py").replace('/', "%2F");
    let upload = format!("/api/2.0/workspace-files/import-file/{path}?overwrite=true");
    let request = life.client.post(format!("{}{upload}", life.url));
    life.send(request.body("# Databricks notebook source\n1\n"))
        .await;
    let job = json!({"name": "many", "max_concurrent_runs": 100, "tasks": [
        {"task_key": "only", "notebook_task": {"notebook_path": notebook}}]});
    let job = life.post("/api/2.2/jobs/create", &job).await["job_id"].clone();
    let mut runs = Vec::new();
    for _ in 0..50 {
        let run = life
            .post("/api/2.2/jobs/run-now", &json!({"job_id": job}))
            .await;
        runs.push(run["run_id"].as_i64().unwrap());
    }
    let begun = Instant::now();
    for run in runs {
        let path = format!("/api/2.2/jobs/runs/get?run_id={run}");
        loop {
            let state = life.get(&path).await["state"].clone();
            match state["result_state"].as_str() {
                Some(result) => break assert_eq!(result, "SUCCESS", "{state}"),
                None => tokio::time::sleep(Duration::from_millis(50)).await,
            }
            assert!(begun.elapsed() < Duration::from_secs(120), "{run}: {state}");
        }
    }
    let memory = memory_kb(life.process());
    println!("50 runs in {:?}; {memory} kB", begun.elapsed());
    assert!(memory < MEMORY, "{memory} kB");
    life.kill();
}

/// 10,000 versions of a model, put into MLflow's own database, are read a page at a time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_versions_of_a_model_come_page_by_page() {
    let server = Server::start_with(tempfile::tempdir().unwrap(), None, python()).await;
    for (path, body) in [
        ("schemas", json!({"catalog_name": "dev", "name": "ml"})),
        (
            "models",
            json!({"catalog_name": "dev", "schema_name": "ml", "name": "taxi"}),
        ),
    ] {
        let path = format!("/api/2.1/unity-catalog/{path}");
        let (status, reply) = server.post(&path, body).await;
        assert!(status.is_success(), "{reply}");
    }
    let database = rusqlite::Connection::open(server.state().join("mlflow/mlflow.db")).unwrap();
    database.busy_timeout(Duration::from_secs(10)).unwrap();
    database
        .execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
             INSERT INTO model_versions (name, version, creation_time, last_updated_time, description, user_id,
               current_stage, source, run_id, status_message, run_link, storage_location, workspace, status)
             SELECT m.name, i, 1700000000000 + i, 1700000000000 + i, '', '', 'None', 'dbfs:/Models/dev/ml/taxi', '', '',
               '', 'dbfs:/Models/dev/ml/taxi', m.workspace, 'READY' FROM n, registered_models m;
             INSERT INTO model_version_tags (name, version, key, value, workspace)
             SELECT name, version, 'verdict', 'passed', workspace FROM model_versions;",
        )
        .unwrap();
    let view = "/api/2.1/unity-catalog/models/dev.ml.taxi/versions";
    let search = "/api/2.0/mlflow/unity-catalog/model-versions/search?filter=name%3D%27dev.ml.taxi%27&max_results=100";
    for path in [view, search] {
        server.get(path).await;
        let begun = Instant::now();
        let (_, page) = server.get(path).await;
        println!("{path}: {:?}", begun.elapsed());
        assert!(begun.elapsed() < Duration::from_secs(5));
        assert_eq!(page["model_versions"].as_array().unwrap().len(), 100);
    }
    // All of them, each once, newest first.
    let (mut numbers, mut token) = (Vec::new(), String::new());
    loop {
        let (_, page) = server
            .get(&format!("{view}?max_results=1000&page_token={token}"))
            .await;
        let versions = page["model_versions"].as_array().unwrap();
        numbers.extend(
            versions
                .iter()
                .map(|version| version["version"].as_i64().unwrap()),
        );
        match page["next_page_token"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => break,
        }
    }
    assert_eq!(numbers, (1..=10_000).rev().collect::<Vec<_>>());
    // A model with versions stays; finding that out takes one of them.
    let (status, _) = server
        .delete("/api/2.1/unity-catalog/models/dev.ml.taxi")
        .await;
    assert_eq!(status, reqwest::StatusCode::BAD_REQUEST);
    server.stop().await;
}
