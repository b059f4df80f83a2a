//! Who may ask for what: one layer around all routes, unknown ones included, that refuses whatever it does not know.
//!
//! In this order, for every request:
//!
//! 1. `Host` must name us, or a foreign name was made to point here (DNS rebinding): 403.
//! 2. `Origin`, where present, must be ours, and `Sec-Fetch-Site` must not say that another site asks: 403.
//! 3. The few routes that clients ask before they have a token pass ([`is_public`]).
//! 4. `Authorization: Bearer` must carry the workspace's token, or that of a job run that has not ended.
//! 5. Else the cookie of a browser that signed in counts; whatever changes something must then carry our `Origin`.

mod browser;
mod sign_in;

pub(crate) use browser::asks_for_a_page;
pub use sign_in::{SignInCodes, sign_in};

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::error::ApiError;
use crate::secret::fingerprint;
use crate::state::App;

/// Who asks. Put into the request's extensions for the routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Principal {
    /// Whoever holds the workspace's token.
    Owner,
    /// A browser that signed in.
    Browser,
    /// The code of a job run.
    Run {
        /// The run whose token it is.
        job_run_id: i64,
    },
}

/// The layer itself.
pub async fn guard(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let response = match admit(&app, &request) {
        Ok(principal) => {
            if request.uri().path() != "/local/v1/status" {
                app.activity.touch();
            }
            if let Some(principal) = principal {
                request.extensions_mut().insert(principal);
            }
            next.run(request).await
        }
        Err(refusal)
            if refusal.status == StatusCode::UNAUTHORIZED
                && asks_for_a_page(request.method(), request.headers()) =>
        {
            browser::sign_in_needed()
        }
        Err(refusal) => refusal.into_response(),
    };
    browser::with_security_headers(response)
}

/// Who asks, `None` on a public route, or why not.
fn admit(app: &App, request: &Request) -> Result<Option<Principal>, ApiError> {
    let headers = request.headers();
    check_host(app, request)?;
    check_site(app, request.method(), headers)?;
    if is_public(request.method(), request.uri().path()) {
        return Ok(None);
    }
    let principal = match text(headers, &AUTHORIZATION) {
        Some(value) => bearer(app, value)?,
        None => browser_session(app, request.method(), headers)?,
    };
    // Code under test must not stop the workspace, nor make itself a browser.
    if matches!(principal, Principal::Run { .. }) && request.uri().path().starts_with("/local/") {
        return Err(ApiError::forbidden(
            "the token of a job run does not reach the workspace's own controls",
        ));
    }
    Ok(Some(principal))
}

/// The routes without a token: liveness, discovery, and the one that makes a session out of a one-time code.
pub fn is_public(method: &Method, path: &str) -> bool {
    matches!(method, &Method::GET | &Method::HEAD)
        && matches!(
            path,
            "/health"
                | "/.well-known/databricks-config"
                | "/oidc/.well-known/oauth-authorization-server"
                | "/oidc/.well-known/openid-configuration"
                | "/sign-in"
        )
}

fn check_host(app: &App, request: &Request) -> Result<(), ApiError> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = hosts
        .next()
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let target = request
        .uri()
        .authority()
        .map_or(host, |authority| authority.as_str());
    if hosts.next().is_none() && is_own_authority(app, host) && is_own_authority(app, target) {
        return Ok(());
    }
    Err(ApiError::forbidden(format!(
        "this is {}; the request was made for another host",
        app.url
    )))
}

fn is_own_authority(app: &App, authority: &str) -> bool {
    let Some((name, port)) = authority.rsplit_once(':') else {
        return false;
    };
    matches!(name, "127.0.0.1" | "localhost" | "[::1]") && port.parse() == Ok(app.port)
}

fn is_own_origin(app: &App, origin: &str) -> bool {
    origin
        .strip_prefix("http://")
        .is_some_and(|authority| is_own_authority(app, authority))
}

fn check_site(app: &App, method: &Method, headers: &HeaderMap) -> Result<(), ApiError> {
    if headers
        .get_all(ORIGIN)
        .iter()
        .any(|origin| !origin.to_str().is_ok_and(|text| is_own_origin(app, text)))
    {
        return Err(ApiError::forbidden(
            "the request comes from a page of another origin",
        ));
    }
    let navigates = matches!(method, &Method::GET | &Method::HEAD)
        && text(headers, &HeaderName::from_static("sec-fetch-mode")) == Some("navigate");
    match text(headers, &HeaderName::from_static("sec-fetch-site")) {
        None | Some("same-origin" | "none") => Ok(()),
        // A link on a page of another port of this machine, such as the local forge's.
        Some("same-site") if navigates => Ok(()),
        Some(_) => Err(ApiError::forbidden(
            "the request comes from a page of another site",
        )),
    }
}

fn bearer(app: &App, authorization: &str) -> Result<Principal, ApiError> {
    let token = authorization
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(unauthenticated)?;
    if app.token.matches(token) {
        return Ok(Principal::Owner);
    }
    match app.store.token_owner(&fingerprint(token))? {
        Some(owner) => Ok(Principal::Run {
            job_run_id: owner.job_run_id,
        }),
        None => Err(unauthenticated()),
    }
}

fn browser_session(app: &App, method: &Method, headers: &HeaderMap) -> Result<Principal, ApiError> {
    let name = cookie_name(app);
    let session = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value);
    match session {
        Some(session) if app.store.has_session(&fingerprint(session))? => {}
        _ => return Err(unauthenticated()),
    }
    let reads = matches!(method, &Method::GET | &Method::HEAD | &Method::OPTIONS);
    if !reads && !headers.contains_key(ORIGIN) {
        return Err(ApiError::forbidden(
            "a change made with a browser's session must name its origin",
        ));
    }
    Ok(Principal::Browser)
}

/// Name of the session cookie. Browsers share cookies between the ports of a host, so it carries the workspace's id.
fn cookie_name(app: &App) -> String {
    format!("xtask_workspace_{}", app.identity.workspace_id)
}

fn unauthenticated() -> ApiError {
    ApiError::new(
        StatusCode::UNAUTHORIZED,
        "UNAUTHENTICATED",
        "the request carries no valid token; `cargo xtask workspace env` prints what clients need",
    )
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    // A header that is not text counts as an empty one, which no rule accepts.
    headers
        .get(name)
        .map(|value| value.to_str().unwrap_or_default())
}
