//! The unmodified Databricks CLI against the workspace.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::server::Server;

const BUNDLE: &str = r#"
bundle:
  name: rest_check
  engine: direct
targets:
  test:
    default: true
    mode: production
    workspace:
      root_path: /Workspace/Users/ml.developer@workspace.local/.bundle/rest_check/test
    permissions:
      - level: CAN_MANAGE
        user_name: ml.developer@workspace.local
resources:
  schemas:
    ml:
      catalog_name: test
      name: Rest_Check
      comment: made by a test
      grants:
        - principal: account users
          privileges: [USE_SCHEMA]
  volumes:
    data:
      catalog_name: test
      schema_name: ${resources.schemas.ml.name}
      name: data
  jobs:
    train:
      name: ${bundle.target}-train
      parameters:
        - name: rows
          default: "10"
      queue:
        enabled: true
      permissions:
        - level: CAN_VIEW
          group_name: users
      tasks:
        - task_key: first
          notebook_task:
            notebook_path: notebooks/Train.py
            base_parameters:
              volume: /Volumes/${resources.volumes.data.catalog_name}/${resources.volumes.data.schema_name}/data
        - task_key: second
          depends_on: [{task_key: first}]
          notebook_task:
            notebook_path: notebooks/Train.py
"#;

/// Runs the CLI in `dir` against the workspace; it sees nothing of this machine's settings.
pub(crate) fn databricks(server: &Server, dir: &Path, args: &[&str]) -> Output {
    let output = attempted(server, dir, args);
    assert!(
        output.status.success(),
        "{args:?}: {}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// The same, for a command that may fail.
pub(crate) fn attempted(server: &Server, dir: &Path, args: &[&str]) -> Output {
    bare(server, dir, args)
        .env("DATABRICKS_TOKEN", &server.token)
        .env("DATABRICKS_AUTH_TYPE", "pat")
        .output()
        .unwrap()
}

/// The CLI as it stands before it knows who it is.
pub(crate) fn bare(server: &Server, dir: &Path, args: &[&str]) -> Command {
    let program = std::env::var_os("DATABRICKS_CLI").unwrap_or_else(|| {
        panic!(
            "this test runs the real Databricks CLI: set DATABRICKS_CLI to the path of version 1.10.0 or later \
             (`cargo xtask setup` brings one)"
        )
    });
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut command = Command::new(program);
    command
        .args(args)
        .current_dir(dir)
        .env_clear()
        .env("PATH", path)
        .env("HOME", dir)
        .env("DATABRICKS_HOST", &server.url)
        .env("DATABRICKS_CONFIG_FILE", dir.join("no-config"))
        .env("DATABRICKS_CACHE_DIR", dir.join("cache"))
        .env("DATABRICKS_CLI_DISABLE_UPDATE_CHECK", "1")
        .env("DATABRICKS_RATE_LIMIT", "200")
        .env("NO_PROXY", "127.0.0.1");
    command
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bundle_is_validated_planned_deployed_changed_summarised_and_destroyed() {
    let server = Server::start().await;
    let bundle = tempfile::tempdir().unwrap();
    let dir = bundle.path();
    std::fs::create_dir(dir.join("notebooks")).unwrap();
    std::fs::write(
        dir.join("notebooks/Train.py"),
        "# Databricks notebook source\nprint(1)\n",
    )
    .unwrap();
    std::fs::write(dir.join("notebooks/lib.py"), "X = 1\n").unwrap();
    std::fs::write(dir.join("databricks.yml"), BUNDLE).unwrap();
    let run = |args: &[&str]| tokio::task::block_in_place(|| databricks(&server, dir, args));

    run(&["bundle", "validate", "--strict"]);
    let plan = stdout(&run(&["bundle", "plan"]));
    assert!(plan.contains("5 to add"), "{plan}");
    run(&["bundle", "deploy"]);
    let plan = stdout(&run(&["bundle", "plan"]));
    assert!(
        plan.contains("0 to add, 0 to change, 0 to delete"),
        "drift after a deploy: {plan}"
    );

    let summary: Value =
        serde_json::from_slice(&run(&["bundle", "summary", "-o", "json"]).stdout).unwrap();
    let job_id = summary["resources"]["jobs"]["train"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        summary["resources"]["schemas"]["ml"]["id"],
        "test.rest_check"
    );
    let (_, job) = server
        .get(&format!("/api/2.2/jobs/get?job_id={job_id}"))
        .await;
    let notebook = job["settings"]["tasks"][0]["notebook_task"]["notebook_path"]
        .as_str()
        .unwrap()
        .to_owned();
    let (_, object) = server
        .get(&format!("/api/2.0/workspace/get-status?path={notebook}"))
        .await;
    assert_eq!(object["object_type"], "NOTEBOOK", "{notebook}: {object}");
    let volume = &job["settings"]["tasks"][0]["notebook_task"]["base_parameters"]["volume"];
    // The CLI takes the name as the bundle spells it; the workspace finds it either way.
    assert_eq!(volume, "/Volumes/test/Rest_Check/data");

    std::fs::write(dir.join("local.txt"), "data").unwrap();
    run(&[
        "fs",
        "cp",
        "local.txt",
        "dbfs:/Volumes/test/rest_check/data/remote.txt",
    ]);
    assert_eq!(
        stdout(&run(&[
            "fs",
            "cat",
            "dbfs:/Volumes/test/rest_check/data/remote.txt"
        ])),
        "data"
    );
    assert!(
        stdout(&run(&["fs", "ls", "dbfs:/Volumes/test/Rest_Check/data"])).contains("remote.txt")
    );

    let output = run(&["bundle", "run", "train", "--no-wait", "--params", "rows=20"]);
    let shown = format!(
        "{}{}",
        stdout(&output),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        shown.contains(&format!("{}/jobs/{job_id}/runs/", server.url)),
        "{shown}"
    );

    std::fs::write(
        dir.join("databricks.yml"),
        BUNDLE.replace("default: \"10\"", "default: \"11\""),
    )
    .unwrap();
    let plan = stdout(&run(&["bundle", "plan"]));
    assert!(plan.contains("1 to change"), "{plan}");
    run(&["bundle", "deploy"]);
    let (_, job) = server
        .get(&format!("/api/2.2/jobs/get?job_id={job_id}"))
        .await;
    assert_eq!(job["settings"]["parameters"][0]["default"], "11");

    run(&["bundle", "destroy", "--auto-approve"]);
    assert_eq!(
        server
            .get(&format!("/api/2.2/jobs/get?job_id={job_id}"))
            .await
            .0
            .as_u16(),
        404
    );
    assert_eq!(
        server
            .get("/api/2.1/unity-catalog/schemas/test.rest_check")
            .await
            .0
            .as_u16(),
        404
    );
    let (status, _) = server.get("/api/2.0/workspace/get-status?path=/Users/ml.developer@workspace.local/.bundle/rest_check/test").await;
    assert_eq!(status.as_u16(), 404);
    server.stop().await;
}

const KINDS: &str = r#"
bundle:
  name: kinds
  engine: direct
resources:
  jobs:
    kinds:
      name: kinds
      parameters: [{name: fail, default: "yes"}]
      environments: [{environment_key: e, spec: {client: "2"}}]
      tasks:
        - task_key: file
          environment_key: e
          spark_python_task: {python_file: ./main.py, parameters: ["{{job.parameters.fail}}"]}
        - task_key: check
          condition_task: {left: "{{job.parameters.fail}}", op: NOT_EQUAL, right: never}
        - task_key: loop
          depends_on: [{task_key: check, outcome: "true"}]
          for_each_task:
            inputs: "[1, 2]"
            concurrency: 2
            task:
              task_key: one
              environment_key: e
              spark_python_task: {python_file: ./main.py, parameters: ["{{input}}"]}
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_of_several_kinds_fails_is_repaired_and_its_run_is_deleted() {
    let server = crate::runs::workspace().await;
    let bundle = tempfile::tempdir().unwrap();
    let dir = bundle.path();
    let source = "import sys\nassert sys.argv[1] != 'yes', 'told to fail'\n";
    std::fs::write(dir.join("main.py"), source).unwrap();
    std::fs::write(dir.join("databricks.yml"), KINDS).unwrap();
    let run = |args: &[&str]| tokio::task::block_in_place(|| databricks(&server, dir, args));

    run(&["bundle", "deploy"]);
    let plan = stdout(&run(&["bundle", "plan"]));
    assert!(plan.contains("1 unchanged"), "drift after a deploy: {plan}");
    let failed =
        tokio::task::block_in_place(|| attempted(&server, dir, &["bundle", "run", "kinds"]));
    let shown = String::from_utf8(failed.stderr).unwrap();
    assert_eq!(failed.status.code(), Some(1), "{shown}");
    assert!(
        shown.contains("Task file FAILED") && shown.contains("told to fail"),
        "{shown}"
    );

    let listed = run(&["jobs", "list-runs", "-o", "json"]);
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let run_id = listed[0]["run_id"].to_string();
    let request = format!(
        r#"{{"run_id": {run_id}, "rerun_all_failed_tasks": true, "job_parameters": {{"fail": "no"}}}}"#
    );
    let repaired = run(&["jobs", "repair-run", "--json", &request]);
    let repaired: Value = serde_json::from_slice(&repaired.stdout).unwrap();
    assert_eq!(repaired["state"]["result_state"], "SUCCESS", "{repaired}");
    let history = run(&[
        "jobs",
        "get-run",
        &run_id,
        "--include-history",
        "-o",
        "json",
    ]);
    let history: Value = serde_json::from_slice(&history.stdout).unwrap();
    assert_eq!(history["repair_history"][1]["type"], "REPAIR", "{history}");
    run(&["jobs", "delete-run", &run_id]);
    let listed = stdout(&run(&["jobs", "list-runs", "-o", "json"]));
    assert!(!listed.contains(&run_id), "{listed}");
    server.stop().await;
}
