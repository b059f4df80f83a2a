//! What the real CLI does with bundles beside deploying them: taking over what is there, letting go of it, writing
//! it down, opening it, and deploying again after a destroy.

use std::path::Path;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::cli::{attempted, bare, databricks, stdout};
use crate::runs::workspace;
use crate::server::Server;

const HOME: &str = "/Workspace/Users/ml.developer@workspace.local";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_is_generated_bound_opened_and_unbound() {
    let server = Server::start().await;
    let path = format!("{HOME}/Train.py");
    server
        .import(&path, "# Databricks notebook source\nprint(1)\n", true)
        .await;
    let task =
        json!({"task_key": "train", "notebook_task": {"notebook_path": format!("{HOME}/Train")}});
    let (_, made) = server
        .post(
            "/api/2.2/jobs/create",
            json!({"name": "by hand", "tasks": [task]}),
        )
        .await;
    let id = made["job_id"].to_string();
    let bundle = tempfile::tempdir().unwrap();
    let dir = bundle.path();
    let yml = "bundle: {name: taken, engine: direct}\ninclude: [resources/*.yml]\n";
    std::fs::write(dir.join("databricks.yml"), yml).unwrap();
    tokio::task::block_in_place(|| {
        let run = |args: &[&str]| stdout(&databricks(&server, dir, args));
        run(&[
            "bundle",
            "generate",
            "job",
            "--key",
            "mine",
            "--existing-job-id",
            &id,
        ]);
        let written = std::fs::read_to_string(dir.join("resources/mine.job.yml")).unwrap();
        assert!(written.contains("name: by hand"), "{written}");
        let source = std::fs::read_to_string(dir.join("src/Train.py")).unwrap();
        assert_eq!(source.trim_end(), "# Databricks notebook source\nprint(1)");

        run(&[
            "bundle",
            "deployment",
            "bind",
            "mine",
            &id,
            "--auto-approve",
        ]);
        run(&["bundle", "deploy"]);
        assert_eq!(deployed(&server, dir), id, "deploying made another job");
        assert_eq!(
            opened(&server, dir, "mine"),
            format!("{}/jobs/{id}", server.url)
        );
        run(&["bundle", "deployment", "unbind", "mine"]);
        run(&["bundle", "destroy", "--auto-approve"]);
    });
    let (status, job) = server.get(&format!("/api/2.2/jobs/get?job_id={id}")).await;
    assert_eq!(
        (status, &job["settings"]["name"]),
        (StatusCode::OK, &json!("by hand"))
    );
    server.stop().await;
}

/// The id of the job `mine` of what is deployed.
fn deployed(server: &Server, dir: &Path) -> String {
    let summary = stdout(&databricks(
        server,
        dir,
        &["bundle", "summary", "-o", "json"],
    ));
    let summary: Value = serde_json::from_str(&summary).unwrap();
    summary["resources"]["jobs"]["mine"]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The address that `bundle open` hands to the browser, without its query.
fn opened(server: &Server, dir: &Path, key: &str) -> String {
    let output = bare(server, dir, &["bundle", "open", key])
        .env("DATABRICKS_TOKEN", &server.token)
        .env("DATABRICKS_AUTH_TYPE", "pat")
        .env("BROWSER", "none")
        .output()
        .unwrap();
    let printed = format!(
        "{}{}",
        stdout(&output),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{printed}");
    let address = printed
        .split_whitespace()
        .find(|word| word.starts_with("http"))
        .unwrap();
    address.split('?').next().unwrap().to_owned()
}

const BUNDLE: &str = r#"
bundle: {name: again, engine: direct}
resources:
  schemas:
    ml: {catalog_name: test, name: again}
  experiments:
    runs:
      name: /Users/ml.developer@workspace.local/again
      permissions: [{level: CAN_READ, group_name: users}]
  registered_models:
    fare:
      catalog_name: test
      schema_name: ${resources.schemas.ml.name}
      name: fare
      grants: [{principal: account users, privileges: [EXECUTE]}]
  volumes:
    data:
      catalog_name: test
      schema_name: ${resources.schemas.ml.name}
      name: data
      grants: [{principal: account users, privileges: [READ_VOLUME]}]
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_destroyed_is_deployed_again_with_its_permissions() {
    let server = workspace().await;
    let bundle = tempfile::tempdir().unwrap();
    let dir = bundle.path();
    std::fs::write(dir.join("databricks.yml"), BUNDLE).unwrap();
    let run =
        |args: &[&str]| tokio::task::block_in_place(|| stdout(&databricks(&server, dir, args)));
    let experiment = "/Users/ml.developer@workspace.local/again";
    let mut ids = Vec::new();
    for _ in 0..2 {
        run(&["bundle", "deploy"]);
        let plan = run(&["bundle", "plan"]);
        assert!(
            plan.contains("0 to add, 0 to change, 0 to delete"),
            "{plan}"
        );
        let found: Value =
            serde_json::from_str(&run(&["experiments", "get-by-name", experiment])).unwrap();
        let id = found["experiment"]["experiment_id"]
            .as_str()
            .unwrap()
            .to_owned();
        let readers: Value =
            serde_json::from_str(&run(&["experiments", "get-permissions", &id])).unwrap();
        let of_users = readers["access_control_list"]
            .as_array()
            .unwrap()
            .iter()
            .find(|entry| entry["group_name"] == "users");
        assert_eq!(
            of_users.unwrap()["all_permissions"][0]["permission_level"],
            "CAN_READ"
        );
        ids.push(id);
        for (kind, name, privilege) in [
            ("function", "test.again.fare", "EXECUTE"),
            ("volume", "test.again.data", "READ_VOLUME"),
        ] {
            let grants: Value = serde_json::from_str(&run(&["grants", "get", kind, name])).unwrap();
            assert_eq!(
                grants["privilege_assignments"][0]["privileges"][0], privilege,
                "{grants}"
            );
        }
        version_of(&server, "test.again.fare").await;
        // Models are listed everywhere, or in one schema.
        let everywhere = ["registered-models", "list", "--output", "json"];
        let in_schema = [
            &everywhere[..],
            &["--catalog-name", "test", "--schema-name", "again"],
        ]
        .concat();
        for args in [&everywhere[..], &in_schema] {
            let models: Value = serde_json::from_str(&run(args)).unwrap();
            assert_eq!(models[0]["full_name"], "test.again.fare", "{models}");
        }
        let half = [&everywhere[..], &["--catalog-name", "test"]].concat();
        let refused = tokio::task::block_in_place(|| attempted(&server, dir, &half));
        let printed = String::from_utf8(refused.stderr).unwrap();
        assert!(printed.contains("must be specified together"), "{printed}");
        // A model is kept for its versions, as Unity Catalog keeps it.
        let destroy = ["bundle", "destroy", "--auto-approve"];
        let refused = tokio::task::block_in_place(|| attempted(&server, dir, &destroy));
        let printed = String::from_utf8(refused.stderr).unwrap();
        assert!(
            !refused.status.success() && printed.contains("delete its versions first"),
            "{printed}"
        );
        run(&["model-versions", "delete", "test.again.fare", "1"]);
        run(&destroy);
        let (status, gone) = server
            .get("/api/2.1/unity-catalog/models/test.again.fare")
            .await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{gone}");
    }
    assert_ne!(ids[0], ids[1]);
    // What clients ask first, to see whether the service answers.
    let versions: Value =
        serde_json::from_str(&run(&["clusters", "spark-versions", "--output", "json"])).unwrap();
    let versions = versions["versions"].as_array().unwrap();
    assert!(versions.iter().any(|one| {
        let key = one["key"].as_str().unwrap();
        key.contains("-scala2.") && one["name"].as_str().unwrap().contains("Apache Spark")
    }));
    server.stop().await;
}

/// Registers a version, as a client of MLflow would.
async fn version_of(server: &Server, name: &str) {
    let body = json!({"name": name, "source": "dbfs:/none"});
    let (status, made) = server
        .post("/api/2.0/mlflow/unity-catalog/model-versions/create", body)
        .await;
    assert_eq!(status, StatusCode::OK, "{made}");
    assert_eq!(made["model_version"]["version"], "1", "{made}");
}

const OWN_REGISTRY: &str = r#"
bundle: {name: own, engine: direct}
resources:
  models:
    fare:
      name: test-fare model
      tags: [{key: team, value: fares}]
      permissions: [{level: CAN_READ, group_name: users}]
"#;

/// A model of the workspace's own registry: deployed, planned, changed, with a version in a stage, and destroyed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_of_the_workspaces_own_registry_is_deployed_and_destroyed() {
    let server = workspace().await;
    let bundle = tempfile::tempdir().unwrap();
    let dir = bundle.path();
    std::fs::write(dir.join("databricks.yml"), OWN_REGISTRY).unwrap();
    let run =
        |args: &[&str]| tokio::task::block_in_place(|| stdout(&databricks(&server, dir, args)));
    let none = "0 to add, 0 to change, 0 to delete";
    run(&["bundle", "deploy"]);
    let plan = run(&["bundle", "plan"]);
    assert!(plan.contains(none), "{plan}");

    // What is written beside it is nobody's drift.
    let name = "test-fare model";
    let (status, body) = server
        .post(
            "/api/2.0/mlflow/registered-models/set-tag",
            json!({"name": name, "key": "mlops_link_versions", "value": "http://x"}),
        )
        .await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let plan = run(&["bundle", "plan"]);
    assert!(plan.contains(none), "{plan}");

    let summary: Value = serde_json::from_str(&run(&["bundle", "summary", "-o", "json"])).unwrap();
    let model = &summary["resources"]["models"]["fare"];
    assert_eq!(model["id"], name);
    let url = model["url"].as_str().unwrap();
    let page = server.page(url.strip_prefix(&server.url).unwrap()).await;
    assert!(
        page.contains("test-fare model") && page.contains("href=\"http://x\""),
        "{page}"
    );
    let shown: Value = serde_json::from_str(&run(&["model-registry", "get-model", name])).unwrap();
    let id = shown["registered_model_databricks"]["id"].as_str().unwrap();
    let readers: Value =
        serde_json::from_str(&run(&["model-registry", "get-permissions", id])).unwrap();
    let readers = readers["access_control_list"].as_array().unwrap();
    assert!(
        readers.iter().any(|one| one["group_name"] == "users"),
        "{readers:?}"
    );

    // Stages, by the call of Databricks' clients.
    let (_, made) = server
        .post("/api/2.0/mlflow/runs/create", json!({"experiment_id": "0"}))
        .await;
    let run_id = made["run"]["info"]["run_id"].as_str().unwrap();
    let source = format!("mlflow-artifacts:/0/{run_id}/artifacts/model");
    let version = json!({"name": name, "source": source, "run_id": run_id});
    for _ in 0..2 {
        let (status, body) = server
            .post("/api/2.0/mlflow/model-versions/create", version.clone())
            .await;
        assert_eq!(status, StatusCode::OK, "{body}");
    }
    for number in ["1", "2"] {
        let moved = run(&[
            "model-registry",
            "transition-stage",
            name,
            number,
            "Production",
            "true",
        ]);
        let moved: Value = serde_json::from_str(&moved).unwrap();
        assert_eq!(
            moved["model_version_databricks"]["current_stage"],
            "Production"
        );
    }
    let (_, first) = server
        .get("/api/2.0/mlflow/model-versions/get?name=test-fare+model&version=1")
        .await;
    assert_eq!(first["model_version"]["current_stage"], "Archived");
    let page = server.page("/ml/models/test-fare%20model").await;
    assert!(
        page.contains(">Production<") && page.contains(">Archived<"),
        "{page}"
    );

    run(&["bundle", "destroy", "--auto-approve"]);
    let (status, gone) = server
        .get("/api/2.0/mlflow/registered-models/get?name=test-fare+model")
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{gone}");
    server.stop().await;
}
