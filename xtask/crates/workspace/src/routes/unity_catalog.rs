//! Unity Catalog: catalogs, schemas, volumes and grants; registered models are in MLflow's registry.
//!
//! A catalog is created with the first schema in it, together with a schema `default`, as on Databricks. Schemas and
//! volumes must be created explicitly.

mod catalogs;
mod grants;
mod models;
mod schemas;
mod volumes;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::state::App;

pub(super) fn router() -> Router<Arc<App>> {
    let path = |rest: &str| format!("/api/2.1/unity-catalog/{rest}");
    Router::new()
        .route(
            &path("catalogs"),
            post(catalogs::create).get(catalogs::list),
        )
        .route(
            &path("catalogs/{name}"),
            get(catalogs::show)
                .patch(catalogs::update)
                .delete(catalogs::delete),
        )
        .route(&path("schemas"), post(schemas::create).get(schemas::list))
        .route(
            &path("schemas/{full_name}"),
            get(schemas::show)
                .patch(schemas::update)
                .delete(schemas::delete),
        )
        .route(&path("volumes"), post(volumes::create).get(volumes::list))
        .route(
            &path("volumes/{full_name}"),
            get(volumes::show)
                .patch(volumes::update)
                .delete(volumes::delete),
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
