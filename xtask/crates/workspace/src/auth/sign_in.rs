//! How a browser gets a session: a one-time code in a link.

use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::response::{AppendHeaders, Html, IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use xtask_local_server::browser::asks_for_a_page;
use xtask_local_server::now_ms;
use xtask_local_server::sign_in::session_cookie;

use super::{browser_session, cookie_name};
use crate::error::ApiError;
use crate::state::App;

const SIGN_IN_NEEDED: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Sign in</title>\
     <h1>This browser is not signed in</h1><p>Run <code>cargo xtask workspace open</code> in the project's folder.</p></html>";

#[derive(Debug, Deserialize)]
pub struct SignIn {
    #[serde(default)]
    code: String,
}

/// `GET /sign-in?code=…`: makes a session, and redirects to the page that the link was made for.
pub async fn sign_in(
    State(app): State<Arc<App>>,
    Query(query): Query<SignIn>,
    request: Request,
) -> Result<Response, ApiError> {
    let ticket = app.sign_in_links.redeem(&query.code, now_ms());
    let next = Redirect::to(ticket.as_ref().map_or("/", |ticket| ticket.to.as_str()));
    if ticket.is_some_and(|ticket| !ticket.used) {
        let session = app.store.create_session()?;
        let cookie = session_cookie(&cookie_name(&app), &session);
        return Ok((AppendHeaders([(SET_COOKIE, cookie)]), next).into_response());
    }
    // The link was opened twice in the same browser.
    if request.headers().contains_key(COOKIE)
        && browser_session(&app, request.method(), request.headers()).is_ok()
    {
        return Ok(next.into_response());
    }
    if asks_for_a_page(request.method(), request.headers()) {
        return Ok(sign_in_needed());
    }
    Err(ApiError::new(
        StatusCode::UNAUTHORIZED,
        "UNAUTHENTICATED",
        "this sign-in link was used or has expired; run `cargo xtask workspace open` for a new one",
    ))
}

pub(super) fn sign_in_needed() -> Response {
    (StatusCode::UNAUTHORIZED, Html(SIGN_IN_NEEDED)).into_response()
}
