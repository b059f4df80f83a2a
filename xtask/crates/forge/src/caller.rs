//! The identity behind a request.

use axum::extract::Request;
use axum::http::header::AUTHORIZATION;
use axum::http::{Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use xtask_local_server::sign_in::sessions;

use crate::forge::Forge;
use crate::refusal::Refusal;
use crate::world::{Id, Token, World};

/// An extension of every admitted request.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    /// The owner of the forge, for the control routes.
    Operator,
    User(Token),
    /// A browser session; read-only.
    Browser(Id),
    /// The address contains a one-time code instead.
    Ticket,
}

impl Caller {
    pub(crate) fn user(&self) -> Option<Id> {
        match self {
            Caller::User(token) => Some(token.user),
            Caller::Browser(user) => Some(*user),
            Caller::Operator | Caller::Ticket => None,
        }
    }

    pub(crate) fn login(&self, world: &World) -> Option<String> {
        self.user().map(|user| world.login(user).to_owned())
    }
}

/// Control routes, APIs and pages accept different credentials.
pub(crate) fn asks(forge: &Forge, request: &Request) -> Result<Caller, Refusal> {
    let path = request.uri().path();
    let authorization = request
        .headers()
        .get(AUTHORIZATION)
        .map(|value| value.to_str().unwrap_or_default());
    let is_ticket =
        matches!(path, "/sign-in" | "/_assets/forge.css") || path.starts_with("/_logs/");
    if is_ticket && matches!(request.method(), &Method::GET | &Method::HEAD) {
        // Like GitHub's log storage: a signed link must not be combined with a token.
        return match authorization {
            Some(_) if path.starts_with("/_logs/") => Err(Refusal::forbidden(
                "AuthenticationFailed: Server failed to authenticate the request.",
            )),
            _ => Ok(Caller::Ticket),
        };
    }
    let is_control = path.starts_with("/_forge/");
    match authorization {
        Some(value) => {
            let token = token_in(value).ok_or_else(bad_credentials)?;
            match is_control {
                true if forge.token.matches(&token) => Ok(Caller::Operator),
                true => Err(Refusal::forbidden(
                    "the forge's controls need the owner's token",
                )),
                false => user(forge, &token),
            }
        }
        None if is_control => Err(bad_credentials()),
        None => browser(forge, request),
    }
}

fn user(forge: &Forge, token: &str) -> Result<Caller, Refusal> {
    let world = forge.world();
    world
        .token(token)
        .cloned()
        .map(Caller::User)
        .ok_or_else(bad_credentials)
}

/// `Bearer T`, `token T`, or the password (or name) of `Basic`.
fn token_in(authorization: &str) -> Option<String> {
    let (scheme, value) = authorization.split_once(' ')?;
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" | "token" => Some(value.trim().to_owned()),
        "basic" => {
            let decoded = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
            let (name, password) = decoded.split_once(':')?;
            let token = if password.is_empty() || password == "x-oauth-basic" {
                name
            } else {
                password
            };
            Some(token.to_owned())
        }
        _ => None,
    }
}

fn browser(forge: &Forge, request: &Request) -> Result<Caller, Refusal> {
    let sessions = sessions(request.headers(), &cookie_name(forge));
    let world = forge.world();
    let now = world.now();
    let session = world
        .sessions
        .find(|known| known.ends > now && sessions.contains(&known.fingerprint));
    let session =
        session.ok_or_else(|| Refusal::new(StatusCode::UNAUTHORIZED, "Requires authentication"))?;
    let reads = matches!(request.method(), &Method::GET | &Method::HEAD);
    if !reads {
        return Err(Refusal::forbidden(
            "a browser session is read-only; changes need a token",
        ));
    }
    Ok(Caller::Browser(session.user))
}

/// Browsers share cookies between the ports of a host, so the name contains ours.
pub(crate) fn cookie_name(forge: &Forge) -> String {
    format!("xtask_forge_{}", forge.port)
}

fn bad_credentials() -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, "Bad credentials")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_in_several_forms() {
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        for form in [
            "Bearer t",
            "token t",
            &basic("x-access-token:t"),
            &basic("t:"),
            &basic("t:x-oauth-basic"),
            &basic("ada:t"),
        ] {
            assert_eq!(token_in(form).as_deref(), Some("t"), "{form}");
        }
        assert_eq!(token_in("Digest t"), None);
    }
}
