//! What is sent and what comes back, over any transport.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;
use crate::excerpt::{readable, start_of};
use crate::json;

/// Sees each call before it is sent, as `GET /api/…`; never the credentials.
pub type Observer = Arc<dyn Fn(&str) + Send + Sync>;

/// Carries requests to one service.
pub trait Transport: Send + Sync {
    /// Sends a request and waits for the whole reply.
    ///
    /// # Errors
    /// Any [`Error`]; a status of 400 or more is [`Error::Refused`].
    fn send(&self, request: &Request) -> Result<Response, Error>;

    /// Writes the body of a reply into a file, and says how long it is. `on_bytes` is told how many bytes
    /// have come, and answers whether to go on. The file is whole only where this succeeds.
    ///
    /// A transport that can stream does, and goes on where an earlier attempt ended. Here the body passes
    /// through memory.
    ///
    /// # Errors
    /// Any [`Error`]; [`Error::Stopped`] when the caller said stop.
    fn save(
        &self,
        request: &Request,
        file: &Path,
        on_bytes: &mut dyn FnMut(u64) -> bool,
    ) -> Result<u64, Error> {
        let body = self.send(request)?.body;
        let length = body.len() as u64;
        if !on_bytes(length) {
            return Err(Error::Stopped {
                call: request.call(),
            });
        }
        std::fs::write(file, &body).map_err(|source| Error::File {
            path: file.display().to_string(),
            source,
        })?;
        Ok(length)
    }
}

/// HTTP methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads; may be repeated.
    Get,
    /// Reads headers only; may be repeated.
    Head,
    /// Acts; repeated only by callers that know it to be safe.
    Post,
    /// Replaces; may be repeated.
    Put,
    /// Changes a part.
    Patch,
    /// Removes; may be repeated.
    Delete,
}

impl Method {
    /// The method's name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }

    /// Whether sending it twice ends as sending it once does.
    #[must_use]
    pub fn is_idempotent(self) -> bool {
        !matches!(self, Method::Post | Method::Patch)
    }
}

/// What a request carries.
#[derive(Debug, Clone)]
pub enum Body {
    /// Nothing.
    Empty,
    Json(serde_json::Value),
    /// The bytes of a local file, streamed.
    File(PathBuf),
}

/// Told how many bytes of a file have been sent; answers whether to go on. A call that is repeated begins
/// at 0 again.
#[derive(Clone)]
pub struct Progress(Arc<dyn Fn(u64) -> bool + Send + Sync>);

impl Progress {
    /// Reports each call.
    pub(crate) fn tell(&self, bytes: u64) -> bool {
        (self.0)(bytes)
    }
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Progress")
    }
}

/// One call.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: Method,
    /// Path below the base address, escaped, starting with `/`.
    pub path: String,
    /// Query parameters, not yet escaped.
    pub query: Vec<(String, String)>,
    /// What is sent along.
    pub body: Body,
    /// How long the whole call may take; `None` for uploads, which have no natural limit.
    pub deadline: Option<Duration>,
    /// Whether a repetition does no harm although the method allows none (it carries a token by
    /// which the service recognises it).
    pub repeatable: bool,
    /// Whether it is sent once whatever happens: its caller looks, waits and repeats itself.
    pub once: bool,
    /// Whether it changes nothing.
    pub reads: bool,
    /// Who is told of an upload's progress.
    pub progress: Option<Progress>,
}

impl Request {
    /// A request without a body and with a deadline of 30 seconds.
    #[must_use]
    pub fn new(method: Method, path: impl Into<String>) -> Request {
        Request {
            method,
            path: path.into(),
            query: Vec::new(),
            body: Body::Empty,
            deadline: Some(Duration::from_secs(30)),
            repeatable: method.is_idempotent(),
            once: false,
            reads: matches!(method, Method::Get | Method::Head),
            progress: None,
        }
    }

    /// Adds a query parameter.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl ToString) -> Request {
        self.query.push((name.to_owned(), value.to_string()));
        self
    }

    /// Sends JSON along.
    ///
    /// # Panics
    /// Never for this crate's own types, which all serialise.
    #[must_use]
    pub fn json(mut self, body: &impl Serialize) -> Request {
        self.body = Body::Json(serde_json::to_value(body).unwrap_or_default());
        self
    }

    /// Streams a local file along, without a deadline.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Request {
        self.body = Body::File(path.into());
        self.deadline = None;
        self
    }

    /// Tells `progress` how many bytes of the file have been sent; it answers whether to go on.
    #[must_use]
    pub fn progress(mut self, progress: impl Fn(u64) -> bool + Send + Sync + 'static) -> Request {
        self.progress = Some(Progress(Arc::new(progress)));
        self
    }

    /// Sets how long the call may take.
    #[must_use]
    pub fn within(mut self, deadline: Duration) -> Request {
        self.deadline = Some(deadline);
        self
    }

    /// Declares that the service recognises a repetition.
    #[must_use]
    pub fn repeatable(mut self) -> Request {
        self.repeatable = true;
        self
    }

    /// Declares that it only searches, although its method is one that acts.
    #[must_use]
    pub fn reads(mut self) -> Request {
        self.reads = true;
        self.repeatable()
    }

    /// Forbids any repetition.
    #[must_use]
    pub fn once(mut self) -> Request {
        self.once = true;
        self
    }

    /// Method, path and query, for people.
    #[must_use]
    pub fn call(&self) -> String {
        let mut call = format!("{} {}", self.method.as_str(), self.path);
        for (index, (name, value)) in self.query.iter().enumerate() {
            call.push(if index == 0 { '?' } else { '&' });
            call.push_str(&format!("{name}={value}"));
        }
        call
    }
}

/// The headers of a reply: names in lower case, with their values.
#[derive(Debug, Clone, Default)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// The value of a header; `name` in lower case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

impl FromIterator<(String, String)> for Headers {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Headers {
        Headers(pairs.into_iter().collect())
    }
}

/// A reply of a status below 400.
#[derive(Debug, Clone)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    pub headers: Headers,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Response {
    /// The value of a header; `name` in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    /// One field of the JSON object that the body is; null where it is missing.
    pub(crate) fn field<T: DeserializeOwned>(
        &self,
        request: &Request,
        name: &str,
    ) -> Result<T, Error> {
        let mut fields: serde_json::Map<String, serde_json::Value> = self.json(request)?;
        let field = fields.remove(name).unwrap_or_default();
        serde_json::from_value(field).map_err(|error| Error::Unexpected {
            call: request.call(),
            reason: format!("{name}: {error}; it starts with: {}", start_of(&self.body)),
        })
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// [`Error::Unexpected`] with the start of the body when it is something else.
    pub fn json<T: DeserializeOwned>(&self, request: &Request) -> Result<T, Error> {
        json::from_slice(&self.body).map_err(|error| Error::Unexpected {
            call: request.call(),
            reason: match self.body.first() {
                Some(b'<') => readable(&self.body),
                _ => format!("{error}; it starts with: {}", start_of(&self.body)),
            },
        })
    }
}

/// Sends a request and reads one field of the object in its reply.
pub(crate) fn field<T: DeserializeOwned>(
    transport: &dyn Transport,
    request: &Request,
    name: &str,
) -> Result<T, Error> {
    transport.send(request)?.field(request, name)
}

/// The same of a list, which is empty where the reply has no such field.
pub(crate) fn list<T: DeserializeOwned>(
    transport: &dyn Transport,
    request: &Request,
    name: &str,
) -> Result<Vec<T>, Error> {
    Ok(field::<Option<Vec<T>>>(transport, request, name)?.unwrap_or_default())
}

/// Reads a list of Databricks' to its end. An empty page may still be followed by another: only the token says when it
/// ends.
pub(crate) fn pages<T: DeserializeOwned>(
    transport: &dyn Transport,
    first: &Request,
    name: &str,
) -> Result<Vec<T>, Error> {
    let (mut all, mut request) = (Vec::new(), first.clone());
    loop {
        let page = transport.send(&request)?;
        let items: Option<Vec<T>> = page.field(&request, name)?;
        all.extend(items.into_iter().flatten());
        let token: Option<String> = page.field(&request, "next_page_token")?;
        let token = token.filter(|token| !token.is_empty());
        match token.map(|token| first.clone().query("page_token", token)) {
            Some(next) if next.query != request.query => request = next,
            _ => return Ok(all),
        }
    }
}

/// Sends a request and reads the JSON of its reply.
pub(crate) fn call<T: DeserializeOwned>(
    transport: &dyn Transport,
    request: &Request,
) -> Result<T, Error> {
    transport.send(request)?.json(request)
}
