//! Replies that another server gives: the first one says where, and the token stays with it.

use reqwest::Url;
use reqwest::redirect::Policy;

use super::{Credentials, Http, client, headers};
use crate::Error;
use crate::transport::{Request, Response, Transport as _};

impl Http {
    /// Sends a request whose reply is a link to somewhere else, and reads what is there, without the
    /// token: a storage refuses what carries two kinds of credentials, and has no business with ours.
    pub fn elsewhere(&self, request: &Request) -> Result<Response, Error> {
        self.observe(request);
        let mut request = request.clone();
        if let Some(limit) = self.hurry {
            request.deadline = Some(request.deadline.map_or(limit, |own| own.min(limit)));
        }
        let staying = client(self.base(), Policy::none())?;
        let failed = |error: reqwest::Error| self.failed(&request, &error);
        let reply = self
            .build_with(&staying, &request)?
            .send()
            .map_err(failed)?;
        let status = reply.status();
        let link = reply
            .headers()
            .get("location")
            .filter(|_| status.is_redirection())
            .and_then(|link| reply.url().join(link.to_str().ok()?).ok());
        let Some(link) = link else {
            let headers = headers(&reply);
            let body = reply.bytes().map_err(failed)?.to_vec();
            if status.as_u16() >= 300 {
                return Err(self.refused(&request, status.as_u16(), &headers, &body));
            }
            return Ok(Response {
                status: status.as_u16(),
                headers,
                body,
            });
        };
        follow(self, &request, &link)
    }
}

fn follow(from: &Http, request: &Request, link: &Url) -> Result<Response, Error> {
    if !matches!(link.scheme(), "https" | "http") {
        return Err(Error::Unexpected {
            call: request.call(),
            reason: "it leads to no web address".to_owned(),
        });
    }
    let mut there = Http::new(&link.origin().ascii_serialization(), Credentials::None)?;
    if let Some(limit) = from.hurry {
        there = there.hurried(limit);
    }
    let mut path = link.path().to_owned();
    if let Some(query) = link.query() {
        path.push('?');
        path.push_str(query);
    }
    let mut next = Request::new(request.method, path);
    next.deadline = request.deadline;
    // The link itself opens what it leads to: it is not shown in errors.
    there.send(&next).map_err(|error| match error {
        Error::Refused {
            status,
            code,
            message,
            reasons,
            ..
        } => Error::Refused {
            call: request.call(),
            status,
            code,
            message,
            reasons,
        },
        other => other,
    })
}
