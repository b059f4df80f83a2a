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
fn databricks(server: &Server, dir: &Path, args: &[&str]) -> Output {
    let program = std::env::var_os("DATABRICKS_CLI").unwrap_or_else(|| {
        panic!(
            "this test runs the real Databricks CLI: set DATABRICKS_CLI to the path of version 1.10.0 or later \
             (`cargo xtask setup` brings one)"
        )
    });
    let path = std::env::var_os("PATH").unwrap_or_default();
    let output = Command::new(program)
        .args(args)
        .current_dir(dir)
        .env_clear()
        .env("PATH", path)
        .env("HOME", dir)
        .env("DATABRICKS_HOST", &server.url)
        .env("DATABRICKS_TOKEN", &server.token)
        .env("DATABRICKS_AUTH_TYPE", "pat")
        .env("DATABRICKS_CONFIG_FILE", dir.join("no-config"))
        .env("DATABRICKS_CACHE_DIR", dir.join("cache"))
        .env("DATABRICKS_CLI_DISABLE_UPDATE_CHECK", "1")
        .env("DATABRICKS_RATE_LIMIT", "200")
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{args:?}: {}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

fn stdout(output: &Output) -> String {
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
