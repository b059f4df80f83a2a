//! A transport that breaks some of the calls that go through it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use xtask_remote::{Error, Headers, Request, Response, Transport, refused};

/// What happens to a call.
#[derive(Debug, Clone)]
pub enum Mishap {
    /// It does not arrive: the connection breaks before it is sent.
    NotSent,
    /// It arrives and takes effect, but its reply is lost.
    ReplyLost,
    /// It is refused, with this status, code and message, before it takes effect; `retry_after` is the header of that
    /// name.
    Refused {
        status: u16,
        /// The service's code.
        code: &'static str,
        /// What it says.
        message: &'static str,
        /// The header `retry-after`.
        retry_after: Option<&'static str>,
    },
    /// It arrives and takes effect, but something on the way answers with a web page of status 200.
    Page,
}

impl Mishap {
    /// 429, with this `retry-after`.
    #[must_use]
    pub fn limited(retry_after: Option<&'static str>) -> Mishap {
        Mishap::Refused {
            status: 429,
            code: "REQUEST_LIMIT_EXCEEDED",
            message: "Too many requests. Please try again later.",
            retry_after,
        }
    }

    /// 401: the token has run out.
    #[must_use]
    pub fn expired() -> Mishap {
        Mishap::Refused {
            status: 401,
            code: "UNAUTHENTICATED",
            message: "The access token has expired.",
            retry_after: None,
        }
    }

    /// 503, before the call takes effect.
    #[must_use]
    pub fn unavailable() -> Mishap {
        Mishap::Refused {
            status: 503,
            code: "TEMPORARILY_UNAVAILABLE",
            message: "The service is temporarily unavailable.",
            retry_after: None,
        }
    }
}

/// Breaks calls on their way to another transport, by their number, from 1. A repetition counts as a call.
pub struct Mishaps<'a> {
    inner: &'a dyn Transport,
    mishaps: BTreeMap<usize, Mishap>,
    calls: AtomicUsize,
}

impl<'a> Mishaps<'a> {
    /// Breaks these calls.
    #[must_use]
    pub fn new(
        inner: &'a dyn Transport,
        mishaps: impl IntoIterator<Item = (usize, Mishap)>,
    ) -> Mishaps<'a> {
        Mishaps {
            inner,
            mishaps: mishaps.into_iter().collect(),
            calls: AtomicUsize::new(0),
        }
    }

    /// How many calls were made.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

impl Transport for Mishaps<'_> {
    fn send(&self, request: &Request) -> Result<Response, Error> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        match self.mishaps.get(&number) {
            None => self.inner.send(request),
            Some(Mishap::NotSent) => Err(broken("connection refused")),
            Some(Mishap::ReplyLost) => {
                let _ = self.inner.send(request);
                Err(broken("connection reset by peer"))
            }
            Some(Mishap::Page) => {
                self.inner.send(request)?;
                Ok(Response {
                    status: 200,
                    headers: Headers::default(),
                    body: b"<!doctype html><title>Sign in</title>".to_vec(),
                })
            }
            Some(Mishap::Refused {
                status,
                code,
                message,
                retry_after,
            }) => {
                let after = retry_after.map(|wait| ("retry-after".to_owned(), wait.to_owned()));
                let body = json!({"error_code": code, "message": message}).to_string();
                let headers: Headers = after.into_iter().collect();
                Err(refused(request, *status, &headers, body.as_bytes()))
            }
        }
    }
}

fn broken(reason: &str) -> Error {
    Error::Unreachable {
        service: "the workspace".to_owned(),
        reason: reason.to_owned(),
    }
}
