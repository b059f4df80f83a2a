//! Authentication: one layer around all routes, unknown ones included. It refuses everything that it does not know.
//!
//! In this order, for every request:
//!
//! 1. `Host` must name us, or a foreign name was made to point here (DNS rebinding): 403.
//! 2. `Origin`, where present, must be ours, and `Sec-Fetch-Site` must not say that another site asks: 403.
//! 3. The few routes that clients ask before they have a token pass ([`is_public`]).
//! 4. `Authorization: Bearer` must carry the workspace's token, that of a job run that has not ended, or one of an
//!    identity that has not expired.
//! 5. Else the cookie of a browser that signed in counts; whatever changes something must then carry our `Origin`.

mod federation;
mod oauth;
mod sign_in;

pub use federation::check_policy;
pub use oauth::token;
pub use sign_in::sign_in;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use xtask_local_server::browser::{
    asks_for_a_page, check_site, is_own_authority, with_security_headers,
};
use xtask_local_server::secret::fingerprint;
use xtask_local_server::sign_in::sessions;

use crate::caller::{Caller, Credential};
use crate::error::ApiError;
use crate::state::App;

/// For replies without a policy of their own.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'";

pub async fn guard(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let response = match admit(&app, &request) {
        Ok(caller) => {
            if request.uri().path() != "/local/v1/status" {
                app.activity.touch();
            }
            if let Some(caller) = caller {
                request.extensions_mut().insert(caller);
            }
            next.run(request).await
        }
        Err(refusal)
            if refusal.status == StatusCode::UNAUTHORIZED
                && asks_for_a_page(request.method(), request.headers()) =>
        {
            sign_in::sign_in_needed()
        }
        Err(refusal) => refusal.into_response(),
    };
    with_security_headers(response, POLICY)
}

/// A layer around pages, which show everything and are therefore for admins only.
pub async fn admins_only(caller: Caller, request: Request, next: Next) -> Response {
    match caller.require_admin() {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// The caller, `None` on a public route, or the refusal.
fn admit(app: &App, request: &Request) -> Result<Option<Caller>, ApiError> {
    let headers = request.headers();
    check_host(app, request)?;
    check_site(app.port, request.method(), headers).map_err(ApiError::forbidden)?;
    if is_public(request.method(), request.uri().path()) {
        return Ok(None);
    }
    let caller = match headers.get(AUTHORIZATION) {
        // A header that is not text counts as an empty one.
        Some(value) => bearer(app, value.to_str().unwrap_or_default())?,
        None => browser_session(app, request.method(), headers)?,
    };
    // Code under test must not stop the workspace or create browser sessions, nor must other identities.
    let controls = request.uri().path().starts_with("/local/");
    if controls && (matches!(caller.by, Credential::Run { .. }) || !caller.is_admin()) {
        return Err(ApiError::forbidden(
            "only admins may use the workspace's own controls, and no job runs",
        ));
    }
    Ok(Some(caller))
}

/// Routes that need no token: liveness, discovery, sign-in with a one-time code, and the OAuth token endpoint.
pub fn is_public(method: &Method, path: &str) -> bool {
    if path == "/oidc/v1/token" {
        return method == Method::POST;
    }
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
    let is_own = |authority| is_own_authority(app.port, authority);
    if hosts.next().is_none() && is_own(host) && is_own(target) {
        return Ok(());
    }
    Err(ApiError::forbidden(format!(
        "this is {}; the request was made for another host",
        app.url
    )))
}

fn bearer(app: &App, authorization: &str) -> Result<Caller, ApiError> {
    let token = authorization
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(ApiError::unauthenticated)?;
    if app.token.matches(token) {
        return Ok(app.owner(Credential::Owner));
    }
    let fingerprint = fingerprint(token);
    if let Some(owner) = app.store.token_owner(&fingerprint)? {
        let caller = app.caller_of_run(&owner.run_as, owner.job_run_id)?;
        return caller.ok_or_else(ApiError::unauthenticated);
    }
    let who = app.store.token_principal(&fingerprint)?;
    Ok(Caller {
        who: Arc::new(who.ok_or_else(ApiError::unauthenticated)?),
        by: Credential::Token,
    })
}

fn browser_session(app: &App, method: &Method, headers: &HeaderMap) -> Result<Caller, ApiError> {
    let sessions = sessions(headers, &cookie_name(app));
    if !app.store.has_session(&sessions)? {
        return Err(ApiError::unauthenticated());
    }
    let reads = matches!(method, &Method::GET | &Method::HEAD | &Method::OPTIONS);
    if !reads && !headers.contains_key(ORIGIN) {
        return Err(ApiError::forbidden(
            "a change with a browser session needs an Origin header",
        ));
    }
    Ok(app.owner(Credential::Browser))
}

/// Name of the session cookie. Browsers share cookies between the ports of a host, so it carries our port and the
/// workspace's id.
fn cookie_name(app: &App) -> String {
    format!("xtask_workspace_{}_{}", app.port, app.identity.workspace_id)
}
