//! Runs without a job, runs that go on after a failure, and what becomes of old ones.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::runs::{FOLDER, ended, output, result, start, task, upload, workspace};
use crate::server::Server;

async fn repair(server: &Server, request: Value) -> (StatusCode, Value) {
    server.post("/api/2.2/jobs/runs/repair", request).await
}

#[tokio::test]
async fn a_repair_runs_what_failed_again_and_keeps_the_rest() {
    let server = workspace().await;
    let bad = "assert dbutils.widgets.get('mode') == 'good', 'bad mode'\nprint('fine now')\n";
    let run_id = start(
        &server,
        &[
            ("First", "print('once')\n"),
            ("Second", bad),
            ("Third", "print('third')\n"),
        ],
        json!({"name": "repaired", "parameters": [{"name": "mode", "default": "bad"}], "tasks": [
            task("First", &[], &json!({})),
            task("Second", &["First"], &json!({})),
            task("Third", &["Second"], &json!({})),
        ]}),
    )
    .await;
    let run = ended(&server, run_id).await;
    assert_eq!(
        (result(&run, 1), result(&run, 2)),
        ("FAILED", "UPSTREAM_FAILED")
    );
    let request = |more: Value| {
        let mut request = json!({"run_id": run_id, "rerun_all_failed_tasks": true});
        for (key, value) in more.as_object().unwrap() {
            request[key] = value.clone();
        }
        request
    };
    let (status, first) = repair(&server, request(json!({}))).await;
    assert_eq!(status, StatusCode::OK, "{first}");
    let (status, refused) = repair(&server, request(json!({}))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{refused}");
    ended(&server, run_id).await;
    let (status, refused) = repair(&server, request(json!({}))).await;
    let message = refused["message"].as_str().unwrap();
    assert!(
        status == StatusCode::BAD_REQUEST && message.contains("latest_repair_id"),
        "{refused}"
    );

    let again = request(
        json!({"latest_repair_id": first["repair_id"], "job_parameters": {"mode": "good"}}),
    );
    let (status, second) = repair(&server, again).await;
    assert_eq!(status, StatusCode::OK, "{second}");
    ended(&server, run_id).await;
    let (_, run) = server
        .get(&format!(
            "/api/2.2/jobs/runs/get?run_id={run_id}&include_history=true"
        ))
        .await;
    assert_eq!(run["state"]["result_state"], "SUCCESS", "{run}");
    let attempts: Vec<(&str, i64)> = run["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| {
            (
                task["task_key"].as_str().unwrap(),
                task["attempt_number"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        attempts,
        [
            ("First", 0),
            ("Second", 0),
            ("Second", 1),
            ("Second", 2),
            ("Third", 0),
            ("Third", 1),
            ("Third", 2),
        ]
    );
    let history = run["repair_history"].as_array().unwrap();
    let kinds: Vec<&str> = history
        .iter()
        .map(|life| life["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["ORIGINAL", "REPAIR", "REPAIR"]);
    assert_eq!(history[1]["state"]["result_state"], "FAILED");
    assert_eq!(history[2]["state"]["result_state"], "SUCCESS");
    assert_eq!(
        (&history[1]["id"], &history[2]["id"]),
        (&first["repair_id"], &second["repair_id"])
    );
    assert_eq!(history[2]["task_run_ids"].as_array().unwrap().len(), 2);
    assert_eq!(output(&server, &run, 3).await["logs"], "fine now\n");
    server.stop().await;
}

#[tokio::test]
async fn a_run_without_a_job_is_submitted_exported_and_deleted() {
    let server = workspace().await;
    upload(
        &server,
        &[(
            "Once",
            "print('<b>bold</b>')\ndbutils.notebook.exit('done')\n",
        )],
    )
    .await;
    let request = json!({"run_name": "once", "idempotency_token": "t", "tasks": [task("Once", &[], &json!({}))]});
    let (status, body) = server
        .post("/api/2.1/jobs/runs/submit", request.clone())
        .await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let (_, again) = server.post("/api/2.1/jobs/runs/submit", request).await;
    assert_eq!(again["run_id"], body["run_id"]);
    let run_id = body["run_id"].as_i64().unwrap();
    let (status, _) = server
        .post("/api/2.2/jobs/runs/delete", json!({"run_id": run_id}))
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "an active run was deleted");
    let run = ended(&server, run_id).await;
    assert_eq!(
        (&run["run_type"], &run["run_name"]),
        (&json!("SUBMIT_RUN"), &json!("once"))
    );
    assert_eq!(
        output(&server, &run, 0).await["notebook_output"]["result"],
        "done"
    );
    let (_, jobs) = server.get("/api/2.2/jobs/list").await;
    assert_eq!(jobs.get("jobs"), None);

    let (status, export) = server
        .get(&format!("/api/2.2/jobs/runs/export?run_id={run_id}"))
        .await;
    assert_eq!(status, StatusCode::OK, "{export}");
    assert_eq!(
        (&export["views"][0]["type"], &export["views"][0]["name"]),
        (&json!("NOTEBOOK"), &json!("Once"))
    );
    let html = export["views"][0]["content"].as_str().unwrap();
    assert!(
        html.contains("&lt;b&gt;bold&lt;/b&gt;") && html.contains(FOLDER),
        "{html}"
    );
    assert!(
        !html.contains("<script") && !html.contains("<link"),
        "{html}"
    );

    let folder = server
        .state()
        .join("runs")
        .join(run["tasks"][0]["run_id"].to_string());
    assert!(folder.exists());
    let (status, _) = server
        .post("/api/2.2/jobs/runs/delete", json!({"run_id": run_id}))
        .await;
    assert_eq!(status, StatusCode::OK);
    assert!(!folder.exists());
    let (status, _) = server
        .get(&format!("/api/2.2/jobs/runs/get?run_id={run_id}"))
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);

    let nothing = json!({"run_name": "nothing", "tasks": []});
    let (status, _) = server.post("/api/2.1/jobs/runs/submit", nothing).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    server.stop().await;
}
