//! Clusters. Jobs that name one run locally; commands on a cluster do not.

use axum::Json;
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use xtask_local_server::now_ms;

use super::Kind;
use crate::call::{Call, JsonBody, QueryString, Reply, Routes};
use crate::error::ApiError;
use crate::state::App;
use crate::store::{Record, new_uuid};

const CLUSTERS: Kind = Kind {
    name: "cluster",
    permissions: "clusters",
    absent: "Cluster {} does not exist.",
};
/// `state_message` of a cluster.
const A_RECORD: &str = "A record: the local workspace starts no machines.";

pub(super) fn router() -> Routes {
    let mut router = Routes::new();
    for version in ["2.0", "2.1"] {
        let path = |name: &str| format!("/api/{version}/clusters/{name}");
        router = router
            .route(&path("create"), post(create))
            .route(&path("get"), get(show))
            .route(&path("list"), get(list))
            .route(&path("spark-versions"), get(spark_versions))
            .route(&path("list-node-types"), get(node_types))
            .route(&path("edit"), post(edit))
            .route(&path("resize"), post(resize))
            .route(&path("start"), post(start))
            .route(&path("restart"), post(start))
            .route(&path("delete"), post(terminate))
            .route(&path("permanent-delete"), post(delete));
    }
    router
}

#[derive(Deserialize)]
struct ClusterId {
    cluster_id: String,
}

async fn create(call: Call, JsonBody(body): JsonBody<Map<String, Value>>) -> Reply {
    let letters: String = new_uuid()?.chars().take(8).collect();
    let id = format!("{}-{letters}", Timestamp::now().strftime("%m%d-%H%M%S"));
    call.store
        .create_record(CLUSTERS.name, &id, &kept(&call, body))?;
    Ok(Json(json!({"cluster_id": id})))
}

/// Adds the service's fields. Clients wait until a created or edited cluster runs.
fn kept(app: &App, mut body: Map<String, Value>) -> Value {
    body.remove("cluster_id");
    let spec = Value::from(body.clone());
    if let Some(node) = body.get("node_type_id").cloned() {
        body.entry("driver_node_type_id").or_insert(node);
    }
    if body.get("data_security_mode") == Some(&json!("SINGLE_USER")) {
        body.entry("single_user_name")
            .or_insert(json!(app.identity.user_name));
    }
    body.entry("enable_elastic_disk").or_insert(json!(false));
    body.insert("spec".to_owned(), spec);
    body.insert("state".to_owned(), json!("RUNNING"));
    body.insert("start_time".to_owned(), json!(now_ms()));
    body.insert(
        "creator_user_name".to_owned(),
        json!(app.identity.user_name),
    );
    body.into()
}

fn describe(record: &Record) -> Value {
    let mut body = record.body.clone();
    body["cluster_id"] = record.id.as_str().into();
    body["cluster_source"] = "API".into();
    body["state_message"] = A_RECORD.into();
    body
}

async fn show(call: Call, QueryString(query): QueryString<ClusterId>) -> Reply {
    Ok(Json(describe(&CLUSTERS.find(&call, &query.cluster_id)?)))
}

async fn list(call: Call) -> Reply {
    let known = call.store.records(CLUSTERS.name)?;
    let known: Vec<Value> = known.iter().map(describe).collect();
    Ok(Json(json!({"clusters": known})))
}

/// Runtime versions that a cluster may name; clients also call this to test the connection.
async fn spark_versions() -> Json<Value> {
    let version = |key: &str, name: &str| json!({"key": key, "name": name});
    Json(json!({"versions": [
        version("17.3.x-scala2.13", "17.3 LTS (includes Apache Spark 4.0.0, Scala 2.13)"),
        version("17.3.x-cpu-ml-scala2.13", "17.3 LTS ML (includes Apache Spark 4.0.0, Scala 2.13)"),
        version("16.4.x-scala2.12", "16.4 LTS (includes Apache Spark 3.5.2, Scala 2.12)"),
        version("16.4.x-cpu-ml-scala2.12", "16.4 LTS ML (includes Apache Spark 3.5.2, Scala 2.12)"),
    ]}))
}

/// One node type: this machine.
async fn node_types() -> Json<Value> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Json(json!({"node_types": [{
        "node_type_id": "local", "instance_type_id": "local", "description": "this machine",
        "category": "General Purpose", "num_cores": cores, "memory_mb": 0, "is_deprecated": false,
    }]}))
}

async fn edit(call: Call, JsonBody(body): JsonBody<Map<String, Value>>) -> Reply {
    let id = body
        .get("cluster_id")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let mut record = CLUSTERS.find(&call, id)?;
    let state = record.body["state"].take();
    record.body = kept(&call, body);
    record.body["state"] = state;
    CLUSTERS.keep(&call, &record)?;
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
struct Resize {
    cluster_id: String,
    num_workers: Option<i64>,
    autoscale: Option<Value>,
}

async fn resize(call: Call, JsonBody(body): JsonBody<Resize>) -> Reply {
    let mut record = CLUSTERS.find(&call, &body.cluster_id)?;
    if record.body["state"] != "RUNNING" {
        return Err(ApiError::bad_request(
            "INVALID_STATE",
            format!("Cluster {} is terminated: start it first", record.id),
        ));
    }
    if let Some(size) = record.body.as_object_mut() {
        size.remove("num_workers");
        size.remove("autoscale");
        let given = [
            ("num_workers", body.num_workers.map(Value::from)),
            ("autoscale", body.autoscale),
        ];
        size.extend(
            given
                .into_iter()
                .filter_map(|(field, value)| Some((field.to_owned(), value?))),
        );
    }
    CLUSTERS.keep(&call, &record)?;
    Ok(Json(json!({})))
}

async fn start(call: Call, JsonBody(body): JsonBody<ClusterId>) -> Reply {
    set_state(&call, &body.cluster_id, "RUNNING")
}

async fn terminate(call: Call, JsonBody(body): JsonBody<ClusterId>) -> Reply {
    set_state(&call, &body.cluster_id, "TERMINATED")
}

fn set_state(app: &App, id: &str, state: &str) -> Reply {
    let mut record = CLUSTERS.find(app, id)?;
    record.body["state"] = state.into();
    CLUSTERS.keep(app, &record)?;
    Ok(Json(json!({})))
}

async fn delete(call: Call, JsonBody(body): JsonBody<ClusterId>) -> Reply {
    CLUSTERS.delete(&call, &body.cluster_id)?;
    Ok(Json(json!({})))
}
