//! Schedules are kept, checked, shown with their next time, and start runs where the workspace is told so.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::server::Server;

/// A job that needs no Python: it asks what started it.
fn job(name: &str, trigger: Value) -> Value {
    let mut settings = json!({"name": name, "tasks": [{"task_key": "asks",
        "condition_task": {"left": "{{job.trigger.type}}", "op": "EQUAL_TO", "right": "periodic"}}]});
    for (field, value) in trigger.as_object().unwrap() {
        settings[field] = value.clone();
    }
    settings
}

fn cron(expression: &str) -> Value {
    json!({"schedule": {"quartz_cron_expression": expression, "timezone_id": "Europe/Berlin"}})
}

async fn create(server: &Server, settings: Value) -> i64 {
    let (status, body) = server.post("/api/2.2/jobs/create", settings).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    body["job_id"].as_i64().unwrap()
}

async fn runs(server: &Server, job_id: i64) -> Vec<Value> {
    let path = format!("/api/2.2/jobs/runs/list?job_id={job_id}&expand_tasks=true");
    let (_, listed) = server.get(&path).await;
    listed["runs"].as_array().cloned().unwrap_or_default()
}

/// Waits until the job has so many runs, and answers them.
async fn with_runs(server: &Server, job_id: i64, count: usize) -> Vec<Value> {
    for _ in 0..600 {
        let found = runs(server, job_id).await;
        if found.len() >= count {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the schedule started no run");
}

async fn shown(server: &Server, name: &str) -> Value {
    let (_, all) = server.get("/local/v1/schedules").await;
    let jobs = all["jobs"].as_array().unwrap();
    jobs.iter().find(|job| job["name"] == name).unwrap().clone()
}

#[tokio::test]
async fn what_starts_a_job_is_kept_and_shown_with_its_next_time() {
    let server = Server::start().await;
    let table = json!({"table_update": {"table_names": ["a.b.c"]}, "pause_status": "UNPAUSED"});
    let paused = json!({"quartz_cron_expression": "0 0 9 * * ?", "timezone_id": "UTC", "pause_status": "PAUSED"});
    for (name, trigger) in [
        ("new year", cron("0 30 8 1 1 ? 2090")),
        ("past", cron("0 30 8 1 1 ? 2020")),
        ("paused", json!({ "schedule": paused })),
        (
            "period",
            json!({"trigger": {"periodic": {"interval": 1, "unit": "DAYS"}}}),
        ),
        ("table", json!({ "trigger": table })),
        (
            "always",
            json!({"continuous": {"pause_status": "UNPAUSED"}}),
        ),
    ] {
        let job_id = create(&server, job(name, trigger.clone())).await;
        let (_, kept) = server
            .get(&format!("/api/2.2/jobs/get?job_id={job_id}"))
            .await;
        for (field, value) in trigger.as_object().unwrap() {
            assert_eq!(&kept["settings"][field], value, "{name}");
        }
    }
    create(&server, json!({"name": "on demand"})).await;

    let (_, all) = server.get("/local/v1/schedules").await;
    assert_eq!(
        (all["jobs"].as_array().unwrap().len(), &all["firing"]),
        (6, &json!(false))
    );
    let new_year = shown(&server, "new year").await;
    assert_eq!(new_year["next"], "2090-01-01T07:30:00Z");
    assert_eq!(new_year["trigger"], "0 30 8 1 1 ? 2090 (Europe/Berlin)");
    assert_eq!(shown(&server, "past").await["next"], Value::Null);
    let paused = shown(&server, "paused").await;
    assert_eq!(
        (&paused["paused"], &paused["next"]),
        (&json!(true), &Value::Null)
    );
    assert!(shown(&server, "period").await["next"].is_string());
    let table = shown(&server, "table").await;
    assert_eq!(
        (&table["by_clock"], &table["trigger"]),
        (&json!(false), &json!("when tables change"))
    );
    server.stop().await;
}

#[tokio::test]
async fn a_schedule_that_means_nothing_is_refused_at_create_reset_and_update() {
    let server = Server::start().await;
    let wrong = job("wrong", cron("0 9 * * *"));
    let job_id = create(&server, job("right", cron("0 0 9 * * ?"))).await;
    for (path, body) in [
        ("create", wrong.clone()),
        ("reset", json!({"job_id": job_id, "new_settings": wrong})),
        (
            "update",
            json!({"job_id": job_id, "new_settings": cron("0 9 * * *")}),
        ),
    ] {
        let (status, refused) = server.post(&format!("/api/2.2/jobs/{path}"), body).await;
        assert_eq!(
            (status, &refused["error_code"]),
            (StatusCode::BAD_REQUEST, &json!("INVALID_PARAMETER_VALUE"))
        );
        let message = refused["message"].as_str().unwrap();
        assert!(
            message.starts_with("Invalid quartz_cron_expression: 0 9 * * *. "),
            "{message}"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn a_schedule_fires_survives_a_restart_and_rests_where_nobody_wants_it() {
    let server = Server::start_firing(tempfile::tempdir().unwrap()).await;
    let job_id = create(&server, job("every second", cron("* * * * * ?"))).await;
    let paused = json!({"schedule":
        {"quartz_cron_expression": "* * * * * ?", "timezone_id": "UTC", "pause_status": "PAUSED"}});
    let paused_id = create(&server, job("paused", paused)).await;

    let first = with_runs(&server, job_id, 1).await.remove(0);
    assert_eq!(first["trigger"], "PERIODIC", "{first}");
    assert_eq!(first["schedule"]["quartz_cron_expression"], "* * * * * ?");
    let run_id = first["run_id"].as_i64().unwrap();
    let ended = crate::runs::ended(&server, run_id).await;
    assert_eq!(
        ended["tasks"][0]["condition_task"]["outcome"], "true",
        "{ended}"
    );
    assert_eq!(shown(&server, "every second").await["fires"], true);

    let server = Server::start_firing(server.stop().await).await;
    let two = with_runs(&server, job_id, 2).await;
    let starts: BTreeSet<i64> = two
        .iter()
        .map(|run| run["start_time"].as_i64().unwrap())
        .collect();
    assert_eq!((two.len(), starts.len()), (2, 2));
    // Ten seconds between the times that they were planned for, and half a second of looking at the clock.
    assert!(
        starts.last().unwrap() - starts.first().unwrap() > 9_000,
        "{starts:?}"
    );
    assert!(runs(&server, paused_id).await.is_empty());

    let server = Server::start_in(server.stop().await, None).await;
    assert_eq!(shown(&server, "every second").await["fires"], false);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(runs(&server, job_id).await.len(), 2);
    server.stop().await;
}
