//! Unity Catalog: catalogs, schemas, volumes and grants; registered models are in MLflow's registry.
//!
//! A catalog is created with the first schema in it, together with a schema `default`, as on Databricks. Schemas and
//! volumes must be created explicitly.

mod catalogs;
mod grants;
mod models;
mod volumes;

use std::sync::Arc;

use axum::Json;
use axum::extract::Path;
use axum::routing::{MethodRouter, get, post};
use serde_json::{Map, Value, json};

use crate::access;
use crate::call::{Call, JsonBody, Reply, Routes};
use crate::catalogs::names::{self, FullName};
use crate::catalogs::{CATALOG, Kind, SCHEMA, VOLUME};
use crate::state::App;

type Fields = Map<String, Value>;

pub(super) fn router() -> Routes {
    let path = |rest: &str| format!("/api/2.1/unity-catalog/{rest}");
    Routes::new()
        .route(
            &path("current-metastore-assignment"),
            get(metastore_assignment),
        )
        .route(
            &path("catalogs"),
            post(catalogs::create).get(catalogs::list),
        )
        .route(
            &path("catalogs/{name}"),
            one(&CATALOG).delete(catalogs::delete),
        )
        .route(
            &path("schemas"),
            post(catalogs::create_schema).get(catalogs::list_schemas),
        )
        .route(
            &path("schemas/{full_name}"),
            one(&SCHEMA).delete(catalogs::delete_schema),
        )
        .route(&path("volumes"), post(volumes::create).get(volumes::list))
        .route(
            &path("volumes/{full_name}"),
            one(&VOLUME).delete(volumes::delete),
        )
        .route(&path("models"), post(models::create).get(models::list))
        .route(
            &path("models/{full_name}"),
            get(models::show)
                .patch(models::update)
                .delete(models::delete),
        )
        .route(&path("models/{full_name}/versions"), get(models::versions))
        .route(
            &path("models/{full_name}/versions/{version}"),
            get(models::version)
                .patch(models::update_version)
                .delete(models::delete_version),
        )
        .route(
            &path("models/{full_name}/aliases/{alias}"),
            get(models::version_by_alias)
                .put(models::set_alias)
                .delete(models::delete_alias),
        )
        .route(
            &path("permissions/{securable_type}/{full_name}"),
            get(grants::show).patch(grants::change),
        )
}

async fn metastore_assignment(call: Call) -> Json<Value> {
    Json(json!({
        "metastore_id": call.identity.metastore_id(),
        "workspace_id": call.identity.workspace_id.parse::<i64>().unwrap_or_default(),
        "default_catalog_name": "main",
    }))
}

/// Shows and updates a catalog, schema or volume.
fn one(kind: &'static Kind) -> MethodRouter<Arc<App>> {
    get(move |call, name| show(kind, call, name))
        .patch(move |call, name, changes| update(kind, call, name, changes))
}

async fn show(kind: &Kind, call: Call, Path(full_name): Path<FullName>) -> Reply {
    let body = kind.find(&call, &full_name)?;
    access::require_privilege(&call, kind.seen_with, kind.name, &full_name)?;
    Ok(Json(body))
}

async fn update(
    kind: &Kind,
    call: Call,
    Path(full_name): Path<FullName>,
    JsonBody(changes): JsonBody<Fields>,
) -> Reply {
    let mut body = kind.find(&call, &full_name)?;
    access::require_owner(&call, kind.name, &full_name)?;
    names::apply(&call.caller, &mut body, &changes, kind.changeable)?;
    call.store.replace_securable(kind.name, &full_name, &body)?;
    Ok(Json(body))
}

/// A text of a request; empty without one.
fn text<'f>(fields: &'f Fields, name: &str) -> &'f str {
    fields.get(name).and_then(Value::as_str).unwrap_or_default()
}
