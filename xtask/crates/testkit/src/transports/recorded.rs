//! A transport that notes what goes through it.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use xtask_remote::{Body, Error, Method, Request, Response, Transport};

/// A call, and how it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// `GET`, `POST`, ….
    pub method: &'static str,
    /// The path, as it was sent.
    pub path: String,
    /// The query, unescaped.
    pub query: Vec<(String, String)>,
    /// The JSON that was sent along; of a file, `{"file": <bytes>}`; otherwise null.
    pub body: Value,
    /// The status; `None` when no reply came.
    pub status: Option<u16>,
}

impl Call {
    /// Whether it was to change something.
    #[must_use]
    pub fn writes(&self) -> bool {
        !matches!(self.method, "GET" | "HEAD")
    }
}

/// Notes each call on its way to another transport.
pub struct Recorded<'a> {
    inner: &'a dyn Transport,
    calls: Mutex<Vec<Call>>,
}

impl<'a> Recorded<'a> {
    /// Notes what goes to `inner`.
    #[must_use]
    pub fn new(inner: &'a dyn Transport) -> Recorded<'a> {
        Recorded {
            inner,
            calls: Mutex::default(),
        }
    }

    /// The calls so far, in the order in which they ended.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.clone()
    }

    /// Those that were to change something.
    #[must_use]
    pub fn writes(&self) -> Vec<Call> {
        self.calls().into_iter().filter(Call::writes).collect()
    }
}

impl Transport for Recorded<'_> {
    fn send(&self, request: &Request) -> Result<Response, Error> {
        let reply = self.inner.send(request);
        let status = match &reply {
            Ok(response) => Some(response.status),
            Err(error) => error.status(),
        };
        let call = Call {
            method: Method::as_str(request.method),
            path: request.path.clone(),
            query: request.query.clone(),
            body: body_of(request),
            status,
        };
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.push(call);
        reply
    }
}

fn body_of(request: &Request) -> Value {
    match &request.body {
        Body::Json(value) => value.clone(),
        Body::File(path) => {
            let length = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
            serde_json::json!({ "file": length })
        }
        Body::Empty => Value::Null,
    }
}
