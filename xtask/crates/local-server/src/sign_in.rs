//! How a browser signs in: a one-time link, then a session cookie.

use std::collections::HashMap;
use std::sync::Mutex;

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

use crate::lock;
use crate::secret::{NoRandomness, Secret, fingerprint};

/// How long a sign-in link works, ms.
pub const LINK_LIFETIME: i64 = 10 * 60 * 1000;
/// How long a browser stays signed in, ms.
pub const SESSION_LIFETIME: i64 = 30 * 24 * 60 * 60 * 1000;

/// Codes in links, by their SHA-256, and what each leads to. That is kept here and not in the link, which then fits into
/// one line of a terminal.
#[derive(Debug)]
pub struct Tickets<T>(Mutex<HashMap<String, Ticket<T>>>);

/// What a code was when it was presented.
#[derive(Debug, Clone)]
pub struct Ticket<T> {
    ends: i64,
    /// What it leads to.
    pub to: T,
    /// Whether it was presented before.
    pub used: bool,
}

impl<T> Default for Tickets<T> {
    fn default() -> Self {
        Tickets(Mutex::default())
    }
}

impl<T: Clone> Tickets<T> {
    /// Makes a code that works for `lifetime` ms. It is short because it lives so.
    pub fn issue(&self, to: T, now: i64, lifetime: i64) -> Result<Secret, NoRandomness> {
        let code = Secret::generate::<16>("")?;
        let mut tickets = lock(&self.0);
        tickets.retain(|_, ticket| ticket.ends > now);
        let ticket = Ticket {
            ends: now + lifetime,
            to,
            used: false,
        };
        tickets.insert(code.fingerprint(), ticket);
        Ok(code)
    }

    /// Marks a code as used. `None` if it is unknown or expired.
    pub fn redeem(&self, code: &str, now: i64) -> Option<Ticket<T>> {
        let mut tickets = lock(&self.0);
        let ticket = tickets.get_mut(&fingerprint(code))?;
        let before = ticket.clone();
        ticket.used = true;
        (before.ends > now).then_some(before)
    }
}

/// `path` if it stays on this server, else the start page.
pub fn local_path(path: &str) -> &str {
    let leaves = path.starts_with("//") || path.contains(|c: char| c == '\\' || c.is_control());
    if path.starts_with('/') && !leaves {
        path
    } else {
        "/"
    }
}

/// The `Set-Cookie` value of a new session.
pub fn session_cookie(name: &str, session: &Secret) -> String {
    format!(
        "{name}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict",
        session.expose(),
        SESSION_LIFETIME / 1000
    )
}

/// SHA-256 of each cookie with this name. There may be several: browsers share cookies between the ports of a host, so
/// another server can add one of our name.
pub fn sessions(headers: &HeaderMap, name: &str) -> Vec<String> {
    let values = headers.get_all(COOKIE).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| fingerprint(value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_works_once_and_for_its_lifetime() {
        let tickets = Tickets::default();
        let code = tickets.issue("/jobs/1", 1000, 50).expect("randomness");
        let first = tickets.redeem(code.expose(), 1049).expect("known");
        assert_eq!((first.used, first.to), (false, "/jobs/1"));
        assert!(tickets.redeem(code.expose(), 1049).expect("known").used);
        assert!(tickets.redeem(code.expose(), 1050).is_none());
        assert!(tickets.redeem("", 1000).is_none());
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
