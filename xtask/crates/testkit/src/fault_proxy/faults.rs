//! What can go wrong with a request.

use std::time::Duration;

use super::gate::Gate;
use super::victim::Victim;

/// Something that goes wrong with one request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// A process is killed (SIGKILL) and is dead before anything else happens.
    Kill(Victim, When),
    /// The connection breaks.
    Drop(Cut),
    /// The client gets this answer instead of the server's.
    Answer(Answer, When),
    /// The request, or its reply, waits until a test lets it go on.
    Hold(Gate, When),
    /// The request, or its reply, is late.
    Delay(Duration, When),
}

/// On which side of the server's work something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The server never hears of the request, or has not yet heard of it.
    Before,
    /// The server has done what was asked for; the client does not know.
    After,
}

/// Where a connection breaks. All but [`Cut::Short`] are resets, as of a machine that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Before the server hears of the request.
    Before,
    /// After half of the request's body was passed on; the server sees the connection break too. A
    /// body whose length is not announced breaks off within its first block.
    MidUpload,
    /// After the server has answered, before the client hears of it.
    After,
    /// Within the headers of the reply.
    MidHeaders,
    /// After half of the reply's body; of one whose length is not announced, within its first block. Of a
    /// long body less may arrive: the reset overtakes what the client has not read yet.
    MidBody,
    /// As [`Cut::MidBody`], but the connection is closed politely.
    Short,
}

/// An answer that the proxy gives itself.
#[derive(Debug, Clone)]
pub struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// A status without a body.
    #[must_use]
    pub fn status(status: u16) -> Answer {
        Answer {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// A status with an error as Databricks words it.
    #[must_use]
    pub fn error(status: u16, code: &str, message: &str) -> Answer {
        let body = serde_json::json!({"error_code": code, "message": message});
        Answer::status(status)
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    /// Too many requests; with the header `retry-after` where a value is given.
    #[must_use]
    pub fn too_many(retry_after: Option<&str>) -> Answer {
        let answer = Answer::error(429, "REQUEST_LIMIT_EXCEEDED", "too many requests");
        match retry_after {
            Some(value) => answer.header("retry-after", value),
            None => answer,
        }
    }

    /// The sign-in page of some gateway, with a status of 200.
    #[must_use]
    pub fn page() -> Answer {
        Answer::status(200)
            .header("content-type", "text/html; charset=utf-8")
            .body("<!doctype html><html><head><title>Sign in</title></head><body></body></html>")
    }

    /// A status of 200 with JSON that ends too early.
    #[must_use]
    pub fn half_of_some_json() -> Answer {
        Answer::status(200)
            .header("content-type", "application/json")
            .body(r#"{"model_versions": [{"name": "a.b.c", "ver"#)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Answer {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Answer {
        self.body = body.into();
        self
    }

    /// The answer on the wire; to HEAD without its body.
    pub(super) fn bytes(&self, to_head: bool) -> Vec<u8> {
        let mut bytes = format!("HTTP/1.1 {} Answer\r\n", self.status).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend(format!("{name}: {value}\r\n").bytes());
        }
        bytes.extend(format!("content-length: {}\r\n\r\n", self.body.len()).bytes());
        if !to_head {
            bytes.extend(&self.body);
        }
        bytes
    }
}
