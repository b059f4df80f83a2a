//! The routes, translated to calls of MLflow's registry.

use std::sync::Arc;

use axum::Json;
use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::routing::{delete, get, patch, post};
use serde_json::{Value, json};
use xtask_local_server::now_ms;

use super::{ORIGIN_TAG, Version, canonical_name, model_wire, visible_tags};
use crate::access::{Model, sees};
use crate::call::{Call, Reply, Routes};
use crate::catalog_limits;
use crate::catalogs::require_creation;
use crate::error::ApiError;
use crate::mlflow::{artifact_roots, client, registry};
use crate::state::App;

const ROOT: &str = "/api/2.0/mlflow/unity-catalog";
const BODY_LIMIT: usize = 16 * 1024 * 1024;
/// Reported lifetime of the credentials that clients request, ms.
const CREDENTIALS_LIFETIME: i64 = 3_600_000;

pub(in crate::mlflow) fn router() -> Routes {
    let at = |path: &str| format!("{ROOT}/{path}");
    Routes::new()
        .route(&at("registered-models/create"), post(create_model))
        .route(&at("registered-models/update"), patch(update_model))
        .route(&at("registered-models/delete"), delete(delete_model))
        .route(&at("registered-models/get"), get(get_model))
        .route(&at("registered-models/search"), get(search_models))
        .route(&at("registered-models/set-tag"), post(set_model_tag))
        .route(
            &at("registered-models/delete-tag"),
            delete(delete_model_tag),
        )
        .route(
            &at("registered-models/alias"),
            post(set_alias).delete(delete_alias).get(get_by_alias),
        )
        .route(
            &at("registered-models:is-databricks-sdk-models-artifact-repository-enabled"),
            get(sdk_enabled),
        )
        .route(&at("model-versions/create"), post(create_version))
        .route(&at("model-versions/update"), patch(update_version))
        .route(&at("model-versions/delete"), delete(delete_version))
        .route(&at("model-versions/get"), get(get_version))
        .route(&at("model-versions/search"), get(search_versions))
        .route(&at("model-versions/get-download-uri"), get(download_uri))
        .route(
            &at("model-versions/generate-temporary-credentials"),
            post(credentials),
        )
        .route(&at("model-versions/finalize"), post(finalize))
        .route(&at("model-versions/set-tag"), post(set_version_tag))
        .route(&at("model-versions/delete-tag"), delete(delete_version_tag))
        .route(&at("model-versions/emit-lineage"), post(emit_lineage))
}

/// The query or JSON body of a call, with canonical names of model and alias.
struct Arguments(Value);

impl FromRequest<Arc<App>> for Arguments {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &Arc<App>) -> Result<Arguments, ApiError> {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(&query)
            .map_err(|error| ApiError::invalid(format!("the query cannot be read: {error}")))?;
        let mut fields: serde_json::Map<String, Value> = pairs
            .into_iter()
            .map(|(name, value)| (name, Value::from(value)))
            .collect();
        let body: Bytes = to_bytes(request.into_body(), BODY_LIMIT)
            .await
            .map_err(|error| ApiError::invalid(format!("the body cannot be read: {error}")))?;
        if !body.is_empty() {
            let body: serde_json::Map<String, Value> =
                serde_json::from_slice(&body).map_err(|error| {
                    ApiError::invalid(format!("the body is not a JSON object: {error}"))
                })?;
            fields.extend(body);
        }
        if let Some(name) = fields.get("name").and_then(Value::as_str) {
            let name = canonical_name(name)?;
            fields.insert("name".to_owned(), Value::from(name));
        }
        if let Some(alias) = fields.get("alias").and_then(Value::as_str) {
            let alias = catalog_limits::alias(alias);
            fields.insert("alias".to_owned(), Value::from(alias));
        }
        Ok(Arguments(Value::Object(fields)))
    }
}

async fn create_model(call: Call, Arguments(body): Arguments) -> Reply {
    let name = text(&body["name"]).to_owned();
    let parts: Vec<&str> = name.split('.').collect();
    if let ([catalog, schema, _], false) = (parts.as_slice(), call.caller.is_admin()) {
        require_creation(&call, "CREATE_MODEL", catalog, schema)?;
    }
    let tags = new_tags(&body)?;
    let body = json!({"name": name, "tags": tags,
        "description": text(&body["description"])});
    let reply = client::post(&call, "registered-models/create", &body).await?;
    call.store.set_owner("model", &name, call.caller.name())?;
    Ok(model_reply(&reply))
}

fn model_of(arguments: &Value) -> Model<'_> {
    Model(text(&arguments["name"]))
}

async fn update_model(call: Call, Arguments(body): Arguments) -> Reply {
    model_of(&body).require_owner(&call)?;
    if body["new_name"]
        .as_str()
        .is_some_and(|new| body["name"] != new.to_lowercase())
    {
        return Err(ApiError::not_implemented(
            "the local workspace does not rename registered models",
        ));
    }
    let body = json!({"name": body["name"], "description": text(&body["description"])});
    let reply = client::patch(&call, "registered-models/update", &body).await?;
    Ok(model_reply(&reply))
}

async fn delete_model(call: Call, Arguments(body): Arguments) -> Reply {
    model_of(&body).require_owner(&call)?;
    registry::delete_model(&call, text(&body["name"])).await?;
    Ok(Json(json!({})))
}

async fn get_model(call: Call, Arguments(query): Arguments) -> Reply {
    model_of(&query).require_execute(&call)?;
    let query = json!({"name": query["name"]});
    let reply = client::get(&call, "registered-models/get", &query).await?;
    Ok(model_reply(&reply))
}

async fn search_models(call: Call, Arguments(query): Arguments) -> Reply {
    let reply = client::get(&call, "registered-models/search", &query).await?;
    let mut models = Vec::new();
    for model in reply["registered_models"].as_array().into_iter().flatten() {
        let name = text(&model["name"]);
        // The workspace registry is in MLflow's, too; its models have one-level names.
        if canonical_name(name).is_ok() && sees(&call, "function", name)? {
            models.push(found_by_search(model_wire(model)));
        }
    }
    Ok(Json(page(&reply, "registered_models", models)))
}

async fn set_model_tag(call: Call, Arguments(body): Arguments) -> Reply {
    model_of(&body).require_tag(&call)?;
    check_new_tag(&body, &Value::Null)?;
    let query = json!({"name": body["name"]});
    let known = client::get(&call, "registered-models/get", &query).await?;
    check_new_tag(&body, &known["registered_model"]["tags"])?;
    client::post(&call, "registered-models/set-tag", &body)
        .await
        .map(Json)
}

async fn delete_model_tag(call: Call, Arguments(body): Arguments) -> Reply {
    model_of(&body).require_tag(&call)?;
    client::delete(&call, "registered-models/delete-tag", &body)
        .await
        .map(Json)
}

async fn set_alias(call: Call, Arguments(body): Arguments) -> Reply {
    model_of(&body).require_owner(&call)?;
    registry::new_alias(text(&body["alias"]))?;
    client::post(&call, "registered-models/alias", &body)
        .await
        .map(Json)
}

async fn delete_alias(call: Call, Arguments(body): Arguments) -> Reply {
    model_of(&body).require_owner(&call)?;
    client::delete(&call, "registered-models/alias", &body)
        .await
        .map(Json)
}

async fn get_by_alias(call: Call, Arguments(query): Arguments) -> Reply {
    model_of(&query).require_execute(&call)?;
    let reply = client::get(&call, "registered-models/alias", &query).await?;
    Ok(version_reply(&reply))
}

async fn sdk_enabled() -> Json<Value> {
    Json(json!({"is_databricks_sdk_models_artifact_repository_enabled": true}))
}

/// Creates a version without files: they arrive through the Files API, and `finalize` completes it.
async fn create_version(call: Call, Arguments(body): Arguments) -> Reply {
    model_of(&body).require_new_version(&call)?;
    let source = text(&body["source"]);
    let known_root = artifact_roots::to_mlflow(source);
    let place = known_root.as_deref().unwrap_or(source);
    // Clients give the location of a logged model's files; MLflow needs the model.
    let model = logged_model(&body, place);
    let origin = json!({"pending": true, "source": source, "model_id": model}).to_string();
    let mut tags = new_tags(&body)?;
    tags.push(json!({"key": ORIGIN_TAG, "value": origin}));
    let known_source = model
        .as_ref()
        .map_or_else(|| place.to_owned(), |id| format!("models:/{id}"));
    let mut sent = json!({"name": body["name"], "source": known_source, "tags": tags,
        "description": text(&body["description"])});
    if body["run_id"].as_str().is_some_and(|id| !id.is_empty()) {
        sent["run_id"] = body["run_id"].clone();
    }
    if let Some(id) = model {
        sent["model_id"] = Value::from(id);
    }
    let reply = match client::post(&call, "model-versions/create", &sent).await {
        // MLflow checks the source against its own runs. A source elsewhere (another workspace, another model's
        // version) is valid, too: the files come with the registration.
        Err(error)
            if error.error_code == "INVALID_PARAMETER_VALUE" || error.status.as_u16() == 404 =>
        {
            tracing::debug!(%error, source, "MLflow does not know the source of a model version");
            if let Some(fields) = sent.as_object_mut() {
                fields.remove("model_id");
            }
            let name = text(&body["name"]);
            // A missing model is not an error of the source.
            client::get(&call, "registered-models/get", &json!({"name": name})).await?;
            sent["source"] = Value::from(format!("dbfs:/Models/{}", name.replace('.', "/")));
            client::post(&call, "model-versions/create", &sent).await?
        }
        other => other?,
    };
    let made = Version::new(&reply["model_version"]);
    let id = format!("{}/{}", made.name(), made.number());
    call.store.set_owner("version", &id, call.caller.name())?;
    Ok(version_reply(&reply))
}

/// The logged model of a version: as given, or from the address of its files.
fn logged_model(body: &Value, source: &str) -> Option<String> {
    let given = body["model_id"].as_str().filter(|id| !id.is_empty());
    let in_address = source
        .strip_prefix("mlflow-artifacts:/")
        .and_then(|path| path.split('/').find(|part| part.starts_with("m-")));
    let named = source
        .strip_prefix("models:/")
        .filter(|id| id.starts_with("m-") && !id.contains('/'));
    given.or(in_address).or(named).map(str::to_owned)
}

async fn update_version(call: Call, Arguments(body): Arguments) -> Reply {
    model_of(&body).require_owner(&call)?;
    let reply = client::patch(&call, "model-versions/update", &body).await?;
    Ok(version_reply(&reply))
}

async fn delete_version(call: Call, Arguments(body): Arguments) -> Reply {
    model_of(&body).require_owner(&call)?;
    let version = find_version(&call, &body).await?;
    registry::delete_version(&call, version.name(), &version.number().to_string()).await?;
    Ok(Json(json!({})))
}

async fn get_version(call: Call, Arguments(query): Arguments) -> Reply {
    model_of(&query).require_execute(&call)?;
    let version = find_version(&call, &query).await?;
    Ok(Json(json!({"model_version": version.wire()})))
}

async fn search_versions(call: Call, Arguments(query): Arguments) -> Reply {
    let reply = client::get(&call, "model-versions/search", &query).await?;
    let mut versions = Vec::new();
    for version in reply["model_versions"].as_array().into_iter().flatten() {
        let version = Version::new(version);
        if call.caller.is_admin() || sees(&call, "function", version.name())? {
            versions.push(found_by_search(version.wire()));
        }
    }
    Ok(Json(page(&reply, "model_versions", versions)))
}

async fn download_uri(call: Call, Arguments(query): Arguments) -> Reply {
    model_of(&query).require_execute(&call)?;
    let version = find_version(&call, &query).await?;
    if version.status() != "READY" {
        return Err(ApiError::bad_request(
            "INVALID_STATE",
            format!(
                "Version {} of '{}' cannot be loaded: its status is {}.",
                version.number(),
                version.name(),
                version.status()
            ),
        ));
    }
    Ok(Json(json!({"artifact_uri": version.storage_location()})))
}

/// Placeholder credentials: clients ask for them before they transfer files through the Files API with the caller's
/// token.
async fn credentials(call: Call, Arguments(body): Arguments) -> Reply {
    model_of(&body).require_execute(&call)?;
    find_version(&call, &body).await?;
    let none =
        json!({"access_key_id": "none", "secret_access_key": "none", "session_token": "none"});
    Ok(Json(json!({"credentials": {
        "aws_temp_credentials": none,
        "expiration_time": now_ms() + CREDENTIALS_LIFETIME,
        "storage_mode": "DEFAULT_STORAGE",
    }})))
}

async fn finalize(call: Call, Arguments(body): Arguments) -> Reply {
    model_of(&body).require_new_version(&call)?;
    let version = find_version(&call, &body).await?;
    let tag = json!({"name": body["name"], "version": body["version"], "key": ORIGIN_TAG,
        "value": version.finalized_origin()});
    client::post(&call, "model-versions/set-tag", &tag).await?;
    let version = find_version(&call, &body).await?;
    Ok(Json(json!({"model_version": version.wire()})))
}

async fn set_version_tag(call: Call, Arguments(body): Arguments) -> Reply {
    model_of(&body).require_tag(&call)?;
    not_ours(&body)?;
    check_new_tag(&body, &Value::Null)?;
    let known = find_version(&call, &body).await?;
    check_new_tag(&body, known.tags())?;
    client::post(&call, "model-versions/set-tag", &body)
        .await
        .map(Json)
}

async fn delete_version_tag(call: Call, Arguments(body): Arguments) -> Reply {
    model_of(&body).require_tag(&call)?;
    not_ours(&body)?;
    client::delete(&call, "model-versions/delete-tag", &body)
        .await
        .map(Json)
}

/// Accepts lineage of tables and models, which is not stored.
async fn emit_lineage() -> Json<Value> {
    Json(json!({}))
}

fn not_ours(body: &Value) -> Result<(), ApiError> {
    if body["key"] == ORIGIN_TAG {
        return Err(ApiError::invalid(format!(
            "the tag {ORIGIN_TAG} belongs to the workspace"
        )));
    }
    Ok(())
}

/// The tags of a new object, checked against Unity Catalog's limits.
fn new_tags(body: &Value) -> Result<Vec<Value>, ApiError> {
    let tags = body["tags"].as_array().cloned().unwrap_or_default();
    for (others, tag) in tags.iter().enumerate() {
        not_ours(tag)?;
        catalog_limits::check_tag(text(&tag["key"]), text(&tag["value"]), others)?;
    }
    Ok(tags)
}

/// Checks a further tag against Unity Catalog's limits.
fn check_new_tag(tag: &Value, present: &Value) -> Result<(), ApiError> {
    let others = visible_tags(present);
    let others = others.iter().filter(|other| other["key"] != tag["key"]);
    catalog_limits::check_tag(text(&tag["key"]), text(&tag["value"]), others.count())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

async fn find_version(app: &App, arguments: &Value) -> Result<Version, ApiError> {
    let query = json!({"name": arguments["name"], "version": arguments["version"]});
    let reply = client::get(app, "model-versions/get", &query).await?;
    Ok(Version::new(&reply["model_version"]))
}

fn model_reply(reply: &Value) -> Json<Value> {
    Json(json!({"registered_model": model_wire(&reply["registered_model"])}))
}

fn version_reply(reply: &Value) -> Json<Value> {
    Json(json!({"model_version": Version::new(&reply["model_version"]).wire()}))
}

/// As on Databricks, a search returns neither tags nor aliases (<https://github.com/mlflow/mlflow/pull/11961>).
fn found_by_search(mut wire: Value) -> Value {
    if let Some(fields) = wire.as_object_mut() {
        fields.remove("tags");
        fields.remove("aliases");
    }
    wire
}

fn page(reply: &Value, field: &str, items: Vec<Value>) -> Value {
    let mut page = json!({ field: items });
    if let Some(token) = reply["next_page_token"]
        .as_str()
        .filter(|token| !token.is_empty())
    {
        page["next_page_token"] = Value::from(token);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_tells_neither_tags_nor_aliases() {
        let found = json!({"name": "dev.ml.taxi", "version": "3",
            "tags": [{"key": "a", "value": "b"}], "aliases": [{"alias": "champion", "version": "3"}]});
        assert_eq!(
            found_by_search(found),
            json!({"name": "dev.ml.taxi", "version": "3"})
        );
    }
}
