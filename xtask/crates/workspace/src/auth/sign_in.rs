//! How a browser gets a session: a one-time code in a link.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::response::{AppendHeaders, IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::{browser, browser_session, cookie_name};
use crate::error::ApiError;
use crate::secret::{NoRandomness, Secret, fingerprint};
use crate::state::{App, lock, now_ms};

/// How long a code can be used, ms.
const CODE_LIFETIME: i64 = 10 * 60 * 1000;
/// How long a browser stays signed in, ms.
const SESSION_LIFETIME: i64 = 30 * 24 * 60 * 60 * 1000;

/// Codes that were handed out, by their SHA-256. What a code leads to is kept here and not in its link, which
/// stays short enough for one line of a terminal.
#[derive(Debug, Default)]
pub struct SignInCodes(Mutex<HashMap<String, Code>>);

#[derive(Debug, Clone)]
struct Code {
    ends: i64,
    next: String,
    used: bool,
}

impl SignInCodes {
    /// Makes a code for one use within ten minutes, which leads to `next`.
    pub fn issue(&self, next: &str) -> Result<Secret, NoRandomness> {
        let code = Secret::generate_short()?;
        let now = now_ms();
        let mut codes = lock(&self.0);
        codes.retain(|_, code| code.ends > now);
        let kept = Code {
            ends: now + CODE_LIFETIME,
            next: local_path(next).to_owned(),
            used: false,
        };
        codes.insert(code.fingerprint(), kept);
        Ok(code)
    }

    /// Uses a code up. Answers what it was before; `None` if there is none such.
    fn redeem(&self, code: &str) -> Option<Code> {
        let mut codes = lock(&self.0);
        let kept = codes.get_mut(&fingerprint(code))?;
        let before = kept.clone();
        kept.used = true;
        (before.ends > now_ms()).then_some(before)
    }
}

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

/// `path` if it stays on this server, else the start page.
pub(crate) fn local_path(path: &str) -> &str {
    let leaves = path.starts_with("//") || path.contains(|c: char| c == '\\' || c.is_control());
    if path.starts_with('/') && !leaves {
        path
    } else {
        "/"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_works_once() {
        let codes = SignInCodes::default();
        let code = codes.issue("/jobs/1").unwrap();
        let first = codes.redeem(code.expose()).unwrap();
        assert_eq!((first.used, first.next.as_str()), (false, "/jobs/1"));
        assert!(codes.redeem(code.expose()).unwrap().used);
        assert!(codes.redeem("").is_none());
    }

    #[test]
    fn a_link_never_leads_to_another_server() {
        for foreign in [
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "",
            "x",
            "/\t/evil.example",
        ] {
            assert_eq!(local_path(foreign), "/", "{foreign}");
        }
        assert_eq!(local_path("/jobs/1/runs/2?o=3"), "/jobs/1/runs/2?o=3");
    }
}
