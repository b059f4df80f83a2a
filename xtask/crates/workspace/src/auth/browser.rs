//! What only browsers care about: security headers, and a refusal that a person can read.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};

/// For replies that bring no policy of their own: only what we serve ourselves, framed by nobody.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);

const SIGN_IN_NEEDED: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Sign in</title>\
     <h1>This browser is not signed in</h1><p>Run <code>cargo xtask workspace open</code> in the project's folder.</p></html>";

/// Whether a person is looking at the answer.
pub(crate) fn asks_for_a_page(method: &Method, headers: &HeaderMap) -> bool {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    method == Method::GET && accept.is_some_and(|accept| accept.contains("text/html"))
}

/// The page for a browser without a session.
pub(super) fn sign_in_needed() -> Response {
    (StatusCode::UNAUTHORIZED, Html(SIGN_IN_NEEDED)).into_response()
}

/// Adds the headers that keep a reply from acting in the reader's name; a reply's own ones stay.
pub(super) fn with_security_headers(mut response: Response) -> Response {
    let is_html = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("text/html"));
    let mut add = |name: HeaderName, value: HeaderValue| {
        response.headers_mut().entry(name).or_insert(value);
    };
    add(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    add(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // With `no-referrer` browsers would send our own forms with the origin `null`, which we refuse.
    add(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    add(CONTENT_SECURITY_POLICY, POLICY);
    add(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    if is_html {
        add(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}
