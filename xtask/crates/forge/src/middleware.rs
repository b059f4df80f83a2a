//! The first layer of every request: authentication, faults and recording.
//!
//! In this order:
//!
//! 1. `Host` must name us, or a foreign name was made to point here (DNS rebinding): 403. On the Unix socket, and
//!    below `.localhost`, it may be GitHub's own name: that is the layout of github.com.
//! 2. `Origin`, where present, must be ours, and `Sec-Fetch-Site` must not say that another site asks: 403.
//! 3. `Authorization` must be there once (else 400) with a known token, or the cookie of a signed-in browser: else 401.
//!    Two links contain a one-time code instead: to a log, and to a session.
//! 4. Faults and the record.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use tower::ServiceExt as _;
use xtask_local_server::browser::{
    asks_for_a_page, check_site, is_own_authority, with_security_headers,
};
use xtask_local_server::now_ms;

use crate::call::refused;
use crate::caller::{self, Caller};
use crate::connection::Connection;
use crate::exchanges::Question;
use crate::faults::{Fault, When};
use crate::forge::Forge;
use crate::pages;
use crate::refusal::Refusal;
use crate::request_log::Asked;
use crate::view::Links;

/// Size limit of a body, except for git's.
const LARGEST: usize = 10 * 1024 * 1024;

/// For replies without a policy of their own.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'";

pub(crate) async fn admit_and_answer(
    State((forge, inside)): State<(Arc<Forge>, Router)>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
) -> Response {
    let started = Instant::now();
    forge.activity.touch();
    let number = forge.request_log.arrive();
    let (host, as_asked) = (host(&request), request.uri().clone());
    let method = request.method().clone();
    let for_a_person = asks_for_a_page(&method, request.headers());
    let admitted = admit(&forge, &connection, &host, request);
    let (mut request, caller) = match admitted {
        Ok(admitted) => admitted,
        Err(refusal) => {
            return with_security_headers(for_its_reader(for_a_person, refused(&refusal)), POLICY);
        }
    };
    let body = match text_of_body(&mut request).await {
        Ok(body) => body,
        Err(refusal) => return refused(&refusal),
    };
    let login = caller.login(&forge.world());
    request.extensions_mut().insert(caller);
    let fault = forge.faults.meets(method.as_str(), as_asked.path(), &body);
    let answer = async {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let response = inside.oneshot(request).await.into_response();
        let response = for_its_reader(for_a_person, response);
        let question = Question {
            method: method.as_str(),
            path: uri.path(),
            query: uri.query(),
            body: &body,
        };
        forge.exchanges.keep(question, response).await
    };
    let response = with_fault(fault.unwrap_or_default(), &connection, answer).await;
    // Requests for the record are not recorded.
    if !as_asked.path().starts_with("/_forge/") {
        forge.request_log.keep(Asked {
            number,
            method: method.to_string(),
            path: as_asked.path().to_owned(),
            query: as_asked.query().unwrap_or_default().to_owned(),
            body: serde_json::from_str(&body).unwrap_or(match body.is_empty() {
                true => Value::Null,
                false => Value::String(body),
            }),
            login,
            status: response.as_ref().map(|response| response.status().as_u16()),
            at: now_ms(),
            milliseconds: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
    }
    with_security_headers(response.unwrap_or_default(), POLICY)
}

/// Renders a refusal as a page for browsers.
fn for_its_reader(for_a_person: bool, response: Response) -> Response {
    match response.extensions().get::<Refusal>() {
        Some(refusal) if for_a_person => pages::refusal(refusal).into_response(),
        _ => response,
    }
}

/// Checks host, site and token, and rewrites the address to the layout of the routes.
fn admit(
    forge: &Forge,
    connection: &Connection,
    host: &str,
    mut request: Request,
) -> Result<(Request, Caller), Refusal> {
    check_host(forge, connection, host)?;
    check_site(forge.port, request.method(), request.headers()).map_err(Refusal::forbidden)?;
    let path = inner_path(host, request.uri().path());
    let query = request
        .uri()
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    if let Ok(uri) = format!("{path}{query}").parse::<Uri>() {
        *request.uri_mut() = uri;
    }
    // Like GitHub: it would be unclear which one counts.
    if request.headers().get_all(AUTHORIZATION).iter().count() > 1 {
        let message = "Duplicate header: \"Authorization\"";
        return Err(Refusal::new(StatusCode::BAD_REQUEST, message));
    }
    let caller = caller::asks(forge, &request)?;
    request.extensions_mut().insert(Links::of_host(host));
    Ok((request, caller))
}

/// The host of an absolute address (as sent to a proxy), else of the header.
fn host(request: &Request) -> String {
    if let Some(authority) = request.uri().authority() {
        return authority.to_string();
    }
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = hosts
        .next()
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    match hosts.next() {
        Some(_) => String::new(),
        None => host.to_owned(),
    }
}

fn check_host(forge: &Forge, connection: &Connection, host: &str) -> Result<(), Refusal> {
    let name = host.split(':').next().unwrap_or_default();
    let known = match name {
        "github.com" | "api.github.com" => connection.is_socket,
        // Browsers and systems resolve these names to the local machine only.
        "github.localhost" | "api.github.localhost" => true,
        _ => is_own_authority(forge.port, host),
    };
    match known {
        true => Ok(()),
        false => Err(Refusal::forbidden(format!(
            "this is {}; the request was made for another host",
            forge.url
        ))),
    }
}

/// github.com has the API on a host of its own; the routes use GitHub Enterprise's layout.
fn inner_path(host: &str, path: &str) -> String {
    match (host.starts_with("api."), path) {
        (true, "/graphql") => "/api/graphql".to_owned(),
        (true, path) => format!("/api/v3{path}"),
        (false, path) => path.to_owned(),
    }
}

/// Reads the body of an API request and puts it back; git's bodies are not read.
async fn text_of_body(request: &mut Request) -> Result<String, Refusal> {
    let path = request.uri().path();
    if !path.starts_with("/api/") && !path.starts_with("/_forge/") {
        return Ok(String::new());
    }
    let body = std::mem::take(request.body_mut());
    let bytes = axum::body::to_bytes(body, LARGEST)
        .await
        .map_err(|_| Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    *request.body_mut() = Body::from(bytes);
    Ok(text)
}

/// Replies, with a fault if there is one; `None` if the connection was cut.
async fn with_fault(
    fault: Fault,
    connection: &Connection,
    answer: impl Future<Output = Response>,
) -> Option<Response> {
    tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
    if fault.reset == Some(When::Before) {
        connection.cut();
        return None;
    }
    let carried_out =
        fault.carry_out || fault.reset.is_some() || fault.status.is_none() && fault.body.is_none();
    let mut response = match carried_out {
        true => answer.await,
        false => Response::default(),
    };
    if fault.reset == Some(When::After) {
        connection.cut();
        return None;
    }
    if let Some(status) = fault
        .status
        .and_then(|status| StatusCode::from_u16(status).ok())
    {
        *response.status_mut() = status;
    }
    if let Some(body) = fault.body {
        let kind = match body.trim_start().starts_with('<') {
            true => "text/html; charset=utf-8",
            false => "application/json; charset=utf-8",
        };
        response.headers_mut().remove(header::CONTENT_LENGTH);
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        *response.body_mut() = Body::from(body);
    }
    for (name, value) in &fault.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    match fault.truncate {
        Some(bytes) => Some(truncated(response, bytes).await),
        None => Some(response),
    }
}

/// Truncates the body, with a matching length, like a proxy that gave up.
async fn truncated(response: Response, bytes: usize) -> Response {
    let (mut parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX)
        .await
        .unwrap_or_else(|_| Bytes::new());
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(body.slice(..bytes.min(body.len()))))
}
