//! Pipelines, warehouses and clusters are kept as they are declared, and nothing of them runs.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::cli::{databricks, stdout};
use crate::server::{Server, read};

async fn put(server: &Server, path: &str, body: Value) -> (StatusCode, Value) {
    read(
        server
            .request(Method::PUT, path)
            .json(&body)
            .send()
            .await
            .unwrap(),
    )
    .await
}

#[tokio::test]
async fn a_pipeline_is_kept_edited_listed_and_deleted_and_says_that_it_does_not_run() {
    let server = Server::start().await;
    let pipeline =
        json!({"name": "sales", "catalog": "main", "continuous": false, "parameters": {"a": "b"}});
    let (_, made) = server.post("/api/2.0/pipelines", pipeline.clone()).await;
    let id = made["pipeline_id"].as_str().unwrap().to_owned();
    let path = format!("/api/2.0/pipelines/{id}");
    let (status, taken) = server.post("/api/2.0/pipelines", pipeline).await;
    assert_eq!(status, StatusCode::CONFLICT, "{taken}");

    let edited = json!({"id": id, "name": "sales", "continuous": true});
    assert_eq!(put(&server, &path, edited).await.0, StatusCode::OK);
    let (_, shown) = server.get(&path).await;
    assert_eq!(shown["state"], "IDLE");
    let spec = json!({"id": id, "name": "sales", "continuous": true, "storage": format!("dbfs:/pipelines/{id}")});
    assert_eq!(shown["spec"], spec);
    assert_eq!(shown.get("parameters"), None, "{shown}");
    let (_, listed) = server
        .get("/api/2.0/pipelines?filter=name%20LIKE%20'%25ale%25'")
        .await;
    assert_eq!(listed["statuses"][0]["pipeline_id"], id.as_str());

    let (status, refused) = server.post(&format!("{path}/updates"), json!({})).await;
    assert_eq!(status, StatusCode::NOT_IMPLEMENTED);
    assert!(
        refused["message"]
            .as_str()
            .unwrap()
            .contains("does not run them")
    );
    assert_eq!(server.delete(&path).await.0, StatusCode::OK);
    let (status, gone) = server.get(&path).await;
    let expected = format!("The specified pipeline {id} was not found.");
    assert_eq!(
        (status, &gone["message"]),
        (StatusCode::NOT_FOUND, &json!(expected))
    );
    server.stop().await;
}

#[tokio::test]
async fn a_job_may_update_a_pipeline_and_is_not_run_with_that_task() {
    let server = Server::start().await;
    let tasks = json!([
        {"task_key": "train", "notebook_task": {"notebook_path": "/a"}},
        {"task_key": "refresh", "pipeline_task": {"pipeline_id": "x", "full_refresh": false}},
    ]);
    let (status, job) = server
        .post(
            "/api/2.2/jobs/create",
            json!({"name": "both", "tasks": tasks}),
        )
        .await;
    assert_eq!(status, StatusCode::OK, "{job}");
    let (status, refused) = server
        .post("/api/2.2/jobs/run-now", json!({"job_id": job["job_id"]}))
        .await;
    assert_eq!(status, StatusCode::NOT_IMPLEMENTED);
    let message = refused["message"].as_str().unwrap();
    assert!(
        message.contains("'refresh'") && message.contains("pipelines"),
        "{message}"
    );
    let only = json!({"job_id": job["job_id"], "only": ["train"]});
    assert_eq!(
        server.post("/api/2.2/jobs/run-now", only).await.0,
        StatusCode::OK
    );
    server.stop().await;
}

#[tokio::test]
async fn warehouses_and_clusters_start_and_stop_on_paper() {
    let server = Server::start().await;
    let (_, warehouse) = server
        .post(
            "/api/2.0/sql/warehouses",
            json!({"name": "small", "cluster_size": "2X-Small"}),
        )
        .await;
    let path = format!(
        "/api/2.0/sql/warehouses/{}",
        warehouse["id"].as_str().unwrap()
    );
    server.post(&format!("{path}/stop"), json!({})).await;
    assert_eq!(server.get(&path).await.1["state"], "STOPPED");
    server
        .post(&format!("{path}/edit"), json!({"auto_stop_mins": 5}))
        .await;
    let (_, edited) = server.get(&path).await;
    assert_eq!(
        (
            &edited["state"],
            &edited["auto_stop_mins"],
            &edited["cluster_size"]
        ),
        (&json!("RUNNING"), &json!(5), &json!("2X-Small"))
    );
    let statement = json!({"warehouse_id": warehouse["id"], "statement": "SELECT 1"});
    let (status, refused) = server.post("/api/2.0/sql/statements", statement).await;
    assert_eq!(status, StatusCode::NOT_IMPLEMENTED, "{refused}");
    server.delete(&path).await;
    assert_eq!(server.get(&path).await.0, StatusCode::NOT_FOUND);

    let declared = json!({"cluster_name": "c", "spark_version": "15.4.x-scala2.12", "node_type_id": "n", "num_workers": 1});
    let (_, made) = server.post("/api/2.1/clusters/create", declared).await;
    let id = made["cluster_id"].clone();
    let get = format!("/api/2.1/clusters/get?cluster_id={}", id.as_str().unwrap());
    let resize = json!({"cluster_id": id, "num_workers": 3});
    server
        .post("/api/2.1/clusters/resize", resize.clone())
        .await;
    let (_, cluster) = server.get(&get).await;
    assert_eq!(
        (&cluster["state"], &cluster["num_workers"]),
        (&json!("RUNNING"), &json!(3))
    );
    server
        .post("/api/2.1/clusters/delete", json!({"cluster_id": id}))
        .await;
    assert_eq!(server.get(&get).await.1["state"], "TERMINATED");
    let (status, refused) = server.post("/api/2.1/clusters/resize", resize).await;
    assert_eq!(
        (status, &refused["error_code"]),
        (StatusCode::BAD_REQUEST, &json!("INVALID_STATE"))
    );
    server
        .post(
            "/api/2.1/clusters/permanent-delete",
            json!({"cluster_id": id}),
        )
        .await;
    assert_eq!(server.get(&get).await.0, StatusCode::NOT_FOUND);
    server.stop().await;
}

#[tokio::test]
async fn of_several_levels_for_one_principal_the_last_counts() {
    let server = Server::start().await;
    let (_, warehouse) = server
        .post("/api/2.0/sql/warehouses", json!({"name": "small"}))
        .await;
    let path = format!(
        "/api/2.0/permissions/sql/warehouses/{}",
        warehouse["id"].as_str().unwrap()
    );
    let entries = ["CAN_VIEW", "CAN_USE"]
        .map(|level| json!({"user_name": "x@example.com", "permission_level": level}));
    let (status, set) = put(&server, &path, json!({"access_control_list": entries})).await;
    assert_eq!(status, StatusCode::OK, "{set}");
    let levels = &set["access_control_list"][0]["all_permissions"];
    assert_eq!(
        levels,
        &json!([{"permission_level": "CAN_USE", "inherited": false}])
    );
    assert_eq!(server.get(&path).await.1, set);
    let (status, _) = server.get("/api/2.0/permissions/pipelines/none").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    server.stop().await;
}

const BUNDLE: &str = r#"
bundle: {name: records, engine: direct}
resources:
  pipelines:
    sales:
      name: sales
      catalog: main
      schema: default
      libraries: [{file: {path: ./sales.py}}]
      permissions: [{level: CAN_VIEW, group_name: users}]
  sql_warehouses:
    small: {name: small, cluster_size: 2X-Small, auto_stop_mins: 10}
  clusters:
    one: {cluster_name: one, spark_version: 15.4.x-scala2.12, node_type_id: i3.xlarge, num_workers: 1}
  jobs:
    refresh:
      name: refresh
      tasks:
        - task_key: refresh
          pipeline_task: {pipeline_id: "${resources.pipelines.sales.id}"}
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bundle_of_records_is_deployed_without_drift_and_destroyed() {
    let server = Server::start().await;
    let bundle = tempfile::tempdir().unwrap();
    let dir = bundle.path();
    std::fs::write(dir.join("sales.py"), "X = 1\n").unwrap();
    std::fs::write(dir.join("databricks.yml"), BUNDLE).unwrap();
    let run = |args: &[&str]| tokio::task::block_in_place(|| databricks(&server, dir, args));
    run(&["bundle", "deploy"]);
    let plan = stdout(&run(&["bundle", "plan"]));
    assert!(
        plan.contains("0 to add, 0 to change, 0 to delete"),
        "drift after a deploy: {plan}"
    );
    let listed = stdout(&run(&["pipelines", "list-pipelines"]));
    assert!(listed.contains("sales"), "{listed}");
    run(&["bundle", "destroy", "--auto-approve"]);
    for (path, list) in [
        ("/api/2.0/pipelines", "statuses"),
        ("/api/2.0/sql/warehouses", "warehouses"),
        ("/api/2.1/clusters/list", "clusters"),
        ("/api/2.2/jobs/list", "jobs"),
    ] {
        let (_, left) = server.get(path).await;
        assert!(
            left[list].as_array().is_none_or(Vec::is_empty),
            "{path}: {left}"
        );
    }
    server.stop().await;
}
