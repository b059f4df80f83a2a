//! The proxy in front of MLflow, and the differences that it evens out.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, DATE,
    HOST, LOCATION, ORIGIN, SERVER, TRANSFER_ENCODING, UPGRADE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{any, get};
use serde_json::Value;

use super::allowed_calls::MlflowCall;
use super::{artifact_roots, client, experiments, lineage};
use crate::call::{Call, Routes};
use crate::error::ApiError;
use crate::state::App;

/// Size limit for bodies that must be read: of requests that we inspect, and of those without a length.
const HELD_LIMIT: usize = 256 * 1024 * 1024;
/// Headers that we set ourselves, or that concern one connection.
const NOT_FORWARDED: [HeaderName; 8] = [
    HOST,
    AUTHORIZATION,
    COOKIE,
    ORIGIN,
    CONNECTION,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("referer"),
];
const NOT_RETURNED: [HeaderName; 6] = [
    CONNECTION,
    TRANSFER_ENCODING,
    UPGRADE,
    DATE,
    SERVER,
    HeaderName::from_static("set-cookie"),
];
/// Content policy of MLflow's own pages. Everything else that it delivers is user data, and is sandboxed.
const PAGE_POLICY: HeaderValue =
    HeaderValue::from_static("frame-ancestors 'self'; object-src 'none'; base-uri 'self'");
const DATA_POLICY: HeaderValue = HeaderValue::from_static("sandbox");

pub(super) fn router() -> Routes {
    let mut router = Routes::new()
        .route("/mlflow", get(|| async { Redirect::permanent("/mlflow/") }))
        .route("/mlflow/", any(forward))
        .route("/mlflow/{*rest}", any(forward))
        .route("/version", get(forward))
        .route("/get-artifact", get(forward))
        .route("/model-versions/get-artifact", get(forward))
        .route("/graphql", any(forward))
        .route("/v1/traces", any(forward));
    for version in ["2.0", "3.0"] {
        for service in ["mlflow", "mlflow-artifacts"] {
            router = router.route(&format!("/api/{version}/{service}/{{*rest}}"), any(forward));
        }
    }
    router.route("/ajax-api/{*rest}", any(forward))
}

async fn forward(call: Call, request: Request) -> Response {
    let databricks = artifact_roots::are_databricks(request.uri().path(), request.headers());
    let mut response = answer(&call, request)
        .await
        .unwrap_or_else(ApiError::into_response);
    if databricks && is_json(response.headers()) {
        response = artifact_roots::renamed(response).await;
    }
    // Clients record the workspace of a version's run.
    if let Ok(id) = HeaderValue::from_str(&call.identity.workspace_id) {
        response
            .headers_mut()
            .insert(HeaderName::from_static("x-databricks-org-id"), id);
    }
    response
}

async fn answer(call: &Call, request: Request) -> Result<Response, ApiError> {
    let sent = MlflowCall::read(request.uri().path())?;
    sent.check(&call.caller, request.method())?;
    match (request.method().clone(), sent.name().as_deref()) {
        (
            Method::POST,
            Some(
                name @ ("experiments/create"
                | "experiments/update"
                | "experiments/delete"
                | "experiments/restore"
                | "runs/create"),
            ),
        ) => mended_post(call, name, request).await,
        (Method::GET, Some("experiments/get")) => {
            let query = query_object(request.uri().query());
            Ok(axum::Json(experiments::get(call, &query).await?).into_response())
        }
        (Method::GET, Some("experiments/get-by-name")) => {
            let query = query_object(request.uri().query());
            Ok(axum::Json(experiments::get_by_name(call, query).await?).into_response())
        }
        // Databricks' clients put the arguments of a deletion into the query; MLflow reads the body only.
        (Method::DELETE, Some(name)) if request.uri().query().is_some() => {
            let said = query_object(request.uri().query());
            let reply = client::delete(call, name, &said).await?;
            Ok(axum::Json(reply).into_response())
        }
        _ => pass_on(call, &sent, request).await,
    }
}

async fn mended_post(call: &Call, name: &str, request: Request) -> Result<Response, ApiError> {
    let bytes = held(request.into_body()).await?;
    let body: Value = serde_json::from_slice(&bytes)
        .map_err(|error| ApiError::invalid(format!("the body is not a JSON object: {error}")))?;
    refuse_second_names(&body)?;
    let body = if name.starts_with("experiments/") {
        experiments::canonical_body(body)
    } else {
        lineage::of_user(&call.caller, body)
    };
    let reply = match name {
        "experiments/create" => experiments::create(call, &body).await?,
        "experiments/update" => experiments::update(call, &body).await?,
        "experiments/delete" => experiments::delete(call, &body).await?,
        "experiments/restore" => experiments::restore(call, &body).await?,
        _ => client::post(call, name, &body).await?,
    };
    if name == "runs/create" {
        lineage::note_run(call, &body, &reply);
    }
    Ok(axum::Json(reply).into_response())
}

/// MLflow accepts two names for each field, `experiment_id` and `experimentId`; we read only the first. A body with the
/// second would mean different things to us and to MLflow.
fn refuse_second_names(body: &Value) -> Result<(), ApiError> {
    let mut names = body.as_object().into_iter().flatten().map(|(name, _)| name);
    match names.find(|name| name.contains(char::is_uppercase)) {
        None => Ok(()),
        Some(name) => Err(ApiError::invalid(format!(
            "unknown field '{}': fields are written as in experiment_id",
            name.escape_debug()
        ))),
    }
}

async fn pass_on(app: &App, sent: &MlflowCall, request: Request) -> Result<Response, ApiError> {
    let upstream = app.mlflow.ready().await?;
    let (parts, body) = request.into_parts();
    let query = parts
        .uri
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    let mut headers = without(&parts.headers, &NOT_FORWARDED);
    // MLflow ignores a body of unknown length.
    let body = if headers.contains_key(CONTENT_LENGTH) {
        reqwest::Body::wrap_stream(body.into_data_stream())
    } else {
        let bytes = held(body).await?;
        headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        bytes.into()
    };
    let reply = upstream
        .request(
            parts.method.clone(),
            format!("http://localhost{}{query}", sent.path()),
        )
        .headers(headers)
        .body(body)
        .send()
        .await
        .map_err(|error| client::unreachable(&error))?;
    if reply.status() == StatusCode::NOT_FOUND && sent.is_api() && !is_json(reply.headers()) {
        return Err(sent.unknown(&parts.method));
    }
    Ok(returned(sent, reply))
}

fn returned(sent: &MlflowCall, reply: reqwest::Response) -> Response {
    let mut headers = without(reply.headers(), &NOT_RETURNED);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        CONTENT_SECURITY_POLICY,
        if sent.is_page() {
            PAGE_POLICY
        } else {
            DATA_POLICY
        },
    );
    if let Some(target) = headers.get(LOCATION).and_then(|value| value.to_str().ok()) {
        // A redirect contains MLflow's own address; below /mlflow/ it must be relative.
        let relative = target.trim_start_matches("http://localhost").to_owned();
        if let Ok(value) = HeaderValue::from_str(&format!("/mlflow{relative}")) {
            headers.insert(LOCATION, value);
        }
    }
    let status = reply.status();
    let mut response = Response::new(Body::from_stream(reply.bytes_stream()));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

async fn held(body: Body) -> Result<Bytes, ApiError> {
    to_bytes(body, HELD_LIMIT).await.map_err(|error| {
        ApiError::invalid(format!(
            "the body cannot be read, or is longer than {HELD_LIMIT} bytes: {error}"
        ))
    })
}

fn without(headers: &HeaderMap, left_out: &[HeaderName]) -> HeaderMap {
    headers
        .iter()
        .filter(|(name, _)| !left_out.contains(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/json"))
}

fn query_object(query: Option<&str>) -> Value {
    let pairs = serde_urlencoded::from_str::<Vec<(String, String)>>(query.unwrap_or_default())
        .unwrap_or_default();
    Value::Object(
        pairs
            .into_iter()
            .map(|(name, value)| (name, Value::from(value)))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_cookies_stay_here() {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer x"));
        headers.insert(COOKIE, HeaderValue::from_static("a=b"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let sent = without(&headers, &NOT_FORWARDED);
        assert_eq!(sent.keys().collect::<Vec<_>>(), [&CONTENT_TYPE]);
    }
}
