//! HTTP with a token: the transport of the local workspace and of GitHub.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use reqwest::blocking::{Client, RequestBuilder};
use reqwest::redirect::Policy;
use secrecy::{ExposeSecret as _, SecretString};

use crate::Error;
use crate::refusal::refused;
use crate::transport::{Body, Headers, Method, Observer, Request, Response, Transport};

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Attempts after the first one, for calls that may be repeated.
const RETRIES: usize = 4;

/// The longest that one call waits between its attempts, in all. A service that asks for more gets
/// its way later: the call fails, and says for how long.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Waits before a call is repeated; told how long and why. `false` gives up instead.
pub type Pause = Arc<dyn Fn(Duration, &Error) -> bool + Send + Sync>;

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
        let status = reply.status().as_u16();
        let headers: Headers = reply
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect();
        let body = reply
            .bytes()
            .map_err(|error| self.failed(request, &error))?
            .to_vec();
        if status >= 400 {
            return Err(refused(request, status, &headers, &body));
        }
        Ok(Response {
            status,
            headers,
            body,
        })
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
        // reqwest's own default of 30 seconds would cut long uploads.
        builder = builder.timeout(request.deadline.unwrap_or(Duration::from_secs(24 * 3600)));
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
                builder
                    .header("content-type", "application/octet-stream")
                    .body(file)
            }
        })
    }

    pub(crate) fn failed(&self, request: &Request, error: &reqwest::Error) -> Error {
        match request.deadline {
            Some(deadline) if error.is_timeout() => Error::Timeout {
                service: self.base.clone(),
                deadline,
            },
            _ => unreachable(&self.base, error),
        }
    }
}

impl Transport for Http {
    fn save(
        &self,
        request: &Request,
        file: &Path,
        on_bytes: &mut dyn FnMut(u64) -> bool,
    ) -> Result<u64, Error> {
        Http::save(self, request, file, on_bytes)
    }

    fn send(&self, request: &Request) -> Result<Response, Error> {
        self.observe(request);
        if let Some(limit) = self.hurry {
            let mut hurried = request.clone();
            hurried.deadline = Some(request.deadline.map_or(limit, |own| own.min(limit)));
            return self.once(&hurried);
        }
        let mut pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(200))
            .with_max_delay(Duration::from_secs(10))
            .with_max_times(if request.repeatable { RETRIES } else { 0 })
            .with_jitter()
            .build();
        let mut waited = Duration::ZERO;
        loop {
            let error = match self.once(request) {
                Err(error) if error.is_transient() => error,
                other => return other,
            };
            let Some(pause) = pauses.next() else {
                return Err(error);
            };
            let pause = pause.max(error.wait().unwrap_or_default());
            waited += pause;
            if waited > PATIENCE || !(self.pause)(pause, &error) {
                return Err(error);
            }
        }
    }
}

/// A client for one service; it goes past every proxy where that is on this machine.
pub(crate) fn client(base: &str, redirects: Policy) -> Result<Client, Error> {
    let mut builder = Client::builder()
        .connect_timeout(CONNECT)
        .redirect(redirects)
        // A redirect leads to somebody else's server: it need not know where we come from.
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
    Error::Unreachable {
        service: base.to_owned(),
        reason: cause.to_string(),
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
    fn a_service_that_is_not_there_is_named() {
        let http = Http::new("http://127.0.0.1:1", Credentials::None).unwrap();
        let request = Request::new(Method::Post, "/x");
        let error = http.send(&request).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("http://127.0.0.1:1 does not answer"),
            "{error}"
        );
    }
}
