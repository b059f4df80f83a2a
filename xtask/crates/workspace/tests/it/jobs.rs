//! Jobs and runs, as far as they are kept rather than executed.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use serde_json::{Value, json};
use xtask_workspace::store::{LifeCycle, NewRun, ResultState, RunState, RunType, Store};

use crate::server::{Server, job};

async fn create(server: &Server, settings: Value) -> i64 {
    let (status, body) = server.post("/api/2.2/jobs/create", settings).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    body["job_id"].as_i64().unwrap()
}

#[tokio::test]
async fn a_job_is_created_reset_updated_listed_and_deleted() {
    let server = Server::start().await;
    let id = create(&server, job("first")).await;
    assert!((10_000_000..1 << 53).contains(&id), "{id}");
    let mut settings = job("second");
    settings["run_as"] = json!({"user_name": "someone@example.com"});
    server
        .post(
            "/api/2.2/jobs/reset",
            json!({"job_id": id, "new_settings": settings}),
        )
        .await;
    server
        .post(
            "/api/2.2/jobs/reset",
            json!({"job_id": id, "new_settings": job("third")}),
        )
        .await;
    let (_, body) = server.get(&format!("/api/2.2/jobs/get?job_id={id}")).await;
    assert_eq!(
        (&body["settings"]["name"], &body["run_as_user_name"]),
        (&json!("third"), &json!("someone@example.com"))
    );
    let update = json!({"job_id": id, "new_settings": {"name": "fourth", "tasks": [
        {"task_key": "more", "notebook_task": {"notebook_path": "/b"}}]}, "fields_to_remove": ["run_as"]});
    assert_eq!(
        server.post("/api/2.1/jobs/update", update).await.0,
        StatusCode::OK
    );
    let (_, body) = server.get(&format!("/api/2.1/jobs/get?job_id={id}")).await;
    assert_eq!(body["settings"]["tasks"].as_array().unwrap().len(), 2);
    assert_eq!(body["run_as_user_name"], "ml.developer@workspace.local");

    for index in 0..24 {
        create(&server, job(&format!("job {index}"))).await;
    }
    let (_, page) = server.get("/api/2.2/jobs/list?limit=20").await;
    assert_eq!(
        (page["jobs"].as_array().unwrap().len(), &page["has_more"]),
        (20, &json!(true))
    );
    let (_, rest) = server
        .get(&format!(
            "/api/2.2/jobs/list?limit=20&page_token={}",
            page["next_page_token"].as_str().unwrap()
        ))
        .await;
    assert_eq!(
        (
            rest["jobs"].as_array().unwrap().len(),
            rest.get("next_page_token")
        ),
        (5, None)
    );
    let (_, named) = server.get("/api/2.2/jobs/list?name=FOURTH").await;
    assert_eq!(named["jobs"][0]["job_id"], id);
    assert_eq!(named["jobs"][0]["settings"].get("tasks"), None);

    assert_eq!(
        server
            .post("/api/2.2/jobs/delete", json!({"job_id": id}))
            .await
            .0,
        StatusCode::OK
    );
    let (status, body) = server.get(&format!("/api/2.2/jobs/get?job_id={id}")).await;
    assert_eq!(
        (status, &body["message"]),
        (
            StatusCode::NOT_FOUND,
            &json!(format!("Job {id} does not exist."))
        )
    );
    server.stop().await;
}

#[tokio::test]
async fn a_task_that_cannot_run_here_is_refused_by_name() {
    let server = Server::start().await;
    let task = json!({"task_key": "score", "python_wheel_task": {"package_name": "x"}});
    let (status, body) = server
        .post(
            "/api/2.2/jobs/create",
            json!({"name": "x", "tasks": [task]}),
        )
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let message = body["message"].as_str().unwrap();
    assert!(
        message.contains("'score'") && message.contains("python_wheel_task"),
        "{message}"
    );
    server.stop().await;
}

#[tokio::test]
async fn many_tasks_come_in_pages() {
    let server = Server::start().await;
    let tasks: Vec<Value> = (0..130)
        .map(|i| json!({"task_key": format!("t{i}"), "notebook_task": {"notebook_path": "/a"}}))
        .collect();
    let id = create(&server, json!({"name": "wide", "tasks": tasks})).await;
    let (_, first) = server.get(&format!("/api/2.2/jobs/get?job_id={id}")).await;
    assert_eq!(
        (
            first["settings"]["tasks"].as_array().unwrap().len(),
            &first["next_page_token"]
        ),
        (100, &json!("100"))
    );
    let (_, second) = server
        .get(&format!("/api/2.2/jobs/get?job_id={id}&page_token=100"))
        .await;
    assert_eq!(second["settings"]["tasks"].as_array().unwrap().len(), 30);
    server.stop().await;
}

#[tokio::test]
async fn run_now_is_idempotent_checks_parameters_and_shows_both_forms_of_the_state() {
    let server = Server::start().await;
    let mut settings = job("run me");
    settings["parameters"] = json!([{"name": "rows", "default": "10"}]);
    settings["max_concurrent_runs"] = json!(5);
    let id = create(&server, settings).await;
    let request =
        json!({"job_id": id, "idempotency_token": "once", "job_parameters": {"rows": "20"}});
    let (_, first) = server.post("/api/2.2/jobs/run-now", request.clone()).await;
    let (_, second) = server.post("/api/2.2/jobs/run-now", request).await;
    assert_eq!(first["run_id"], second["run_id"]);
    let run_id = first["run_id"].as_i64().unwrap();

    let (_, run) = server
        .get(&format!("/api/2.2/jobs/runs/get?run_id={run_id}"))
        .await;
    assert_eq!(
        run["job_parameters"],
        json!([{"name": "rows", "default": "10", "value": "20"}])
    );
    assert!(
        run["state"]["life_cycle_state"].is_string() && run["status"]["state"].is_string(),
        "{run}"
    );
    assert!(
        run["tasks"][0]["state"]["life_cycle_state"].is_string(),
        "{run}"
    );
    let expected = format!(
        "{}/jobs/{id}/runs/{run_id}?o={}",
        server.url, server.workspace_id
    );
    assert_eq!(run["run_page_url"], expected);
    let task_run = run["tasks"][0]["run_id"].as_i64().unwrap();
    let (status, output) = server
        .get(&format!("/api/2.2/jobs/runs/get-output?run_id={task_run}"))
        .await;
    assert_eq!(
        (status, &output["notebook_output"]),
        (StatusCode::OK, &json!({}))
    );
    let (_, runs) = server
        .get(&format!("/api/2.2/jobs/runs/list?job_id={id}"))
        .await;
    assert_eq!(runs["runs"].as_array().unwrap().len(), 1);

    for (request, expected) in [
        (
            json!({"job_id": id, "job_parameters": {"row": "1"}}),
            "'row' is not declared",
        ),
        (
            json!({"job_id": id, "only": ["none"]}),
            "'none' is not a task",
        ),
        (json!({"job_id": id, "jar_params": ["x"]}), "jar_params"),
    ] {
        let (status, body) = server.post("/api/2.2/jobs/run-now", request).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(
            body["message"].as_str().unwrap().contains(expected),
            "{body}"
        );
    }
    let (status, _) = server
        .post("/api/2.2/jobs/run-now", json!({"job_id": 12345678}))
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    server.stop().await;
}

#[tokio::test]
async fn permissions_are_kept_for_a_job_and_a_folder() {
    let server = Server::start().await;
    let id = create(&server, job("mine")).await;
    let path = format!("/api/2.0/permissions/jobs/{id}");
    let (_, body) = server.get(&path).await;
    assert_eq!(
        body["access_control_list"][0]["all_permissions"][0]["permission_level"],
        "IS_OWNER"
    );
    let put = |list: Value| {
        let request = server
            .request(reqwest::Method::PUT, &path)
            .json(&json!({"access_control_list": list}));
        async { request.send().await.unwrap().status() }
    };
    let owner =
        json!({"user_name": "ml.developer@workspace.local", "permission_level": "IS_OWNER"});
    assert_eq!(
        put(json!([owner, {"group_name": "users", "permission_level": "CAN_VIEW"}])).await,
        StatusCode::OK
    );
    assert_eq!(
        put(json!([{"group_name": "users", "permission_level": "CAN_VIEW"}])).await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        put(json!([owner, {"group_name": "users", "permission_level": "CAN_FLY"}])).await,
        StatusCode::BAD_REQUEST
    );
    let (_, body) = server.get(&path).await;
    assert_eq!(body["access_control_list"][1]["group_name"], "users");
    let (_, folder) = server
        .get("/api/2.0/workspace/get-status?path=/Shared")
        .await;
    let (status, _) = server
        .get(&format!(
            "/api/2.0/permissions/directories/{}",
            folder["object_id"]
        ))
        .await;
    assert_eq!(status, StatusCode::OK);
    server.stop().await;
}

/// A run that seems to be under way; no runner knows of it, so it stays so.
fn stored_run(server: &Server, job_id: i64) -> (Store, i64) {
    let store = Store::open(&server.state().join("workspace.db")).unwrap();
    let new = NewRun {
        due_time: None,
        job_id,
        run_name: "under way".into(),
        idempotency_token: None,
        creator: "x".into(),
        run_as: String::new(),
        settings: json!({}),
        parameters: BTreeMap::new(),
        overrides: json!({}),
        state: RunState::active(LifeCycle::Running),
        tasks: Vec::new(),
        run_type: RunType::JobRun,
        parent_run_id: None,
    };
    let (run, _) = store.create_run(&new).unwrap();
    (store, run.run_id)
}

#[tokio::test]
async fn a_second_run_waits_in_the_queue_or_is_skipped() {
    let server = Server::start().await;
    let mut settings = job("one at a time");
    let impatient = create(&server, settings.clone()).await;
    settings["queue"] = json!({"enabled": true});
    let patient = create(&server, settings).await;
    let (store, active) = stored_run(&server, patient);
    stored_run(&server, impatient);
    let start = async |job_id: i64| {
        let (_, body) = server
            .post("/api/2.2/jobs/run-now", json!({"job_id": job_id}))
            .await;
        body["run_id"].as_i64().unwrap()
    };
    let state = async |run_id: i64| {
        let (_, run) = server
            .get(&format!("/api/2.2/jobs/runs/get?run_id={run_id}"))
            .await;
        (
            run["state"]["life_cycle_state"].clone(),
            run["state"]["result_state"].clone(),
        )
    };
    let skipped = start(impatient).await;
    assert_eq!(
        state(skipped).await,
        (json!("SKIPPED"), json!("MAXIMUM_CONCURRENT_RUNS_REACHED"))
    );
    let (first, second) = (start(patient).await, start(patient).await);
    assert_eq!(state(first).await.0, "QUEUED");
    server
        .post("/api/2.2/jobs/runs/cancel", json!({"run_id": second}))
        .await;
    assert_eq!(
        state(second).await,
        (json!("TERMINATED"), json!("CANCELED"))
    );
    // A repair counts against the limit like a new run.
    for (run, expected) in [(second, "QUEUED"), (skipped, "SKIPPED")] {
        let body = json!({"run_id": run, "rerun_tasks": ["only"]});
        let (status, body) = server.post("/api/2.2/jobs/runs/repair", body).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(state(run).await.0, expected);
    }

    store
        .set_run_state(
            active,
            &RunState::ended(LifeCycle::Terminated, ResultState::Success, ""),
        )
        .unwrap();
    for _ in 0..200 {
        if state(first).await.0 != "QUEUED" {
            return drop(server.stop().await);
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the run is still queued");
}

#[tokio::test]
async fn lists_are_paged_both_ways_and_filtered_by_time() {
    let server = Server::start().await;
    let mut settings = job("listed");
    settings["max_concurrent_runs"] = json!(0);
    let id = create(&server, settings).await;
    for _ in 0..5 {
        server
            .post("/api/2.2/jobs/run-now", json!({"job_id": id}))
            .await;
    }
    let list = |query: &str| format!("/api/2.2/jobs/runs/list?job_id={id}&{query}");
    let (_, first) = server.get(&list("limit=2")).await;
    assert_eq!(first.get("prev_page_token"), None, "{first}");
    let next = first["next_page_token"].as_str().unwrap();
    let (_, second) = server
        .get(&list(&format!("limit=2&page_token={next}")))
        .await;
    let back = second["prev_page_token"].as_str().unwrap();
    let (_, again) = server
        .get(&list(&format!("limit=2&page_token={back}")))
        .await;
    assert_eq!(again["runs"], first["runs"]);
    let start = second["runs"][0]["start_time"].as_i64().unwrap();
    let (_, later) = server
        .get(&list(&format!("start_time_from={}", start + 1)))
        .await;
    let (_, earlier) = server.get(&list(&format!("start_time_to={start}"))).await;
    let count = |page: &Value| page["runs"].as_array().map_or(0, Vec::len);
    assert_eq!(count(&later) + count(&earlier), 5, "{later}\n{earlier}");
    let (status, refused) = server.get(&list("limit=27")).await;
    assert_eq!(
        (status, &refused["message"]),
        (
            StatusCode::BAD_REQUEST,
            &json!("Invalid limit 27 - it has to be no more than 26.")
        )
    );
    server.stop().await;
}

#[tokio::test]
async fn a_run_of_many_tasks_comes_in_pages() {
    let server = Server::start().await;
    let tasks: Vec<Value> = (0..130)
        .map(|i| json!({"task_key": format!("t{i:03}"), "notebook_task": {"notebook_path": "/a"}}))
        .collect();
    let id = create(
        &server,
        json!({"name": "wide", "tasks": tasks, "max_concurrent_runs": 0}),
    )
    .await;
    let (_, run) = server
        .post("/api/2.2/jobs/run-now", json!({"job_id": id}))
        .await;
    let get = format!("/api/2.2/jobs/runs/get?run_id={}", run["run_id"]);
    let (_, first) = server.get(&get).await;
    assert_eq!(first["tasks"].as_array().unwrap().len(), 100);
    let next = first["next_page_token"].as_str().unwrap();
    let (_, rest) = server.get(&format!("{get}&page_token={next}")).await;
    assert_eq!(rest["tasks"].as_array().unwrap().len(), 30);
    assert_eq!(rest["tasks"][0]["task_key"], "t100");
    assert_eq!(rest.get("next_page_token"), None);
    let path = format!("/api/2.2/jobs/runs/list?job_id={id}&expand_tasks=true");
    let (_, listed) = server.get(&path).await;
    assert_eq!(
        (
            listed["runs"][0]["tasks"].as_array().unwrap().len(),
            &listed["runs"][0]["has_more"]
        ),
        (100, &json!(true))
    );
    server.stop().await;
}

#[tokio::test]
async fn an_idempotency_token_may_not_be_longer_than_64_characters() {
    let server = Server::start().await;
    let id = create(&server, job("once")).await;
    for (length, expected) in [(64, StatusCode::OK), (65, StatusCode::BAD_REQUEST)] {
        let request = json!({"job_id": id, "idempotency_token": "x".repeat(length)});
        let (status, body) = server.post("/api/2.2/jobs/run-now", request).await;
        assert_eq!(status, expected, "{body}");
    }
    server.stop().await;
}
