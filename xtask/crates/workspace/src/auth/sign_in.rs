//! How a browser gets a session: a one-time code in a link.

use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::response::{AppendHeaders, IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::{browser, browser_session, cookie_name};
use crate::error::ApiError;
use crate::state::App;

/// How long a browser stays signed in, ms.
const SESSION_LIFETIME: i64 = 30 * 24 * 60 * 60 * 1000;

/// Query of the sign-in link.
#[derive(Debug, Deserialize)]
pub struct SignIn {
    #[serde(default)]
    code: String,
}

/// `GET /sign-in?code=…`: makes a session and goes on to where the code leads.
pub async fn sign_in(
    State(app): State<Arc<App>>,
    Query(query): Query<SignIn>,
    request: Request,
) -> Result<Response, ApiError> {
    let code = app.sign_in_codes.redeem(&query.code);
    let next = Redirect::to(code.as_ref().map_or("/", |code| code.next.as_str()));
    if code.is_some_and(|code| !code.used) {
        let session = app.store.create_session(SESSION_LIFETIME)?;
        let cookie = format!(
            "{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict",
            cookie_name(&app),
            session.expose(),
            SESSION_LIFETIME / 1000
        );
        return Ok((AppendHeaders([(SET_COOKIE, cookie)]), next).into_response());
    }
    // The link was opened twice in the same browser.
    if request.headers().contains_key(COOKIE)
        && browser_session(&app, request.method(), request.headers()).is_ok()
    {
        return Ok(next.into_response());
    }
    if browser::asks_for_a_page(request.method(), request.headers()) {
        return Ok(browser::sign_in_needed());
    }
    Err(ApiError::new(
        StatusCode::UNAUTHORIZED,
        "UNAUTHENTICATED",
        "this sign-in link was used or has expired; `cargo xtask workspace open` makes another",
    ))
}
