//! Pipelines (Lakeflow Declarative Pipelines).

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use xtask_local_server::now_ms;

use super::Kind;
use crate::call::{Call, JsonBody, QueryString, Reply, Routes};
use crate::error::ApiError;
use crate::state::App;
use crate::store::{Record, new_uuid};

const PIPELINES: Kind = Kind {
    name: "pipeline",
    permissions: "pipelines",
    absent: "The specified pipeline {} was not found.",
};
/// Request fields that are no part of the pipeline.
const DIRECTIONS: [&str; 3] = ["allow_duplicate_names", "dry_run", "expected_last_modified"];

pub(super) fn router() -> Routes {
    let path = |rest: &str| format!("/api/2.0/pipelines{rest}");
    Routes::new()
        .route(&path(""), post(create).get(list))
        .route(&path("/{pipeline_id}"), get(show).put(edit).delete(delete))
        .route(&path("/{pipeline_id}/updates"), post(start).get(updates))
        .route(&path("/{pipeline_id}/updates/{update_id}"), get(update))
        .route(&path("/{pipeline_id}/events"), get(events))
        .route(&path("/{pipeline_id}/stop"), post(stop))
}

async fn create(call: Call, JsonBody(mut body): JsonBody<Map<String, Value>>) -> Reply {
    if body.get("dry_run") == Some(&json!(true)) {
        DIRECTIONS
            .iter()
            .for_each(|field| drop(body.remove(*field)));
        return Ok(Json(json!({"effective_settings": body})));
    }
    if body.get("allow_duplicate_names") != Some(&json!(true)) {
        refuse_taken_name(&call, &body, None)?;
    }
    let id = new_uuid()?;
    call.store
        .create_record(PIPELINES.name, &id, &kept(&call, &id, body))?;
    Ok(Json(json!({"pipeline_id": id})))
}

/// The specification, and the service's fields beside it.
fn kept(app: &App, id: &str, mut body: Map<String, Value>) -> Value {
    DIRECTIONS
        .iter()
        .for_each(|field| drop(body.remove(*field)));
    let (parameters, run_as) = (body.remove("parameters"), body.remove("run_as"));
    body.insert("id".to_owned(), id.into());
    // Without a catalog, tables go to a storage folder.
    if !body.contains_key("catalog") && !body.contains_key("storage") {
        body.insert("storage".to_owned(), format!("dbfs:/pipelines/{id}").into());
    }
    let run_as_name = run_as.as_ref().and_then(|run_as| {
        run_as["user_name"]
            .as_str()
            .or(run_as["service_principal_name"].as_str())
    });
    let mut kept = json!({
        "name": body.get("name"),
        "creator_user_name": app.identity.user_name,
        "run_as_user_name": run_as_name.unwrap_or(&app.identity.user_name),
        "last_modified": now_ms(),
        "spec": body,
    });
    for (field, value) in [("parameters", parameters), ("run_as", run_as)] {
        if let Some(value) = value {
            kept[field] = value;
        }
    }
    kept
}

fn refuse_taken_name(
    app: &App,
    body: &Map<String, Value>,
    own: Option<&str>,
) -> Result<(), ApiError> {
    let Some(name) = body.get("name").and_then(Value::as_str) else {
        return Ok(());
    };
    let known = app.store.records(PIPELINES.name)?;
    match known
        .iter()
        .any(|other| other.body["name"] == name && Some(other.id.as_str()) != own)
    {
        false => Ok(()),
        true => Err(ApiError::new(
            StatusCode::CONFLICT,
            "RESOURCE_CONFLICT",
            format!(
                "The pipeline name '{name}' is already used by another pipeline. This check can be skipped by \
                 setting `allow_duplicate_names = true` in the request."
            ),
        )),
    }
}

fn describe(record: &Record) -> Value {
    let mut body = record.body.clone();
    body["pipeline_id"] = record.id.as_str().into();
    body["state"] = "IDLE".into();
    body
}

async fn show(call: Call, Path(id): Path<String>) -> Reply {
    Ok(Json(describe(&PIPELINES.find(&call, &id)?)))
}

#[derive(Deserialize)]
struct List {
    filter: Option<String>,
}

/// Filtered by `name LIKE '%sales%'`.
async fn list(call: Call, QueryString(query): QueryString<List>) -> Reply {
    let wanted = query.filter.as_deref().unwrap_or_default();
    let statuses: Vec<Value> = call
        .store
        .records(PIPELINES.name)?
        .iter()
        .filter(|record| matches(wanted, record.body["name"].as_str().unwrap_or_default()))
        .map(|record| {
            let mut body = describe(record);
            body.as_object_mut().map(|body| body.remove("spec"));
            body
        })
        .collect();
    Ok(Json(json!({"statuses": statuses})))
}

/// `name LIKE '…'` with `%` as a wildcard; other filters match everything.
fn matches(filter: &str, name: &str) -> bool {
    let Some(pattern) = filter
        .trim()
        .strip_prefix("name LIKE '")
        .and_then(|rest| rest.strip_suffix('\''))
    else {
        return true;
    };
    let mut parts = pattern.split('%');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let mut open_end = false;
    for part in parts {
        open_end = part.is_empty();
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.is_empty() || open_end
}

async fn edit(
    call: Call,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<Map<String, Value>>,
) -> Reply {
    let mut record = PIPELINES.find(&call, &id)?;
    if body.get("allow_duplicate_names") != Some(&json!(true)) {
        refuse_taken_name(&call, &body, Some(&id))?;
    }
    let creator = record.body["creator_user_name"].take();
    record.body = kept(&call, &id, body);
    record.body["creator_user_name"] = creator;
    PIPELINES.keep(&call, &record)?;
    Ok(Json(json!({})))
}

async fn delete(call: Call, Path(id): Path<String>) -> Reply {
    PIPELINES.delete(&call, &id)?;
    Ok(Json(json!({})))
}

async fn start(call: Call, Path(id): Path<String>) -> Reply {
    PIPELINES.find(&call, &id)?;
    Err(ApiError::not_implemented(crate::jobs::NO_PIPELINES))
}

async fn updates(call: Call, Path(id): Path<String>) -> Reply {
    PIPELINES.find(&call, &id)?;
    Ok(Json(json!({})))
}

async fn update(call: Call, Path((id, update_id)): Path<(String, String)>) -> Reply {
    PIPELINES.find(&call, &id)?;
    Err(ApiError::not_found(format!(
        "The specified update {} was not found.",
        update_id.escape_debug()
    )))
}

async fn events(call: Call, Path(id): Path<String>) -> Reply {
    PIPELINES.find(&call, &id)?;
    Ok(Json(json!({"events": []})))
}

/// Pipelines never run, so there is nothing to stop.
async fn stop(call: Call, Path(id): Path<String>) -> Reply {
    PIPELINES.find(&call, &id)?;
    Ok(Json(json!({})))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_filter_compares_names_with_wildcards() {
        for (filter, name, expected) in [
            ("", "sales", true),
            ("name LIKE 'sales'", "sales", true),
            ("name LIKE 'sales'", "sales 2", false),
            ("name LIKE '%ale%'", "sales", true),
            ("name LIKE 's%s'", "sales", true),
            ("name LIKE 's%x'", "sales", false),
            ("name LIKE '%2'", "sales", false),
        ] {
            assert_eq!(matches(filter, name), expected, "{filter} {name}");
        }
    }
}
