//! Volumes: `/Volumes/<catalog>/<schema>/<volume>` in the Files API and in notebooks.

use axum::Json;
use axum::extract::Path;
use serde::Deserialize;
use serde_json::json;

use super::{Fields, text};
use crate::access;
use crate::call::{Call, JsonBody, QueryString, Reply, on_disk};
use crate::catalogs::names::{self, FullName};
use crate::catalogs::{VOLUME, require_creation};
use crate::error::ApiError;
use crate::files::RelativePath;

pub(super) async fn create(call: Call, JsonBody(body): JsonBody<Fields>) -> Reply {
    let catalog = names::name("catalog", text(&body, "catalog_name"))?;
    let schema = names::name("schema", text(&body, "schema_name"))?;
    let name = names::name("volume", text(&body, "name"))?;
    if text(&body, "volume_type") == "EXTERNAL" {
        return Err(ApiError::not_implemented(
            "the local workspace has managed volumes only",
        ));
    }
    if !text(&body, "storage_location").is_empty() {
        return Err(ApiError::invalid(
            "CreateVolume storage_location can not be provided.",
        ));
    }
    require_creation(&call, "CREATE_VOLUME", &catalog, &schema)?;
    let folder = RelativePath::parse(&format!("{catalog}/{schema}/{name}"))?;
    let fields = json!({
        "volume_type": "MANAGED",
        "storage_location": format!("file:{}/{}", call.volumes.root(), folder.as_str()),
        "browse_only": false,
    });
    let volume = VOLUME.add(&call, &[&catalog, &schema, &name], fields, &body)?;
    on_disk(&call.app, move |app| {
        app.volumes
            .create_dir_all(&folder)
            .map_err(|error| ApiError::disk("cannot create the volume's folder", &error))
    })
    .await?;
    Ok(Json(volume))
}

#[derive(Deserialize)]
pub(super) struct InSchema {
    catalog_name: FullName,
    schema_name: FullName,
}

pub(super) async fn list(call: Call, QueryString(query): QueryString<InSchema>) -> Reply {
    let parent = format!("{}.{}", &*query.catalog_name, &*query.schema_name);
    let volumes = call.store.securables(VOLUME.name, &parent)?;
    Ok(Json(
        json!({"volumes": access::seen(&call, VOLUME.name, volumes)?}),
    ))
}

pub(super) async fn delete(call: Call, Path(full_name): Path<FullName>) -> Reply {
    VOLUME.find(&call, &full_name)?;
    access::require_owner(&call, VOLUME.name, &full_name)?;
    remove(&call, &full_name).await?;
    Ok(Json(json!({})))
}

/// Also deletes its files.
pub(super) async fn remove(call: &Call, full_name: &str) -> Result<(), ApiError> {
    let path = RelativePath::parse(&full_name.replace('.', "/"))?;
    on_disk(&call.app, move |app| {
        match app.volumes.remove(&path, true) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(ApiError::disk("cannot delete the volume's files", &error))
            }
            _ => Ok(()),
        }
    })
    .await?;
    VOLUME.delete(call, full_name)
}
