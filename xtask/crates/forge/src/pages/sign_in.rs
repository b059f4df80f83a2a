//! How a browser gets a session: a link that works once.

use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use serde_json::json;

use crate::call::{Answer, Call, Reply};
use crate::caller::{Caller, cookie_name};
use crate::forge::{Destination, Ticket};
use crate::lock::lock;
use crate::refusal::Refusal;
use crate::secret::{Secret, fingerprint};
use crate::world::Session;

/// How long a link works, seconds.
const LINK: i64 = 10 * 60;
/// How long a browser stays signed in, seconds.
const SESSION: i64 = 30 * 24 * 60 * 60;

/// `POST /_forge/v1/users/{login}/sign-in`: a link for somebody's browser, which leads to a page.
pub(crate) fn link(call: &Call) -> Answer {
    if !matches!(call.caller, Caller::Operator) {
        return Err(Refusal::not_found());
    }
    let user = call
        .world
        .user_named(call.param("login"))
        .ok_or_else(Refusal::not_found)?
        .id;
    let next = local_path(call.fields().text("next")?.unwrap_or("/")).to_owned();
    let code = Secret::generate("").map_err(|error| Refusal::internal(&error))?;
    let now = call.world.now();
    let mut tickets = lock(&call.forge.tickets);
    tickets.retain(|_, ticket| ticket.ends > now);
    tickets.insert(
        fingerprint(code.expose()),
        Ticket {
            ends: now.plus(LINK),
            to: Destination::Session(user, next),
        },
    );
    Ok(Reply::created(
        json!({"url": format!("{}/sign-in?code={}", call.forge.url, code.expose())}),
    ))
}

/// `GET /sign-in?code=...`: makes a session, and goes on to where the link leads.
pub(crate) fn sign_in(call: &Call) -> Answer {
    let code = fingerprint(call.query("code").unwrap_or_default());
    let now = call.world.now();
    let ticket = lock(&call.forge.tickets).remove(&code);
    let Some(Ticket {
        to: Destination::Session(user, next),
        ..
    }) = ticket.filter(|ticket| ticket.ends > now)
    else {
        return Err(Refusal::new(
            StatusCode::UNAUTHORIZED,
            "this sign-in link was used or has expired",
        ));
    };
    let session = Secret::generate("").map_err(|error| Refusal::internal(&error))?;
    call.forge.change(|world| {
        world.sessions.retain(|session| session.ends > now);
        let id = world.next_id();
        world.sessions.put(
            id,
            Session {
                user,
                fingerprint: fingerprint(session.expose()),
                ends: now.plus(SESSION),
            },
        );
        Ok(())
    })?;
    let cookie = format!(
        "{}={}; Path=/; Max-Age={SESSION}; HttpOnly; SameSite=Strict",
        cookie_name(&call.forge),
        session.expose()
    );
    Ok(Reply::redirect(next).with_header(SET_COOKIE, cookie))
}

/// `path` if it stays on this server, else the start page.
fn local_path(path: &str) -> &str {
    let leaves = path.starts_with("//") || path.contains(|c: char| c == '\\' || c.is_control());
    if path.starts_with('/') && !leaves {
        path
    } else {
        "/"
    }
}

#[cfg(test)]
mod tests {
    use super::local_path;

    #[test]
    fn a_link_never_leads_to_another_server() {
        for foreign in [
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "",
            "/\t/evil.example",
        ] {
            assert_eq!(local_path(foreign), "/", "{foreign}");
        }
        assert_eq!(local_path("/ada/taxi/pull/1"), "/ada/taxi/pull/1");
    }
}
