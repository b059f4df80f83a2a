//! Whose request it is.

use axum::extract::Request;
use axum::http::header::AUTHORIZATION;
use axum::http::{Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use xtask_local_server::sign_in::sessions;

use crate::forge::Forge;
use crate::refusal::Refusal;
use crate::world::{Id, Token, World};

/// Who asks. In the extensions of every request that was admitted.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    /// Whoever runs the forge: the control routes.
    Operator,
    /// Somebody with a token.
    User(Token),
    /// A browser that signed in as somebody; it reads.
    Browser(Id),
    /// Nobody: the address carries a ticket of its own.
    Ticket,
}

impl Caller {
    /// Whose account it is.
    pub(crate) fn user(&self) -> Option<Id> {
        match self {
            Caller::User(token) => Some(token.user),
            Caller::Browser(user) => Some(*user),
            Caller::Operator | Caller::Ticket => None,
        }
    }

    /// The name of the account.
    pub(crate) fn login(&self, world: &World) -> Option<String> {
        self.user().map(|user| world.login(user).to_owned())
    }
}

/// Who asks; the routes below each part of the address take different callers.
pub(crate) fn asks(forge: &Forge, request: &Request) -> Result<Caller, Refusal> {
    let path = request.uri().path();
    let authorization = request
        .headers()
        .get(AUTHORIZATION)
        .map(|value| value.to_str().unwrap_or_default());
    let is_ticket =
        matches!(path, "/sign-in" | "/_assets/forge.css") || path.starts_with("/_logs/");
    if is_ticket && matches!(request.method(), &Method::GET | &Method::HEAD) {
        // As the store of GitHub's logs does: a link that was signed, and a token on top, is too much.
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
                    "the forge's own controls need the forge's own token",
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

/// The token in `Bearer T`, `token T`, or as the password (or name) of `Basic`.
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
            "a browser's session reads; changes need a token",
        ));
    }
    Ok(Caller::Browser(session.user))
}

/// Browsers share cookies between the ports of a host, so the name carries ours.
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
