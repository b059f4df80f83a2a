//! `/local/v1`: controls of the workspace itself.

use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};

use axum::Json;
use axum::extract::Path;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use xtask_local_server::now_ms;
use xtask_local_server::sign_in::{LINK_LIFETIME, local_path};

use crate::call::{Call, JsonBody, QueryString, Reply, Routes, on_disk};
use crate::error::ApiError;
use crate::mlflow;
use crate::runner::schedules::upcoming;
use crate::state::VERSION;

/// Bytes of events in one reply, at least.
const EVENTS_CHUNK: u64 = 4 << 20;

pub(super) fn router() -> Routes {
    Routes::new()
        .route("/local/v1/status", get(status))
        .route("/local/v1/schedules", get(schedules))
        .route("/local/v1/shutdown", post(shutdown))
        .route("/local/v1/sign-in", post(sign_in))
        .route("/local/v1/task-runs/{task_run_id}/events", get(events))
}

async fn status(call: Call) -> Reply {
    let uptime = Timestamp::now().as_second() - call.started_at.as_second();
    Ok(Json(json!({
        "version": VERSION,
        "workspace_id": call.identity.workspace_id,
        "url": call.url,
        "user": call.identity.user_name,
        "uptime_seconds": uptime.max(0),
        "idle_seconds": call.activity.idle().as_secs(),
        "keep": call.config.keep,
        "schedules": call.config.schedules,
        "active_runs": call.store.active_runs()?.len(),
        "mlflow": mlflow::status(&call),
    })))
}

/// The jobs with triggers, and their next due times.
async fn schedules(call: Call) -> Reply {
    let jobs = call.store.jobs_with_triggers()?;
    let jobs: Vec<Value> = jobs
        .iter()
        .filter_map(|job| {
            let upcoming = upcoming(&call, job)?;
            Some(json!({
                "job_id": job.job_id,
                "name": job.settings.name,
                "trigger": upcoming.what,
                "paused": upcoming.paused,
                "by_clock": upcoming.by_clock,
                "next": upcoming.next.map(|next| next.to_string()),
                "fires": upcoming.fires,
            }))
        })
        .collect();
    Ok(Json(json!({"firing": call.config.schedules, "jobs": jobs})))
}

async fn shutdown(call: Call) -> Json<Value> {
    call.stop.request();
    Json(json!({}))
}

#[derive(Deserialize)]
struct SignIn {
    #[serde(default)]
    path: String,
}

/// Creates a one-time sign-in link that leads to `path`.
async fn sign_in(call: Call, JsonBody(body): JsonBody<SignIn>) -> Reply {
    call.caller.require_own_token()?;
    let code = call
        .sign_in_links
        .issue(local_path(&body.path).to_owned(), now_ms(), LINK_LIFETIME)
        .map_err(|error| ApiError::internal("cannot make a sign-in code", &error))?;
    let url = format!("{}/sign-in?code={}", call.url, code.expose());
    Ok(Json(json!({"url": url})))
}

#[derive(Deserialize)]
struct Offset {
    #[serde(default)]
    offset: u64,
}

/// Complete lines of a task run's events from a byte offset on; `x-next-offset` is the next offset.
async fn events(
    call: Call,
    Path(task_run_id): Path<i64>,
    QueryString(query): QueryString<Offset>,
) -> Result<Response, ApiError> {
    if call.store.task_run(task_run_id)?.is_none() {
        return Err(ApiError::not_found(format!(
            "Task run {task_run_id} does not exist."
        )));
    }
    let lines = on_disk(&call.app, move |app| {
        let path = app.task_run_dir(task_run_id).join("events.jsonl");
        whole_lines(path.as_std_path(), query.offset)
            .map_err(|error| ApiError::disk("cannot read the events", &error))
    })
    .await?;
    let next = query.offset + lines.len() as u64;
    let headers = [
        (CONTENT_TYPE.as_str(), "application/x-ndjson".to_owned()),
        ("x-next-offset", next.to_string()),
    ];
    Ok((headers, lines).into_response())
}

/// The complete lines of a file from `offset` on: about [`EVENTS_CHUNK`] bytes, and at least one line. Empty for a
/// missing file.
fn whole_lines(path: &std::path::Path, offset: u64) -> std::io::Result<Vec<u8>> {
    let mut file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    file.seek(SeekFrom::Start(offset))?;
    let mut reader = BufReader::new(file);
    let mut lines = Vec::new();
    reader.by_ref().take(EVENTS_CHUNK).read_to_end(&mut lines)?;
    match lines.iter().rposition(|byte| *byte == b'\n') {
        Some(end) => lines.truncate(end + 1),
        None => {
            reader.read_until(b'\n', &mut lines)?;
            if lines.last() != Some(&b'\n') {
                lines.clear();
            }
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_being_written_is_left_for_later() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.jsonl");
        assert_eq!(whole_lines(&path, 0).unwrap(), b"");
        std::fs::write(&path, "{\"a\":1}\n{\"b\":2}\n{\"c\"").unwrap();
        assert_eq!(whole_lines(&path, 0).unwrap(), b"{\"a\":1}\n{\"b\":2}\n");
        assert_eq!(whole_lines(&path, 8).unwrap(), b"{\"b\":2}\n");
        assert_eq!(whole_lines(&path, 16).unwrap(), b"");
        assert_eq!(whole_lines(&path, 1000).unwrap(), b"");
        let long = format!("{}\n{{}}\n", "x".repeat(5 << 20));
        std::fs::write(&path, &long).unwrap();
        assert_eq!(whole_lines(&path, 0).unwrap().len(), (5 << 20) + 1);
    }
}
