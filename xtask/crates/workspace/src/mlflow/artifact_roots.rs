//! Artifact addresses, translated between MLflow and its Databricks clients.
//!
//! MLflow stores artifacts below `mlflow-artifacts:/`, which its client reads through a tracking server with an http
//! address. With the tracking URI `databricks`, the client knows only Databricks' roots and reads them through the
//! Files API. Both see the same files: the roots are renamed in the replies.

use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_LENGTH, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use crate::error::ApiError;

const MLFLOW: &str = "mlflow-artifacts:/";
const DATABRICKS: &str = "dbfs:/databricks/mlflow-tracking/";
/// Fields that hold a root. Other fields may hold user text that only looks like one.
const FIELDS: [&str; 4] = [
    "artifact_uri",
    "artifact_location",
    "root_uri",
    "default_artifact_root",
];
/// Longer replies are files, not our JSON.
const LONGEST: usize = 256 * 1024 * 1024;

/// Whether the client expects Databricks' roots. MLflow's client with an http tracking URI does not, and sends its own
/// user agent; with `databricks` it calls through databricks-sdk. MLflow's pages use other paths.
pub(super) fn are_databricks(path: &str, headers: &HeaderMap) -> bool {
    let agent = headers
        .get(USER_AGENT)
        .and_then(|value| value.to_str().ok());
    path.starts_with("/api/") && !agent.is_some_and(|name| name.starts_with("mlflow-"))
}

pub(super) async fn renamed(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = match to_bytes(body, LONGEST).await {
        Ok(bytes) => bytes,
        Err(error) => {
            return ApiError::internal("MLflow's reply broke off", &error).into_response();
        }
    };
    let mut value: Value = match serde_json::from_slice(&bytes) {
        Ok(value) => value,
        Err(_) => return Response::from_parts(parts, Body::from(bytes)),
    };
    rename(&mut value);
    let bytes = value.to_string().into_bytes();
    parts
        .headers
        .insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    Response::from_parts(parts, Body::from(bytes))
}

fn rename(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::String(uri) if FIELDS.contains(&name.as_str()) => {
                        if let Some(renamed) = to_databricks(uri) {
                            *uri = renamed;
                        }
                    }
                    field => rename(field),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(rename),
        _ => {}
    }
}

/// `E/models/ID` becomes `E/logged_models/ID`.
pub(super) fn to_databricks(uri: &str) -> Option<String> {
    let path = uri.strip_prefix(MLFLOW)?.trim_start_matches('/');
    Some(match path.split_once("/models/") {
        Some((experiment, rest)) if !experiment.contains('/') => {
            format!("{DATABRICKS}{experiment}/logged_models/{rest}")
        }
        _ => format!("{DATABRICKS}{path}"),
    })
}

pub(super) fn to_mlflow(uri: &str) -> Option<String> {
    let path = uri.strip_prefix(DATABRICKS)?;
    Some(match path.split_once("/logged_models/") {
        Some((experiment, rest)) if !experiment.contains('/') => {
            format!("{MLFLOW}{experiment}/models/{rest}")
        }
        _ => format!("{MLFLOW}{path}"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_root_has_one_form_on_either_side() {
        for (mlflow, databricks) in [
            ("mlflow-artifacts:/7", "dbfs:/databricks/mlflow-tracking/7"),
            (
                "mlflow-artifacts:/7/ab/artifacts",
                "dbfs:/databricks/mlflow-tracking/7/ab/artifacts",
            ),
            (
                "mlflow-artifacts:/7/models/m-1/artifacts",
                "dbfs:/databricks/mlflow-tracking/7/logged_models/m-1/artifacts",
            ),
        ] {
            assert_eq!(to_databricks(mlflow).as_deref(), Some(databricks));
            assert_eq!(to_mlflow(databricks).as_deref(), Some(mlflow));
        }
        assert_eq!(to_databricks("s3://bucket/7"), None);
        assert_eq!(to_mlflow("dbfs:/elsewhere"), None);
    }

    #[test]
    fn only_roots_are_renamed() {
        let mut reply = json!({"runs": [{
            "info": {"artifact_uri": "mlflow-artifacts:/7/ab/artifacts"},
            "data": {"params": [{"key": "artifact", "value": "mlflow-artifacts:/7"}]},
        }]});
        rename(&mut reply);
        assert_eq!(
            reply["runs"][0]["info"]["artifact_uri"],
            "dbfs:/databricks/mlflow-tracking/7/ab/artifacts"
        );
        assert_eq!(
            reply["runs"][0]["data"]["params"][0]["value"],
            "mlflow-artifacts:/7"
        );
    }

    #[test]
    fn mlflows_client_over_http_keeps_mlflows_roots() {
        let asked_by = |agent: &'static str| {
            let headers = HeaderMap::from_iter([(USER_AGENT, HeaderValue::from_static(agent))]);
            are_databricks("/api/2.0/mlflow/runs/get", &headers)
        };
        assert!(!asked_by("mlflow-python-client/3.17.2"));
        assert!(asked_by(
            "unknown/0.0.0 databricks-sdk-py/0.156.0 python/3.11.7"
        ));
        assert!(!are_databricks(
            "/ajax-api/2.0/mlflow/runs/get",
            &HeaderMap::new()
        ));
    }
}
