//! Passes requests on to MLflow and its answers back, and mends what must be mended on the way.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, DATE,
    HOST, LOCATION, ORIGIN, SERVER, TRANSFER_ENCODING, UPGRADE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{any, get};
use serde_json::Value;

use super::calls::Call;
use super::{artifact_roots, client, experiments, lineage};
use crate::caller::Caller;
use crate::error::ApiError;
use crate::state::App;

/// Bodies that must be held: of requests we look into, and of those that do not say how long they are.
const HELD_LIMIT: usize = 256 * 1024 * 1024;
/// Ours to say, or about one connection only.
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
/// What MLflow's own pages may do. Everything else that it delivers is somebody's data, and is sandboxed.
const PAGE_POLICY: HeaderValue =
    HeaderValue::from_static("frame-ancestors 'self'; object-src 'none'; base-uri 'self'");
const DATA_POLICY: HeaderValue = HeaderValue::from_static("sandbox");

pub(super) fn router() -> Router<Arc<App>> {
    let mut router = Router::new()
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

async fn forward(State(app): State<Arc<App>>, caller: Caller, request: Request) -> Response {
    let databricks = artifact_roots::are_databricks(request.uri().path(), request.headers());
    let mut response = answer(&app, &caller, request)
        .await
        .unwrap_or_else(ApiError::into_response);
    if databricks && is_json(response.headers()) {
        response = artifact_roots::renamed(response).await;
    }
    // Clients note beside a model version which workspace its run belongs to.
    if let Ok(id) = HeaderValue::from_str(&app.identity.workspace_id) {
        response
            .headers_mut()
            .insert(HeaderName::from_static("x-databricks-org-id"), id);
    }
    response
}

async fn answer(app: &App, caller: &Caller, request: Request) -> Result<Response, ApiError> {
    let sent = Call::read(request.uri().path())?;
    sent.check(caller, request.method())?;
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
        ) => mended_post(app, caller, name, request).await,
        (Method::GET, Some("experiments/get")) => {
            let query = query_object(request.uri().query());
            Ok(axum::Json(experiments::get(app, &query).await?).into_response())
        }
        (Method::GET, Some("experiments/get-by-name")) => {
            let query = query_object(request.uri().query());
            Ok(axum::Json(experiments::get_by_name(app, query).await?).into_response())
        }
        // Databricks' clients say in the query what they delete; MLflow reads that in a body only.
        (Method::DELETE, Some(name)) if request.uri().query().is_some() => {
            let said = query_object(request.uri().query());
            let reply = client::call(app, Method::DELETE, name, &said).await?;
            Ok(axum::Json(reply).into_response())
        }
        _ => pass_on(app, &sent, request).await,
    }
}

async fn mended_post(
    app: &App,
    caller: &Caller,
    name: &str,
    request: Request,
) -> Result<Response, ApiError> {
    let bytes = held(request.into_body()).await?;
    let body: Value = serde_json::from_slice(&bytes)
        .map_err(|error| ApiError::invalid(format!("the body is no JSON object: {error}")))?;
    refuse_second_names(&body)?;
    let body = if name.starts_with("experiments/") {
        experiments::canonical_body(body)
    } else {
        lineage::of_user(caller, body)
    };
    let reply = match name {
        "experiments/create" => experiments::create(app, caller, &body).await?,
        "experiments/update" => experiments::update(app, caller, &body).await?,
        "experiments/delete" => experiments::delete(app, caller, &body).await?,
        "experiments/restore" => experiments::restore(app, caller, &body).await?,
        _ => client::post(app, name, &body).await?,
    };
    if name == "runs/create" {
        lineage::note_run(app, caller, &body, &reply);
    }
    Ok(axum::Json(reply).into_response())
}

/// MLflow knows each field by two names, `experiment_id` and `experimentId`, and we by the first alone: a body that has
/// the second would say one thing to us and another to MLflow.
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

async fn pass_on(app: &App, sent: &Call, request: Request) -> Result<Response, ApiError> {
    let upstream = app.mlflow.ready().await?;
    let (parts, body) = request.into_parts();
    let query = parts
        .uri
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    let mut headers = without(&parts.headers, &NOT_FORWARDED);
    // MLflow reads no body whose length it does not know.
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

fn returned(sent: &Call, reply: reqwest::Response) -> Response {
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
        // A redirect names the address that we asked; below /mlflow/ it is a relative one.
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
