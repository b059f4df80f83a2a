//! Registered models in Unity Catalog, by its own calls.

use std::time::Duration;

use serde::Deserialize;

use crate::Error;
use crate::databricks::model_versions::ModelVersion;
use crate::databricks::segment;
use crate::transport::{Method, Request, Transport, list, pages};

/// The full names of all registered models that one may see, asked for `within` that time: the first page of them.
pub fn names(transport: &dyn Transport, within: Duration) -> Result<Vec<String>, Error> {
    #[derive(Deserialize)]
    struct Model {
        full_name: String,
    }
    let request = Request::new(Method::Get, "/api/2.1/unity-catalog/models").within(within);
    let models: Vec<Model> = list(transport, &request, "registered_models")?;
    Ok(models.into_iter().map(|model| model.full_name).collect())
}

/// All versions of a model, in no particular order.
pub fn versions(transport: &dyn Transport, model: &str) -> Result<Vec<ModelVersion>, Error> {
    let path = format!("/api/2.1/unity-catalog/models/{}/versions", segment(model));
    pages(
        transport,
        &Request::new(Method::Get, path),
        "model_versions",
    )
}

/// Deletes a version for good.
pub fn delete_version(transport: &dyn Transport, model: &str, version: u64) -> Result<(), Error> {
    let path = format!(
        "/api/2.1/unity-catalog/models/{}/versions/{version}",
        segment(model)
    );
    transport
        .send(&Request::new(Method::Delete, path))
        .map(drop)
}

/// Says that all files of a version have come.
#[must_use]
pub fn finalize(model: &str, version: &str) -> Request {
    let path = "/api/2.0/mlflow/unity-catalog/model-versions/finalize";
    Request::new(Method::Post, path)
        .json(&serde_json::json!({"name": model, "version": version}))
        .repeatable()
}
