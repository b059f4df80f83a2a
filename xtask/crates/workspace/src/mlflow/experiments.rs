//! Experiments, where Databricks differs from open-source MLflow.

use serde_json::{Value, json};
use xtask_local_server::now_ms;

use super::{client, registry};
use crate::access;
use crate::call::Call;
use crate::error::ApiError;
use crate::state::App;

/// `/Workspace/Users/x/e` and `/Users/x/e` are the same experiment; Databricks names it by the latter.
pub(super) fn canonical_name(name: &str) -> &str {
    match name.strip_prefix("/Workspace") {
        Some(rest) if rest.starts_with('/') => rest,
        _ => name,
    }
}

pub(super) fn canonical_body(mut body: Value) -> Value {
    for field in ["name", "new_name", "experiment_name"] {
        if let Some(name) = body[field].as_str() {
            body[field] = Value::from(canonical_name(name));
        }
    }
    body
}

/// Refuses artifact locations that MLflow would write to on this machine, or with its rights. Allowed are MLflow's own
/// store, and `dbfs:`, which leads back to the workspace's files.
fn check_location(location: &str) -> Result<(), ApiError> {
    let known = ["", "mlflow-artifacts:/", "dbfs:/"].iter().any(|root| {
        location.strip_prefix(root).is_some_and(|rest| match *root {
            "" => rest.is_empty(),
            _ => !rest.starts_with('/'),
        })
    });
    if known
        && !location.contains(['%', '\\', '?', '#'])
        && !location.split('/').any(|name| name == "..")
    {
        return Ok(());
    }
    Err(ApiError::invalid(format!(
        "artifact_location '{}' is not in this workspace: omit it, or use one below dbfs:/Volumes",
        location.escape_debug()
    )))
}

pub(super) async fn create(call: &Call, body: &Value) -> Result<Value, ApiError> {
    check_location(body["artifact_location"].as_str().unwrap_or_default())?;
    let made = client::post(call, "experiments/create", body).await?;
    if let Some(id) = made["experiment_id"].as_str() {
        call.store.set_owner("experiment", id, call.caller.name())?;
    }
    Ok(made)
}

pub(super) async fn update(call: &Call, body: &Value) -> Result<Value, ApiError> {
    require_manage(call, body)?;
    client::post(call, "experiments/update", body).await
}

pub(super) async fn restore(call: &Call, body: &Value) -> Result<Value, ApiError> {
    require_manage(call, body)?;
    client::post(call, "experiments/restore", body).await
}

fn require_manage(call: &Call, body: &Value) -> Result<(), ApiError> {
    let id = body["experiment_id"].as_str().unwrap_or_default();
    let owner = call.store.owner("experiment", id)?;
    access::manage(call, "experiments", id, owner.as_deref())
}

/// Also frees the name, which MLflow would reserve for the deleted experiment.
pub(super) async fn delete(call: &Call, body: &Value) -> Result<Value, ApiError> {
    require_manage(call, body)?;
    let id = &body["experiment_id"];
    let known = get(call, &json!({ "experiment_id": id })).await?;
    if let Some(name) = known["experiment"]["name"].as_str() {
        let freed = format!("{name} (deleted {})", now_ms());
        client::post(
            call,
            "experiments/update",
            &json!({"experiment_id": id, "new_name": freed}),
        )
        .await?;
    }
    client::post(call, "experiments/delete", body).await
}

/// 404 for a deleted experiment, which MLflow would still return.
pub(super) async fn get(app: &App, query: &Value) -> Result<Value, ApiError> {
    let found = client::get(app, "experiments/get", query).await?;
    if found["experiment"]["lifecycle_stage"] == "deleted" {
        let id = found["experiment"]["experiment_id"]
            .as_str()
            .unwrap_or_default();
        return Err(ApiError::not_found(format!("Node ID {id} does not exist.")));
    }
    Ok(with_tags(app, found))
}

pub(super) async fn get_by_name(app: &App, query: Value) -> Result<Value, ApiError> {
    let query = canonical_body(query);
    Ok(with_tags(
        app,
        client::get(app, "experiments/get-by-name", &query).await?,
    ))
}

/// Adds the tags that Databricks shows on every experiment, computed from name and owner. (Recorded replies have the
/// owner twice.)
fn with_tags(app: &App, mut found: Value) -> Value {
    let id = found["experiment"]["experiment_id"]
        .as_str()
        .unwrap_or_default();
    let email = registry::owner(app, "experiment", id);
    let known = app.store.principal_by_name(&email).ok().flatten();
    let owner = known.map_or_else(|| app.identity.user_id.clone(), |who| who.id.to_string());
    let name = found["experiment"]["name"].clone();
    let shown = [
        json!({"key": "mlflow.ownerId", "value": owner}),
        json!({"key": "mlflow.experiment.sourceName", "value": name}),
        json!({"key": "mlflow.ownerId", "value": owner}),
        json!({"key": "mlflow.ownerEmail", "value": email}),
        json!({"key": "mlflow.experimentType", "value": "MLFLOW_EXPERIMENT"}),
    ];
    if let Some(experiment) = found["experiment"].as_object_mut() {
        let tags = experiment.entry("tags").or_insert_with(|| json!([]));
        if let Some(tags) = tags.as_array_mut() {
            tags.extend(shown);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artifacts_stay_in_the_workspace() {
        for fine in ["", "mlflow-artifacts:/7", "dbfs:/Volumes/a/b/c/x"] {
            assert!(check_location(fine).is_ok(), "{fine}");
        }
        for elsewhere in [
            "file:///tmp/x",
            "/tmp/x",
            "x",
            "mlflow-artifacts://evil.example/x",
            "mlflow-artifacts:/../x",
            "mlflow-artifacts:/a/%2e%2e/x",
            "dbfs:///x",
            "s3://bucket/x",
            "http://evil.example",
            "FILE:/x",
        ] {
            assert!(check_location(elsewhere).is_err(), "{elsewhere}");
        }
    }

    #[test]
    fn the_workspace_prefix_is_no_part_of_a_name() {
        assert_eq!(canonical_name("/Workspace/Users/a@b/e"), "/Users/a@b/e");
        assert_eq!(canonical_name("/Users/a@b/e"), "/Users/a@b/e");
        assert_eq!(canonical_name("/WorkspaceOther/e"), "/WorkspaceOther/e");
        assert_eq!(
            canonical_body(json!({"name": "/Workspace/x", "experiment_id": "1"})),
            json!({"name": "/x", "experiment_id": "1"})
        );
    }
}
