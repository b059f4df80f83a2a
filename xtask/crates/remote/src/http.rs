//! HTTP with a token: the transport of the local workspace and of GitHub.

mod file;
mod redirected;
mod upload;

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::blocking::{Client, RequestBuilder};
use reqwest::redirect::Policy;
use secrecy::{ExposeSecret as _, SecretString};

use crate::Error;
use crate::excerpt::start_of;
use crate::patience::{self, Attempt, Patience, Pause};
use crate::refusal::refused;
use crate::transport::{Body, Headers, Method, Observer, Request, Response, Transport};
use upload::Upload;

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// How long to wait for the next bytes of a reply that may take as long as it takes.
const STALL: Duration = Duration::from_secs(60);
/// The largest reply that is kept in memory, bytes: logs of jobs have tens of megabytes.
const LARGEST: u64 = 256 << 20;
/// What a service is shown to let us in.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// Nothing.
    None,
    /// `Authorization: Bearer …`.
    Bearer(SecretString),
}

impl Credentials {
    /// A bearer token.
    #[must_use]
    pub fn bearer(token: impl Into<String>) -> Credentials {
        Credentials::Bearer(SecretString::from(token.into()))
    }
}

/// One service at one base address.
#[derive(Clone)]
pub struct Http {
    base: String,
    credentials: Credentials,
    client: Client,
    headers: Vec<(&'static str, String)>,
    observer: Option<Observer>,
    pause: Pause,
    patience: Option<Patience>,
    pub(crate) hurry: Option<Duration>,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

impl Http {
    /// A client for the service at `base` (scheme and host, no path). A loopback address is reached
    /// directly whatever proxy the environment names; all others through it.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when the system's certificates cannot be loaded.
    pub fn new(base: &str, credentials: Credentials) -> Result<Http, Error> {
        // A second call finds the provider installed, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let base = base.trim_end_matches('/').to_owned();
        let client = client(&base, Policy::default())?;
        Ok(Http {
            base,
            credentials,
            client,
            headers: Vec::new(),
            observer: None,
            pause: Arc::new(|wait, _| {
                std::thread::sleep(wait);
                true
            }),
            patience: None,
            hurry: None,
        })
    }

    /// Shows each call to `observer` before it is sent.
    #[must_use]
    pub fn observed(mut self, observer: Observer) -> Http {
        self.observer = Some(observer);
        self
    }

    /// Sends a header with every call.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Http {
        self.headers.push((name, value.into()));
        self
    }

    /// Has `pause` wait before a call is repeated, instead of sleeping.
    #[must_use]
    pub fn pausing(mut self, pause: Pause) -> Http {
        self.pause = pause;
        self
    }

    /// Has its calls wait no longer, in all, than this allows, and as long as it does; without it each call
    /// has [`PATIENCE`](crate::PATIENCE) and a few attempts.
    #[must_use]
    pub fn patient(mut self, patience: Patience) -> Http {
        self.patience = Some(patience);
        self
    }

    /// Attempts a call as often as it makes sense.
    pub(crate) fn repeated<T>(
        &self,
        request: &Request,
        attempt: &mut dyn FnMut() -> Attempt<T>,
    ) -> Result<T, Error> {
        patience::repeated(self.patience.as_ref(), &self.pause, request, attempt)
    }

    /// Has every call end within `limit`, and repeats none: for who would rather go without.
    #[must_use]
    pub fn hurried(mut self, limit: Duration) -> Http {
        self.hurry = Some(limit);
        self
    }

    /// The address of the service.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn observe(&self, request: &Request) {
        if let Some(observer) = &self.observer {
            observer(&request.call());
        }
    }

    fn once(&self, request: &Request) -> Result<Response, Error> {
        let reply = self
            .build(request)?
            .send()
            .map_err(|error| self.failed(request, &error))?;
        let (status, headers) = (reply.status().as_u16(), headers(&reply));
        let body = self.whole(request, reply)?;
        if status >= 400 {
            return Err(self.refused(request, status, &headers, &body));
        }
        if ends_early(&headers, &body) {
            return Err(Error::Truncated {
                call: request.call(),
                start: start_of(&body),
            });
        }
        Ok(Response {
            status,
            headers,
            body,
        })
    }

    /// The body of a reply that is kept in memory.
    ///
    /// # Errors
    /// [`Error::Unexpected`] where it is larger than any that we ask for.
    pub(crate) fn whole(
        &self,
        request: &Request,
        reply: reqwest::blocking::Response,
    ) -> Result<Vec<u8>, Error> {
        let too_large = || Error::Unexpected {
            call: request.call(),
            reason: format!("the reply is larger than {} MB", LARGEST >> 20),
        };
        if reply
            .content_length()
            .is_some_and(|length| length > LARGEST)
        {
            return Err(too_large());
        }
        let mut body = Vec::new();
        reply
            .take(LARGEST + 1)
            .read_to_end(&mut body)
            .map_err(|error| {
                let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
                match inner {
                    Some(error) => self.failed(request, error),
                    None => Error::Unreachable {
                        service: self.base.clone(),
                        reason: error.to_string(),
                    },
                }
            })?;
        match body.len() as u64 > LARGEST {
            true => Err(too_large()),
            false => Ok(body),
        }
    }

    /// The error of a refusal by this service.
    pub(crate) fn refused(
        &self,
        request: &Request,
        status: u16,
        headers: &Headers,
        body: &[u8],
    ) -> Error {
        match refused(request, status, headers, body) {
            Error::SignedOut {
                call,
                status,
                message,
                ..
            } => Error::SignedOut {
                service: self.base.clone(),
                call,
                status,
                message,
            },
            other => other,
        }
    }

    pub(crate) fn build(&self, request: &Request) -> Result<RequestBuilder, Error> {
        self.build_with(&self.client, request)
    }

    pub(crate) fn build_with(
        &self,
        client: &Client,
        request: &Request,
    ) -> Result<RequestBuilder, Error> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Head => reqwest::Method::HEAD,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut builder = client.request(method, format!("{}{}", self.base, request.path));
        builder = match (request.deadline, &request.body) {
            (Some(deadline), _) => builder.timeout(deadline),
            // The client's own limit, which would count the whole of an upload.
            (None, Body::File(_)) => builder.timeout(Duration::from_secs(24 * 3600)),
            (None, _) => builder,
        };
        if !request.query.is_empty() {
            builder = builder.query(&request.query);
        }
        for (name, value) in &self.headers {
            builder = builder.header(*name, value);
        }
        if let Credentials::Bearer(token) = &self.credentials {
            builder = builder.bearer_auth(token.expose_secret());
        }
        Ok(match &request.body {
            Body::Empty => builder,
            Body::Json(value) => builder.json(value),
            Body::File(path) => {
                let file = File::open(path).map_err(|source| Error::File {
                    path: path.display().to_string(),
                    source,
                })?;
                let length = file.metadata().map_err(|source| Error::File {
                    path: path.display().to_string(),
                    source,
                })?;
                let upload = Upload::new(file, request.progress.clone());
                builder
                    .header("content-type", "application/octet-stream")
                    .body(reqwest::blocking::Body::sized(upload, length.len()))
            }
        })
    }

    pub(crate) fn failed(&self, request: &Request, error: &reqwest::Error) -> Error {
        match request.deadline {
            Some(deadline) if error.is_timeout() => Error::Timeout {
                service: self.base.clone(),
                deadline,
            },
            _ if upload::was_stopped(error) => Error::Stopped {
                call: request.call(),
            },
            _ => unreachable(&self.base, error),
        }
    }
}

impl Transport for Http {
    fn send(&self, request: &Request) -> Result<Response, Error> {
        self.observe(request);
        if let Some(limit) = self.hurry {
            let mut hurried = request.clone();
            hurried.deadline = Some(request.deadline.map_or(limit, |own| own.min(limit)));
            return self.once(&hurried);
        }
        self.repeated(request, &mut || self.once(request).into())
    }

    fn save(
        &self,
        request: &Request,
        file: &Path,
        on_bytes: &mut dyn FnMut(u64) -> bool,
    ) -> Result<u64, Error> {
        file::save(self, request, file, on_bytes)
    }
}

/// The headers of a reply, as far as they are text.
pub(crate) fn headers(reply: &reqwest::blocking::Response) -> Headers {
    let all = reply.headers().iter();
    all.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect()
}

/// Whether a body that is said to be JSON ends before it is whole: something in between has lost a part.
fn ends_early(headers: &Headers, body: &[u8]) -> bool {
    let kind = headers.get("content-type").unwrap_or_default();
    kind.starts_with("application/json")
        && !body.is_empty()
        && serde_json::from_slice::<serde::de::IgnoredAny>(body).is_err_and(|error| error.is_eof())
}

/// A client for one service; it goes past every proxy where that is on this machine.
pub(crate) fn client(base: &str, redirects: Policy) -> Result<Client, Error> {
    let mut builder = Client::builder()
        .connect_timeout(CONNECT)
        // Of a blocking client's this is the wait for the answer and for each read, not for the whole; a
        // request that has a deadline has that instead.
        .timeout(STALL)
        .redirect(redirects)
        // A redirect leads to another server: it need not know where we come from.
        .referer(false)
        .user_agent(concat!("xtask/", env!("CARGO_PKG_VERSION")));
    if is_loopback(base) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| unreachable(base, &error))
}

fn unreachable(base: &str, error: &reqwest::Error) -> Error {
    // The outer message repeats the URL; the innermost cause says what the network said.
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let (service, reason) = (base.to_owned(), cause.to_string());
    match error.is_connect() {
        true => Error::NoConnection { service, reason },
        false => Error::Unreachable { service, reason },
    }
}

pub(crate) fn is_loopback(base: &str) -> bool {
    let host = base.split("://").nth(1).unwrap_or(base);
    ["127.", "localhost:", "localhost/", "[::1]"]
        .iter()
        .any(|start| host.starts_with(start))
        || host == "localhost"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_not_shown() {
        let http = Http::new("http://127.0.0.1:1", Credentials::bearer("dapiSECRET")).unwrap();
        assert!(!format!("{http:?} {:?}", http.credentials).contains("SECRET"));
    }

    #[test]
    fn loopback_is_told_from_names_that_start_alike() {
        assert!(is_loopback("http://127.0.0.1:80"));
        assert!(is_loopback("http://localhost:80"));
        assert!(!is_loopback("https://localhost.example.com"));
        assert!(!is_loopback("https://example.com"));
    }

    #[test]
    fn a_reply_that_is_too_large_is_not_taken_into_memory() {
        use std::io::{Read as _, Write as _};
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let serving = std::thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            let _ = client.read(&mut [0; 4096]).unwrap();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", LARGEST + 1);
            client.write_all(head.as_bytes()).unwrap();
            // Open until the client has had enough.
            let _ = client.read(&mut [0; 1]);
        });
        let http = Http::new(&base, Credentials::None).unwrap();
        let request = Request::new(Method::Post, "/x").once();
        let error = http.send(&request).unwrap_err().to_string();
        assert!(error.contains("larger than 256 MB"), "{error}");
        drop(http);
        serving.join().unwrap();
    }

    #[test]
    fn a_service_that_is_not_there_is_named() {
        let http = Http::new("http://127.0.0.1:1", Credentials::None).unwrap();
        let request = Request::new(Method::Post, "/x").once();
        let error = http.send(&request).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("http://127.0.0.1:1 does not answer"),
            "{error}"
        );
        assert!(!error.leaves_open(), "nothing was sent");
    }
}
