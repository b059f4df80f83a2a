//! Sign-in of browsers with a one-time link.

use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use serde_json::json;
use xtask_local_server::secret::Secret;
use xtask_local_server::sign_in::{LINK_LIFETIME, SESSION_LIFETIME, local_path, session_cookie};

use crate::call::{Answer, Call, Reply};
use crate::caller::{Caller, cookie_name};
use crate::refusal::{Found as _, Refusal};
use crate::world::Session;

/// `POST /_forge/v1/users/{login}/sign-in`: a link that signs a browser in as this user, and leads to a page.
pub(crate) fn link(call: &Call) -> Answer {
    if !matches!(call.caller, Caller::Operator) {
        return Err(Refusal::not_found());
    }
    let user = call.world.user_named(call.param("login")).found()?.id;
    let next = local_path(call.fields().text("next")?.unwrap_or("/")).to_owned();
    let code = call
        .forge
        .sign_in_links
        .issue((user, next), call.world.now().0, LINK_LIFETIME)
        .map_err(|error| Refusal::internal(&error))?;
    Ok(Reply::created(
        json!({"url": format!("{}/sign-in?code={}", call.forge.url, code.expose())}),
    ))
}

/// `GET /sign-in?code=...`: makes a session, and redirects to the page that the link was made for.
pub(crate) fn sign_in(call: &Call) -> Answer {
    let code = call.query("code").unwrap_or_default();
    let now = call.world.now();
    let ticket = call.forge.sign_in_links.redeem(code, now.0);
    let Some(ticket) = ticket.filter(|ticket| !ticket.used) else {
        return Err(Refusal::new(
            StatusCode::UNAUTHORIZED,
            "this sign-in link was used or has expired",
        ));
    };
    let (user, next) = ticket.to;
    let secret = Secret::generate::<32>("").map_err(|error| Refusal::internal(&error))?;
    call.forge.change(|world| {
        world.sessions.retain(|session| session.ends > now);
        let id = world.next_id();
        let session = Session {
            user,
            fingerprint: secret.fingerprint(),
            ends: now.plus(SESSION_LIFETIME / 1000),
        };
        world.sessions.put(id, session);
        Ok(())
    })?;
    let cookie = session_cookie(&cookie_name(&call.forge), &secret);
    Ok(Reply::redirect(next).with_header(SET_COOKIE, cookie))
}
