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

use super::{artifact_roots, client, experiments, lineage};
use crate::auth::Caller;
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

/// MLflow's pages live below `/mlflow/` and ask with relative addresses, so its whole server appears there too.
fn upstream_path(path: &str) -> &str {
    match path.strip_prefix("/mlflow") {
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
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
    let path = upstream_path(request.uri().path()).to_owned();
    if !caller.is_admin() && shows_all_models(&path) {
        return Err(ApiError::forbidden(format!(
            "{} reaches registered models through Unity Catalog only.",
            caller.name()
        )));
    }
    if is_agent(&path) {
        return Err(no_such_endpoint(request.method(), &path));
    }
    match (request.method().clone(), call_name(&path)) {
        (
            Method::POST,
            Some(
                name @ ("experiments/create" | "experiments/update" | "experiments/delete"
                | "runs/create"),
            ),
        ) => {
            let name = name.to_owned();
            mended_post(app, caller, &name, request).await
        }
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
        _ => pass_on(app, &path, request).await,
    }
}

/// `experiments/create` for `/api/2.0/mlflow/experiments/create`, and for the same call of a page.
fn call_name(path: &str) -> Option<&str> {
    path.strip_prefix("/api/2.0/mlflow/")
        .or_else(|| path.strip_prefix("/ajax-api/2.0/mlflow/"))
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
    let body = if name.starts_with("experiments/") {
        experiments::canonical_body(body)
    } else {
        lineage::of_user(caller, body)
    };
    let reply = match name {
        "experiments/create" => experiments::create(app, caller, &body).await?,
        "experiments/update" => experiments::update(app, caller, &body).await?,
        "experiments/delete" => experiments::delete(app, caller, &body).await?,
        _ => client::post(app, name, &body).await?,
    };
    if name == "runs/create" {
        lineage::note_run(app, &body, &reply);
    }
    Ok(axum::Json(reply).into_response())
}

async fn pass_on(app: &App, path: &str, request: Request) -> Result<Response, ApiError> {
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
            format!("http://localhost{path}{query}"),
        )
        .headers(headers)
        .body(body)
        .send()
        .await
        .map_err(|error| client::unreachable(&error))?;
    if reply.status() == StatusCode::NOT_FOUND && is_api(path) && !is_json(reply.headers()) {
        // MLflow's clients fall back to older routes on exactly this, and break on a page.
        return Err(no_such_endpoint(&parts.method, path));
    }
    Ok(returned(path, reply))
}

fn returned(path: &str, reply: reqwest::Response) -> Response {
    let mut headers = without(reply.headers(), &NOT_RETURNED);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        CONTENT_SECURITY_POLICY,
        if is_page(path) {
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

/// MLflow's assistant starts programs on this machine for whoever asks; a workspace has no use for that.
fn is_agent(path: &str) -> bool {
    is_api(path) && path.split('/').any(|part| part == "assistant")
}

/// What leads past Unity Catalog's grants: MLflow's own registry calls, its pages, and its GraphQL.
fn shows_all_models(path: &str) -> bool {
    let registry = |part: &str| matches!(part, "registered-models" | "model-versions" | "graphql");
    is_page(path) || path.starts_with("/ajax-api/") || path.split('/').any(registry)
}

fn no_such_endpoint(method: &Method, path: &str) -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        "ENDPOINT_NOT_FOUND",
        format!("No API found for '{method} {path}'"),
    )
}

fn is_api(path: &str) -> bool {
    path.starts_with("/api/") || path.starts_with("/ajax-api/")
}

fn is_page(path: &str) -> bool {
    path == "/" || path.starts_with("/static-files/")
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
    fn mlflows_server_appears_below_its_pages() {
        assert_eq!(
            upstream_path("/mlflow/ajax-api/2.0/mlflow/runs/get"),
            "/ajax-api/2.0/mlflow/runs/get"
        );
        assert_eq!(upstream_path("/mlflow/"), "/");
        assert_eq!(
            upstream_path("/api/2.0/mlflow/runs/get"),
            "/api/2.0/mlflow/runs/get"
        );
    }

    #[test]
    fn only_mlflows_own_pages_may_run_scripts() {
        assert!(is_page("/") && is_page("/static-files/static/js/main.js"));
        for data in [
            "/get-artifact",
            "/ajax-api/2.0/mlflow/get-artifact",
            "/api/2.0/mlflow-artifacts/artifacts/1/x.html",
        ] {
            assert!(!is_page(data), "{data}");
        }
    }

    #[test]
    fn mlflows_assistant_is_out_of_reach() {
        assert!(is_agent("/ajax-api/3.0/mlflow/assistant/message"));
        assert!(!is_agent("/api/2.0/mlflow/runs/get"));
    }

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
