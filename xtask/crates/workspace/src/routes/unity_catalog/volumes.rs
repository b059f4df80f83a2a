//! Volumes: `/Volumes/<catalog>/<schema>/<volume>` in the Files API and in notebooks.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::access;
use crate::caller::Caller;
use crate::catalogs::{self, names};
use crate::error::ApiError;
use crate::extract::{JsonBody, QueryString, on_disk};
use crate::files::RelativePath;
use crate::state::App;
use crate::store::Securable;

pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    JsonBody(body): JsonBody<Map<String, Value>>,
) -> Result<Json<Value>, ApiError> {
    let field = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
    let catalog = names::name("catalog", field("catalog_name"))?;
    let schema = names::name("schema", field("schema_name"))?;
    let name = names::name("volume", field("name"))?;
    if field("volume_type") == "EXTERNAL" {
        return Err(ApiError::not_implemented(
            "the local workspace has managed volumes only",
        ));
    }
    if !field("storage_location").is_empty() {
        return Err(ApiError::invalid(
            "CreateVolume storage_location can not be provided.",
        ));
    }
    catalogs::require_schema(&app, &catalog, &schema)?;
    catalogs::require_creation(
        &app,
        &caller,
        "CREATE_VOLUME",
        &format!("{catalog}.{schema}"),
    )?;
    let volume = new(&app, &caller, [&catalog, &schema, &name], &body)?;
    let folder = folder(&volume.full_name)?;
    if !app.store.create_securable(&volume)? {
        return Err(names::taken("volume", &volume.full_name));
    }
    on_disk(&app, move |app| {
        app.volumes
            .create_dir_all(&folder)
            .map_err(|error| ApiError::disk("cannot create the volume's folder", &error))
    })
    .await?;
    Ok(Json(volume.body))
}

fn new(
    app: &App,
    caller: &Caller,
    [catalog, schema, name]: [&str; 3],
    given: &Map<String, Value>,
) -> Result<Securable, ApiError> {
    let (parent, full_name) = (
        format!("{catalog}.{schema}"),
        format!("{catalog}.{schema}.{name}"),
    );
    let mut body = Value::Object(names::origin(app, caller, "volume_id")?);
    for (key, value) in [
        ("name", json!(name)),
        ("catalog_name", json!(catalog)),
        ("schema_name", json!(schema)),
        ("full_name", json!(full_name)),
        ("volume_type", json!("MANAGED")),
        ("securable_type", json!("VOLUME")),
        (
            "storage_location",
            json!(format!(
                "file:{}/{catalog}/{schema}/{name}",
                app.volumes.root()
            )),
        ),
        ("browse_only", json!(false)),
    ] {
        body[key] = value;
    }
    names::apply(caller, &mut body, given, &["comment"])?;
    Ok(Securable {
        kind: "volume",
        full_name,
        parent,
        body,
    })
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(full_name): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let volume = find(&app, &full_name)?;
    let full_name = names::full_name(&full_name);
    access::require_privilege(&app, &caller, "READ_VOLUME", "volume", &full_name)?;
    Ok(Json(volume))
}

#[derive(Deserialize)]
pub(super) struct InSchema {
    catalog_name: String,
    schema_name: String,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    QueryString(query): QueryString<InSchema>,
) -> Result<Json<Value>, ApiError> {
    let parent = names::full_name(&format!("{}.{}", query.catalog_name, query.schema_name));
    let volumes = app.store.securables("volume", &parent)?;
    Ok(Json(
        json!({"volumes": access::seen(&app, &caller, "volume", volumes)?}),
    ))
}

pub(super) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(full_name): Path<String>,
    JsonBody(changes): JsonBody<Map<String, Value>>,
) -> Result<Json<Value>, ApiError> {
    let mut body = find(&app, &full_name)?;
    access::require_owner(&app, &caller, "volume", &names::full_name(&full_name))?;
    names::apply(&caller, &mut body, &changes, &["comment", "owner"])?;
    let full_name = names::full_name(&full_name);
    let parent = full_name
        .rsplit_once('.')
        .map(|(parent, _)| parent.to_owned())
        .unwrap_or_default();
    let volume = Securable {
        kind: "volume",
        full_name: full_name.clone(),
        parent,
        body,
    };
    app.store.replace_securable(&full_name, &volume)?;
    Ok(Json(volume.body))
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(full_name): Path<String>,
) -> Result<Json<Value>, ApiError> {
    find(&app, &full_name)?;
    access::require_owner(&app, &caller, "volume", &names::full_name(&full_name))?;
    remove(&app, &names::full_name(&full_name)).await?;
    Ok(Json(json!({})))
}

/// Also deletes its files.
pub(super) async fn remove(app: &Arc<App>, full_name: &str) -> Result<(), ApiError> {
    let path = folder(full_name)?;
    on_disk(app, move |app| match app.volumes.remove(&path, true) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(ApiError::disk("cannot delete the volume's files", &error))
        }
        _ => Ok(()),
    })
    .await?;
    app.store.delete_securable("volume", full_name)?;
    Ok(app.store.delete_grants("volume", full_name)?)
}

fn folder(full_name: &str) -> Result<RelativePath, ApiError> {
    RelativePath::parse(&full_name.replace('.', "/"))
}

fn find(app: &App, full_name: &str) -> Result<Value, ApiError> {
    app.store
        .securable("volume", &names::full_name(full_name))?
        .ok_or_else(|| names::absent("volume", full_name))
}
