//! `POST /oidc/v1/token`: an access token for a service principal, in exchange for its secret (`client_credentials`) or
//! for a token of another issuer (token exchange).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::json;

use super::federation::{self, Jwt, Refusal};
use crate::error::ApiError;
use crate::state::App;
use crate::store::{NewToken, Principal, PrincipalKind, StoreError, TokenKind};

/// Lifetime of a token, seconds.
const LIFETIME: i64 = 3600;
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

/// The form. Neither it nor a refusal is ever logged.
#[derive(Deserialize)]
pub(super) struct Form {
    #[serde(default)]
    grant_type: String,
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    client_secret: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    subject_token: String,
    #[serde(default)]
    subject_token_type: String,
}

/// A refusal in OAuth's own form (RFC 6749, section 5.2).
struct OAuthError {
    status: StatusCode,
    error: &'static str,
    description: String,
}

impl OAuthError {
    fn new(error: &'static str, description: impl Into<String>) -> OAuthError {
        let status = if error == "invalid_client" {
            StatusCode::UNAUTHORIZED
        } else {
            StatusCode::BAD_REQUEST
        };
        OAuthError {
            status,
            error,
            description: description.into(),
        }
    }

    fn client() -> OAuthError {
        OAuthError::new("invalid_client", "Client authentication failed")
    }
}

impl From<StoreError> for OAuthError {
    fn from(error: StoreError) -> OAuthError {
        let error = ApiError::from(error);
        OAuthError {
            status: error.status,
            error: "server_error",
            description: error.message,
        }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let body = json!({"error": self.error, "error_description": self.description});
        let mut response = (self.status, [(CACHE_CONTROL, "no-store")], Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = axum::http::HeaderValue::from_static("Basic realm=\"workspace\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

/// Takes no bearer token: clients call it to get one.
pub async fn token(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    match grant(&app, &headers, &body) {
        Ok(reply) => reply,
        Err(refusal) => {
            tracing::info!(error = refusal.error, "refused an OAuth token");
            refusal.into_response()
        }
    }
}

fn grant(app: &App, headers: &HeaderMap, body: &[u8]) -> Result<Response, OAuthError> {
    let form: Form = serde_urlencoded::from_bytes(body)
        .map_err(|_| OAuthError::new("invalid_request", "the body is not a form"))?;
    let who = match form.grant_type.as_str() {
        "client_credentials" => by_secret(app, headers, &form)?,
        EXCHANGE => by_signature(app, &form)?,
        "" => return Err(OAuthError::new("invalid_request", "grant_type is missing")),
        other => {
            return Err(OAuthError::new(
                "unsupported_grant_type",
                format!(
                    "grant_type {} is neither client_credentials nor {EXCHANGE}",
                    other.escape_debug()
                ),
            ));
        }
    };
    let scope = if form.scope.is_empty() {
        "all-apis"
    } else {
        &form.scope
    };
    let known = |scope: &str| matches!(scope, "all-apis" | "offline_access");
    if !scope.split_whitespace().all(known) {
        return Err(OAuthError::new("invalid_scope", "the scope is all-apis"));
    }
    let (token, _) = app.store.create_access_token(&NewToken {
        owner_id: who.id,
        kind: TokenKind::OAuth,
        comment: "",
        created_by: &who.name,
        lifetime_ms: Some(LIFETIME * 1000),
    })?;
    let mut reply = json!({"access_token": token.expose(), "token_type": "Bearer", "expires_in": LIFETIME,
        "scope": scope});
    if form.grant_type == EXCHANGE {
        reply["issued_token_type"] = "urn:ietf:params:oauth:token-type:access_token".into();
    }
    Ok(([(CACHE_CONTROL, "no-store")], Json(reply)).into_response())
}

/// A service principal with its secret, in the header or the form.
fn by_secret(app: &App, headers: &HeaderMap, form: &Form) -> Result<Principal, OAuthError> {
    let (id, secret) = match headers.get(AUTHORIZATION) {
        Some(value) => basic(value.to_str().unwrap_or_default()).ok_or_else(OAuthError::client)?,
        None => (form.client_id.clone(), form.client_secret.clone()),
    };
    let who = service(app, &id)?;
    if app.store.has_client_secret(who.id, &secret)? {
        Ok(who)
    } else {
        Err(OAuthError::client())
    }
}

/// `Basic`: both parts are form-encoded before they are joined (RFC 6749, section 2.3.1).
fn basic(value: &str) -> Option<(String, String)> {
    let (scheme, rest) = value.split_once(' ')?;
    let bytes = STANDARD.decode(rest.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (id, secret) = text.split_once(':')?;
    let plain = |text: &str| {
        let text = text.replace('+', " ");
        Some(percent_decode_str(&text).decode_utf8().ok()?.into_owned())
    };
    if scheme.eq_ignore_ascii_case("basic") {
        Some((plain(id)?, plain(secret)?))
    } else {
        None
    }
}

fn service(app: &App, id: &str) -> Result<Principal, OAuthError> {
    let who = app.store.principal_by_name(id)?;
    who.filter(|who| who.active && who.kind == PrincipalKind::ServicePrincipal)
        .ok_or_else(OAuthError::client)
}

/// A service principal with a token that one of its policies trusts.
fn by_signature(app: &App, form: &Form) -> Result<Principal, OAuthError> {
    if !matches!(form.subject_token_type.as_str(), JWT | ID_TOKEN) {
        return Err(OAuthError::new(
            "invalid_request",
            format!("subject_token_type must be {JWT}"),
        ));
    }
    if form.client_id.is_empty() {
        return Err(OAuthError::new(
            "invalid_request",
            "client_id is required: the local workspace has policies of service principals only",
        ));
    }
    let who = service(app, &form.client_id)?;
    let untrusted = |why: &str| {
        OAuthError::new(
            "invalid_grant",
            format!("the subject token is refused: {why}"),
        )
    };
    let token = Jwt::parse(&form.subject_token).map_err(|why| untrusted(&why.to_string()))?;
    let (endpoint, account) = (
        format!("{}/oidc/v1/token", app.url),
        app.identity.account_id(),
    );
    let mut closest: Option<Refusal> = None;
    for policy in app.store.federation_policies(who.id)? {
        match federation::check(&token, &policy.oidc, &[&endpoint, &account]) {
            Ok(()) => return Ok(who),
            // A refusal for a claim says more than one for the signature: another policy's keys made it.
            Err(refusal) => {
                if closest.is_none() || refusal != Refusal::Signature {
                    closest = Some(refusal);
                }
            }
        }
    }
    Err(match closest {
        Some(refusal) => untrusted(&refusal.to_string()),
        None => untrusted("the service principal has no federation policy"),
    })
}
