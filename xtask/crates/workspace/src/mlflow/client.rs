//! Our own calls to MLflow: JSON in, JSON out, errors in Databricks' format.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::Value;

use crate::error::ApiError;
use crate::mlflow_state::{MlflowState, Phase};
use crate::state::App;

/// How long a request waits while MLflow starts: less than any client waits for a reply. After that, the client is
/// asked to retry, which clients do for minutes.
const READY_LIMIT: Duration = Duration::from_secs(25);

impl MlflowState {
    /// Waits until MLflow answers.
    pub(super) async fn ready(&self) -> Result<reqwest::Client, ApiError> {
        let mut phase = self.phase.subscribe();
        let settled = phase.wait_for(|phase| *phase != Phase::Starting);
        let why = match tokio::time::timeout(READY_LIMIT, settled).await {
            Ok(Ok(phase)) => match &*phase {
                Phase::Ready | Phase::Starting => None,
                Phase::Failed(why) => Some(why.clone()),
                Phase::Stopped => Some("the workspace is stopping".to_owned()),
            },
            _ => {
                return Err(ApiError::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "TEMPORARILY_UNAVAILABLE",
                    "MLflow is still starting; try again",
                ));
            }
        };
        match (why, self.client.get()) {
            (None, Some(client)) => Ok(client.clone()),
            (why, _) => Err(ApiError::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "INTERNAL_ERROR",
                why.unwrap_or_else(|| "MLflow has not been started".to_owned()),
            )),
        }
    }
}

/// Calls `/api/2.0/mlflow/{route}`; for GET, the object becomes the query.
pub(super) async fn call(
    app: &App,
    method: Method,
    route: &str,
    body: &Value,
) -> Result<Value, ApiError> {
    let client = app.mlflow.ready().await?;
    let url = format!("http://localhost/api/2.0/mlflow/{route}");
    let request = client.request(method.clone(), url);
    let request = if method == Method::GET {
        request.query(&query(body))
    } else {
        request.json(body)
    };
    let reply = request.send().await.map_err(|error| unreachable(&error))?;
    let status = reply.status();
    let text = reply.text().await.map_err(|error| unreachable(&error))?;
    let value: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    if status.is_success() {
        return Ok(value);
    }
    Err(ApiError::new(
        status,
        value["error_code"].as_str().unwrap_or("INTERNAL_ERROR"),
        value["message"]
            .as_str()
            .unwrap_or("MLflow gave no reason; see its log"),
    ))
}

pub(super) async fn post(app: &App, route: &str, body: &Value) -> Result<Value, ApiError> {
    call(app, Method::POST, route, body).await
}

pub(super) async fn patch(app: &App, route: &str, body: &Value) -> Result<Value, ApiError> {
    call(app, Method::PATCH, route, body).await
}

pub(super) async fn delete(app: &App, route: &str, body: &Value) -> Result<Value, ApiError> {
    call(app, Method::DELETE, route, body).await
}

pub(super) async fn get(app: &App, route: &str, query: &Value) -> Result<Value, ApiError> {
    call(app, Method::GET, route, query).await
}

/// MLflow died between two requests, and is being restarted.
pub(super) fn unreachable(error: &reqwest::Error) -> ApiError {
    ApiError::internal("MLflow does not answer; it is being restarted", error)
}

fn query(body: &Value) -> Vec<(String, String)> {
    let Some(fields) = body.as_object() else {
        return Vec::new();
    };
    fields
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            (name.clone(), text)
        })
        .collect()
}
