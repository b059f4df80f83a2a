//! The registered models, for the Unity Catalog routes.

use serde_json::Value;

use crate::error::ApiError;
use crate::state::App;

/// A model to be registered.
#[derive(Debug, Clone)]
pub struct NewModel {
    /// Catalog, lower case.
    pub catalog: String,
    /// Schema, lower case.
    pub schema: String,
    /// Name within the schema, lower case.
    pub name: String,
    /// What it is for.
    pub comment: Option<String>,
}

/// Registers a model; answers what `GET /api/2.1/unity-catalog/models/{full_name}` would.
pub async fn create_model(_app: &App, model: NewModel) -> Result<Value, ApiError> {
    Err(absent(&format!(
        "{}.{}.{}",
        model.catalog, model.schema, model.name
    )))
}

/// The model as Unity Catalog describes it (`name`, `catalog_name`, `schema_name`, `full_name`, `comment`, …).
pub async fn get_model(_app: &App, full_name: &str) -> Result<Value, ApiError> {
    Err(absent(full_name))
}

/// The models of a schema.
pub async fn list_models(
    _app: &App,
    _catalog: &str,
    _schema: &str,
) -> Result<Vec<Value>, ApiError> {
    Ok(Vec::new())
}

/// Changes the comment (`changes.comment`) of a model; answers the new description.
pub async fn update_model(
    _app: &App,
    full_name: &str,
    _changes: &Value,
) -> Result<Value, ApiError> {
    Err(absent(full_name))
}

/// Removes a model; one that has versions is refused.
pub async fn delete_model(_app: &App, full_name: &str) -> Result<(), ApiError> {
    Err(absent(full_name))
}

fn absent(full_name: &str) -> ApiError {
    ApiError::not_found(format!("Registered model '{full_name}' does not exist"))
}
