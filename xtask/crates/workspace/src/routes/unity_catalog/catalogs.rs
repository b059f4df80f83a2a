//! Catalogs.

use axum::Json;
use axum::extract::Path;
use serde::Deserialize;
use serde_json::json;

use super::{Fields, schemas, text};
use crate::access;
use crate::call::{Call, JsonBody, QueryString, Reply};
use crate::catalogs::names::{self, FullName};
use crate::catalogs::{CATALOG, DEFAULT, SCHEMA, add_catalog};

pub(super) async fn create(call: Call, JsonBody(body): JsonBody<Fields>) -> Reply {
    let name = names::name("catalog", text(&body, "name"))?;
    call.caller.require_admin()?;
    add_catalog(&call, &name, &body).map(Json)
}

pub(super) async fn list(call: Call) -> Reply {
    let catalogs = call.store.securables(CATALOG.name, "")?;
    Ok(Json(
        json!({"catalogs": access::seen(&call, CATALOG.name, catalogs)?}),
    ))
}

#[derive(Deserialize)]
pub(super) struct Force {
    #[serde(default)]
    pub(super) force: bool,
}

/// A catalog with schemas other than `default` only with `force`.
pub(super) async fn delete(
    call: Call,
    Path(name): Path<FullName>,
    QueryString(query): QueryString<Force>,
) -> Reply {
    CATALOG.find(&call, &name)?;
    access::require_owner(&call, CATALOG.name, &name)?;
    let schemas = call.store.securables(SCHEMA.name, &name)?;
    if !query.force && schemas.iter().any(|schema| schema["name"] != DEFAULT) {
        return Err(names::not_empty(CATALOG.name, &name, "schemas"));
    }
    for schema in schemas {
        let full_name = schema["full_name"].as_str().unwrap_or_default();
        schemas::remove(&call, full_name, query.force).await?;
    }
    CATALOG.delete(&call, &name)?;
    Ok(Json(json!({})))
}
