//! Registered models: MLflow's registry, under three-level names, in the form of Unity Catalog.

use serde_json::{Value, json};

use super::client;
use super::unity_catalog::{Version, canonical_name, visible_tags};
use crate::call::Call;
use crate::catalog_limits::{self, Text};
use crate::error::ApiError;
use crate::files::RelativePath;
use crate::state::App;

#[derive(Debug, Clone)]
pub(crate) struct NewModel {
    /// Lower case.
    pub catalog: String,
    pub schema: String,
    pub name: String,
    pub comment: Option<String>,
}

/// Answers what `GET /api/2.1/unity-catalog/models/{full_name}` would.
pub(crate) async fn create_model(call: &Call, model: NewModel) -> Result<Value, ApiError> {
    let name = canonical_name(&format!(
        "{}.{}.{}",
        model.catalog, model.schema, model.name
    ))?;
    let body = json!({"name": name, "description": model.comment.unwrap_or_default()});
    let reply = client::post(call, "registered-models/create", &body).await?;
    call.store.set_owner("model", &name, call.caller.name())?;
    Ok(model_view(call, &reply["registered_model"]))
}

/// In the form of Unity Catalog: `name`, `catalog_name`, `schema_name`, `full_name`, `comment`, ….
pub(crate) async fn get_model(app: &App, full_name: &str) -> Result<Value, ApiError> {
    let reply = find(app, full_name).await?;
    Ok(model_view(app, &reply))
}

pub(crate) async fn list_models(
    app: &App,
    catalog: &str,
    schema: &str,
) -> Result<Vec<Value>, ApiError> {
    models_below(app, &format!("{catalog}.{schema}.")).await
}

/// Of all schemas, without the models of the workspace registry, whose names have one level.
pub(crate) async fn list_all_models(app: &App) -> Result<Vec<Value>, ApiError> {
    let mut models = models_below(app, "").await?;
    models.retain(|model| canonical_name(model["full_name"].as_str().unwrap_or_default()).is_ok());
    Ok(models)
}

async fn models_below(app: &App, prefix: &str) -> Result<Vec<Value>, ApiError> {
    let filter = format!("name LIKE '{}%'", prefix.replace('\'', ""));
    let mut models = Vec::new();
    let mut page = Value::Null;
    loop {
        let query = json!({"filter": filter, "max_results": 1000, "page_token": page});
        let reply = client::get(app, "registered-models/search", &query).await?;
        let found = reply["registered_models"].as_array().into_iter().flatten();
        // `_` is a wildcard of LIKE, so the names are compared again.
        models.extend(
            found
                .filter(|model| {
                    model["name"]
                        .as_str()
                        .is_some_and(|name| name.starts_with(prefix))
                })
                .map(|model| model_view(app, model)),
        );
        page = reply["next_page_token"].clone();
        if page.as_str().is_none_or(str::is_empty) {
            return Ok(models);
        }
    }
}

/// Changes the comment; answers the new description.
pub(crate) async fn update_model(
    app: &App,
    full_name: &str,
    changes: &Value,
) -> Result<Value, ApiError> {
    let name = canonical_name(full_name)?;
    let Some(comment) = changes["comment"].as_str() else {
        return get_model(app, &name).await;
    };
    let body = json!({"name": name, "description": comment});
    let reply = client::patch(app, "registered-models/update", &body).await?;
    Ok(model_view(app, &reply["registered_model"]))
}

/// Refuses a model with versions.
pub(crate) async fn delete_model(app: &App, full_name: &str) -> Result<(), ApiError> {
    let name = canonical_name(full_name)?;
    if !versions_of(app, &name, 1, None).await?.0.is_empty() {
        return Err(ApiError::invalid(format!(
            "Registered model '{name}' has versions and cannot be deleted; delete its versions first"
        )));
    }
    client::delete(app, "registered-models/delete", &json!({"name": name})).await?;
    remove_files(app, &name.replace('.', "/"));
    Ok(app.store.forget_owner("model", &name)?)
}

/// One page of versions, newest first, with the token of the next.
pub(crate) async fn list_versions(
    app: &App,
    full_name: &str,
    most: u32,
    page_token: Option<&str>,
) -> Result<(Vec<Value>, Option<String>), ApiError> {
    let name = canonical_name(full_name)?;
    let (versions, next) = versions_of(app, &name, most, page_token).await?;
    if versions.is_empty() && page_token.is_none() {
        // Only for an empty page, because MLflow reads every version of a model to describe it.
        find(app, &name).await?;
    }
    let views = versions.iter().map(|version| version_view(app, version));
    Ok((views.collect(), next))
}

pub(crate) async fn get_version(
    app: &App,
    full_name: &str,
    version: &str,
) -> Result<Value, ApiError> {
    let query = json!({"name": canonical_name(full_name)?, "version": version});
    let reply = client::get(app, "model-versions/get", &query).await?;
    Ok(version_view(app, &Version::new(&reply["model_version"])))
}

/// Changes the comment; answers the new description.
pub(crate) async fn update_version(
    app: &App,
    full_name: &str,
    version: &str,
    changes: &Value,
) -> Result<Value, ApiError> {
    if let Some(comment) = changes["comment"].as_str() {
        let name = canonical_name(full_name)?;
        let body = json!({"name": name, "version": version, "description": comment});
        client::patch(app, "model-versions/update", &body).await?;
    }
    get_version(app, full_name, version).await
}

/// Also deletes its files.
pub(crate) async fn delete_version(
    app: &App,
    full_name: &str,
    version: &str,
) -> Result<(), ApiError> {
    let name = canonical_name(full_name)?;
    let body = json!({"name": name, "version": version});
    client::delete(app, "model-versions/delete", &body).await?;
    remove_files(app, &format!("{}/{version}", name.replace('.', "/")));
    Ok(app
        .store
        .forget_owner("version", &format!("{name}/{version}"))?)
}

/// 404 for an unknown alias, which MLflow reports as an invalid parameter.
pub(crate) async fn get_version_by_alias(
    app: &App,
    full_name: &str,
    alias: &str,
) -> Result<Value, ApiError> {
    let query = json!({"name": canonical_name(full_name)?, "alias": catalog_limits::alias(alias)});
    match client::get(app, "registered-models/alias", &query).await {
        Ok(reply) => Ok(version_view(app, &Version::new(&reply["model_version"]))),
        Err(error) if error.error_code == "INVALID_PARAMETER_VALUE" => {
            // If the model is missing, report that.
            find(app, full_name).await?;
            Err(ApiError::not_found(format!(
                "Alias '{alias}' of model '{full_name}' does not exist."
            )))
        }
        Err(error) => Err(error),
    }
}

pub(super) fn new_alias(text: &str) -> Result<String, ApiError> {
    catalog_limits::check(Text::Alias, text)?;
    Ok(catalog_limits::alias(text))
}

pub(crate) async fn set_alias(
    app: &App,
    full_name: &str,
    alias: &str,
    version: u64,
) -> Result<Value, ApiError> {
    let name = canonical_name(full_name)?;
    let alias = &new_alias(alias)?;
    let body = json!({"name": name, "alias": alias, "version": version.to_string()});
    client::post(app, "registered-models/alias", &body).await?;
    Ok(alias_view(
        &Value::from(alias.as_str()),
        &Value::from(version),
    ))
}

pub(crate) async fn delete_alias(app: &App, full_name: &str, alias: &str) -> Result<(), ApiError> {
    let body = json!({"name": canonical_name(full_name)?, "alias": catalog_limits::alias(alias)});
    client::delete(app, "registered-models/alias", &body)
        .await
        .map(drop)
}

/// Removes `DIR/models/<path>`, if it exists.
pub(super) fn remove_files(app: &App, path: &str) {
    let Ok(relative) = RelativePath::parse(path) else {
        return;
    };
    if let Err(error) = app.models.remove(&relative, true)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, path, "files of a deleted model stay behind");
    }
}

async fn find(app: &App, full_name: &str) -> Result<Value, ApiError> {
    let query = json!({"name": canonical_name(full_name)?});
    let reply = client::get(app, "registered-models/get", &query).await?;
    Ok(reply["registered_model"].clone())
}

/// One page of versions, newest first. MLflow reads tags and aliases version by version, so this is never the whole
/// list.
async fn versions_of(
    app: &App,
    name: &str,
    most: u32,
    page_token: Option<&str>,
) -> Result<(Vec<Version>, Option<String>), ApiError> {
    let filter = format!("name='{}'", name.replace('\'', ""));
    let query = json!({"filter": filter, "max_results": most, "order_by": "version_number DESC",
        "page_token": page_token});
    let reply = client::get(app, "model-versions/search", &query).await?;
    let versions = reply["model_versions"].as_array().into_iter().flatten();
    let next = reply["next_page_token"].as_str();
    Ok((
        versions.map(Version::new).collect(),
        next.filter(|token| !token.is_empty()).map(str::to_owned),
    ))
}

fn model_view(app: &App, model: &Value) -> Value {
    let full_name = model["name"].as_str().unwrap_or_default();
    let mut parts = full_name.splitn(3, '.');
    let (catalog, schema) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let name = parts.next().unwrap_or_default();
    let user = owner(app, "model", full_name);
    let aliases: Vec<Value> = model["aliases"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|alias| alias_view(&alias["alias"], &alias["version"]))
        .collect();
    json!({
        "name": name, "catalog_name": catalog, "schema_name": schema, "full_name": full_name,
        "comment": model["description"].as_str().unwrap_or_default(),
        "owner": user, "created_by": user, "updated_by": user,
        "created_at": model["creation_timestamp"], "updated_at": model["last_updated_timestamp"],
        "storage_location": format!("dbfs:/Models/{}", full_name.replace('.', "/")),
        "securable_type": "FUNCTION", "securable_kind": "FUNCTION_REGISTERED_MODEL",
        "tags": visible_tags(&model["tags"]),
        "aliases": aliases,
    })
}

fn version_view(app: &App, version: &Version) -> Value {
    let full_name = version.name();
    let mut parts = full_name.splitn(3, '.');
    let user = owner(app, "version", &format!("{full_name}/{}", version.number()));
    let aliases: Vec<Value> = version
        .aliases()
        .iter()
        .map(|alias| alias_view(alias, &Value::from(version.number())))
        .collect();
    json!({
        "catalog_name": parts.next(), "schema_name": parts.next(), "model_name": parts.next(),
        "version": version.number(), "status": version.status(),
        "source": version.source(), "run_id": version.field("run_id"),
        "comment": version.field("description"),
        "created_at": version.field("creation_timestamp"), "updated_at": version.field("last_updated_timestamp"),
        "created_by": user, "updated_by": user,
        "storage_location": version.storage_location(),
        "aliases": aliases,
    })
}

/// The recorded owner, or the workspace's own user.
pub(super) fn owner(app: &App, kind: &str, id: &str) -> String {
    match app.store.owner(kind, id) {
        Ok(Some(owner)) => owner,
        Ok(None) => app.identity.user_name.clone(),
        Err(error) => {
            tracing::error!(%error, kind, id, "cannot read the owner");
            app.identity.user_name.clone()
        }
    }
}

fn alias_view(alias: &Value, version: &Value) -> Value {
    let number = version.as_i64().or_else(|| version.as_str()?.parse().ok());
    json!({"alias_name": alias, "version_num": number})
}
