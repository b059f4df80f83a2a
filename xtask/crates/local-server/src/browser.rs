//! Requests of browsers: which ones another page may have caused, and the headers that protect a reply.

use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::response::Response;

/// Whether `HOST:PORT` is the server on this port of this machine.
pub fn is_own_authority(port: u16, authority: &str) -> bool {
    let Some((name, its_port)) = authority.rsplit_once(':') else {
        return false;
    };
    matches!(name, "127.0.0.1" | "localhost" | "[::1]") && its_port.parse() == Ok(port)
}

/// Refuses requests that a page of another origin or site caused, with the reason.
pub fn check_site(port: u16, method: &Method, headers: &HeaderMap) -> Result<(), &'static str> {
    let is_own = |origin: &HeaderValue| {
        let text = origin.to_str().ok();
        let authority = text.and_then(|text| text.strip_prefix("http://"));
        authority.is_some_and(|authority| is_own_authority(port, authority))
    };
    if !headers.get_all(ORIGIN).iter().all(is_own) {
        return Err("the request comes from a page of another origin");
    }
    let fetch = |name| {
        headers
            .get(HeaderName::from_static(name))
            .map(HeaderValue::as_bytes)
    };
    let reads = matches!(method, &Method::GET | &Method::HEAD);
    let navigates = reads && fetch("sec-fetch-mode") == Some(b"navigate");
    match fetch("sec-fetch-site") {
        None | Some(b"same-origin" | b"none") => Ok(()),
        // A link on a page of another port of this machine: from the local forge to the local workspace, say.
        Some(b"same-site") if navigates => Ok(()),
        Some(_) => Err("the request comes from a page of another site"),
    }
}

/// Whether the reply is shown in a browser.
pub fn asks_for_a_page(method: &Method, headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    method == Method::GET && accept.is_some_and(|accept| accept.contains("text/html"))
}

/// Adds the headers that keep a reply from acting in the reader's name. The reply's own headers stay; `policy` is the
/// content security policy of replies that have none.
pub fn with_security_headers(mut response: Response, policy: &'static str) -> Response {
    let kind = response.headers().get(CONTENT_TYPE);
    let is_html = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let mut add = |name, value| {
        let value = HeaderValue::from_static(value);
        response.headers_mut().entry(name).or_insert(value);
    };
    add(X_CONTENT_TYPE_OPTIONS, "nosniff");
    add(X_FRAME_OPTIONS, "DENY");
    // With `no-referrer`, browsers would send our own forms with the origin `null`, which we refuse.
    add(REFERRER_POLICY, "same-origin");
    add(CONTENT_SECURITY_POLICY, policy);
    let resource_policy = HeaderName::from_static("cross-origin-resource-policy");
    add(resource_policy, "same-origin");
    if is_html {
        add(CACHE_CONTROL, "no-store");
    }
    response
}
