//! The transport for REST calls through the Databricks CLI, which holds the credentials.

mod exchange;

use std::process::Command;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use xtask_remote::{Body, Error, Headers, Request, Response, Transport, refused};

use super::Target;
use super::words::{
    asks_to_sign_in, last_words, says_it_is_not_there, says_there_was_no_connection,
};
use crate::context::Context;
use crate::process::{self, Finished};
pub(super) use exchange::{Answer, Exchange};

/// Unreserved characters of a query (RFC 3986).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Sends REST calls with the Databricks CLI, so that the token never reaches this process.
pub(super) struct ThroughCli<'a> {
    target: &'a Target<'a>,
}

impl<'a> ThroughCli<'a> {
    /// Calls to the workspace of a target.
    pub(super) fn new(target: &'a Target<'a>) -> ThroughCli<'a> {
        ThroughCli { target }
    }
}

impl Transport for ThroughCli<'_> {
    fn send(&self, request: &Request) -> Result<Response, Error> {
        let unexpected = |reason: String| Error::Unexpected {
            call: request.call(),
            reason,
        };
        let Context { ui, interrupt, .. } = self.target.context;
        let exchange = self.exchange()?;
        let mut command = Command::new(&self.target.program);
        match &request.body {
            Body::File(file) => copy(&mut command, request, file)
                .ok_or_else(|| unexpected("only the Files API takes files".to_owned()))?,
            body => {
                let method = request.method.as_str().to_lowercase();
                command.args(["api", &method, &url(request)]);
                if let Body::Json(value) = body {
                    exchange
                        .send(&mut command, value)
                        .map_err(|source| self.not_kept(source))?;
                    ui.explain(&format!("with {value}"));
                }
            }
        }
        self.target.lead(&mut command);
        exchange.keep_log(&mut command);
        // The CLI retries an unreachable workspace for longer than a read may take.
        let mut given_up = |elapsed| {
            let is_late = request.deadline.is_some_and(|deadline| elapsed > deadline);
            is_late || (request.once && exchange.had_no_connection())
        };
        let finished = process::run_until(ui, interrupt, command, &mut given_up, &mut |_| ());
        let finished = finished.map_err(|error| unexpected(error.to_string()))?;
        let Some(finished) = finished else {
            return Err(self.given_up(request, &exchange));
        };
        if !finished.ok() {
            return Err(self.failed(request, &finished, exchange.answer()));
        }
        Ok(Response {
            status: 200,
            headers: Headers::default(),
            body: finished.stdout.into_bytes(),
        })
    }
}

impl ThroughCli<'_> {
    fn exchange(&self) -> Result<Exchange, Error> {
        Exchange::begin(&self.cache()).map_err(|source| self.not_kept(source))
    }

    fn cache(&self) -> camino::Utf8PathBuf {
        self.target.context.local().join("cache")
    }

    fn not_kept(&self, source: std::io::Error) -> Error {
        Error::File {
            path: self.cache().into_string(),
            source,
        }
    }

    /// The error of a timed-out call, with the reason from the CLI's log.
    fn given_up(&self, request: &Request, exchange: &Exchange) -> Error {
        match (exchange.last_error(), exchange.answer()) {
            (Some(reason), _) => Error::NoConnection {
                service: self.target.service(None),
                reason,
            },
            (None, Some(answer)) if answer.status >= 400 => {
                let body = answer.body.as_bytes();
                refused(request, answer.status, &Headers::default(), body)
            }
            _ => Error::Timeout {
                service: self.target.name.clone(),
                deadline: request.deadline.unwrap_or_default(),
            },
        }
    }

    /// The error of a call. The CLI prints only the service's message; its log has the rest.
    fn failed(&self, request: &Request, finished: &Finished, answer: Option<Answer>) -> Error {
        let said = finished.tail.as_str();
        let (status, body) = match answer {
            // The CLI could not parse the response.
            Some(Answer { status, .. }) if status < 400 => {
                return Error::Unexpected {
                    call: request.call(),
                    reason: last_words(said),
                };
            }
            Some(answer) => (answer.status, answer.json()),
            None if asks_to_sign_in(said) => (401, None),
            None if says_there_was_no_connection(said) => {
                return Error::NoConnection {
                    service: self.target.service(None),
                    reason: last_words(said),
                };
            }
            // Another CLI command, or no call was made.
            None if says_it_is_not_there(said) => (404, None),
            None => (400, None),
        };
        let body = body.unwrap_or_else(|| last_words(said).into_bytes());
        match refused(request, status, &Headers::default(), &body) {
            Error::SignedOut {
                call,
                status,
                message,
                ..
            } => Error::SignedOut {
                service: self.target.service(None),
                call,
                status,
                message,
            },
            other => other,
        }
    }
}
/// Path and query of a call for `databricks api`.
fn url(request: &Request) -> String {
    let mut url = request.path.clone();
    let escaped = |text: &str| utf8_percent_encode(text, UNRESERVED).to_string();
    for (index, (name, value)) in request.query.iter().enumerate() {
        url.push(if index == 0 { '?' } else { '&' });
        url.push_str(&format!("{}={}", escaped(name), escaped(value)));
    }
    url
}

/// An upload, as `databricks fs cp`: `databricks api` cannot upload. `None` if the call is not an upload.
fn copy(command: &mut Command, request: &Request, file: &std::path::Path) -> Option<()> {
    let remote = request.path.strip_prefix("/api/2.0/fs/files")?;
    command.args(["fs", "cp", "--overwrite"]);
    command.arg(file).arg(format!("dbfs:{remote}"));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use xtask_remote::Method;

    #[test]
    fn what_a_query_says_is_escaped() {
        let request = Request::new(Method::Get, "/api/2.0/a%2Fb")
            .query("filter", "name = 'a&b' # 100%+1")
            .query("name", "größe/x");
        assert_eq!(
            url(&request),
            "/api/2.0/a%2Fb?filter=name%20%3D%20%27a%26b%27%20%23%20100%25%2B1&name=gr%C3%B6%C3%9Fe%2Fx"
        );
    }
}
