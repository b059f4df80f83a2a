//! SQL warehouses.

use axum::Json;
use axum::extract::Path;
use axum::routing::{get, post};
use serde_json::{Map, Value, json};

use super::Kind;
use crate::call::{Call, JsonBody, Reply, Routes};
use crate::error::ApiError;
use crate::state::App;
use crate::store::{Record, new_uuid};

const WAREHOUSES: Kind = Kind {
    name: "warehouse",
    permissions: "sql/warehouses",
    absent: "SQL warehouse {} does not exist.",
};
/// The refusal of SQL statements.
const NO_SQL: &str = "the local workspace keeps SQL warehouses as records and runs no SQL on them: run it on a \
     Databricks workspace";

pub(super) fn router() -> Routes {
    let path = |rest: &str| format!("/api/2.0/sql/{rest}");
    Routes::new()
        .route(&path("warehouses"), post(create).get(list))
        .route(&path("warehouses/{id}"), get(show).delete(delete))
        .route(&path("warehouses/{id}/edit"), post(edit))
        .route(&path("warehouses/{id}/start"), post(start))
        .route(&path("warehouses/{id}/stop"), post(stop))
        .route(&path("statements"), post(statement))
}

async fn create(call: Call, JsonBody(mut body): JsonBody<Map<String, Value>>) -> Reply {
    let id: String = new_uuid()?.replace('-', "").chars().take(16).collect();
    for (field, value) in [
        ("name", json!(id)),
        ("creator_name", json!(call.identity.user_name)),
        ("min_num_clusters", json!(1)),
        ("max_num_clusters", json!(1)),
        ("auto_stop_mins", json!(120)),
        ("warehouse_type", json!("CLASSIC")),
        ("spot_instance_policy", json!("COST_OPTIMIZED")),
        ("enable_photon", json!(true)),
    ] {
        body.entry(field).or_insert(value);
    }
    // Clients wait until a created warehouse runs.
    body.insert("state".to_owned(), json!("RUNNING"));
    let record = Record {
        id,
        body: body.into(),
        created_time: 0,
    };
    call.store
        .create_record(WAREHOUSES.name, &record.id, &record.body)?;
    Ok(Json(describe(&record)))
}

fn describe(record: &Record) -> Value {
    let mut body = record.body.clone();
    body["id"] = record.id.as_str().into();
    body["num_clusters"] = 0.into();
    body["num_active_sessions"] = 0.into();
    body["health"] =
        json!({"status": "HEALTHY", "summary": "A record: the local workspace runs no SQL."});
    body
}

async fn show(call: Call, Path(id): Path<String>) -> Reply {
    Ok(Json(describe(&WAREHOUSES.find(&call, &id)?)))
}

async fn list(call: Call) -> Reply {
    let known = call.store.records(WAREHOUSES.name)?;
    let known: Vec<Value> = known.iter().map(describe).collect();
    Ok(Json(json!({"warehouses": known})))
}

/// Changes the given fields, and starts the warehouse.
async fn edit(
    call: Call,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<Map<String, Value>>,
) -> Reply {
    let mut record = WAREHOUSES.find(&call, &id)?;
    for (field, value) in body.into_iter().filter(|(field, _)| field != "id") {
        record.body[field] = value;
    }
    record.body["state"] = "RUNNING".into();
    WAREHOUSES.keep(&call, &record)?;
    Ok(Json(json!({"id": id})))
}

async fn start(call: Call, Path(id): Path<String>) -> Reply {
    set_state(&call, &id, "RUNNING")
}

async fn stop(call: Call, Path(id): Path<String>) -> Reply {
    set_state(&call, &id, "STOPPED")
}

fn set_state(app: &App, id: &str, state: &str) -> Reply {
    let mut record = WAREHOUSES.find(app, id)?;
    record.body["state"] = state.into();
    WAREHOUSES.keep(app, &record)?;
    Ok(Json(json!({})))
}

async fn delete(call: Call, Path(id): Path<String>) -> Reply {
    WAREHOUSES.delete(&call, &id)?;
    Ok(Json(json!({})))
}

async fn statement(JsonBody(_): JsonBody<Value>) -> ApiError {
    ApiError::not_implemented(NO_SQL)
}
