//! The GitHub REST and GraphQL APIs, as far as the guided commands use them.
//!
//! github.com, GitHub Enterprise and the local forge differ in their addresses only. Paths and shapes:
//! <https://docs.github.com/rest>, <https://docs.github.com/graphql>.

pub mod actions;
mod address;
mod base_rules;
pub mod branch_status;
mod check_contexts;
pub mod checks;
pub mod deployments;
pub mod merging;
pub mod pulls;
pub mod repositories;

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::Error;
use crate::http::{Credentials, Http};
use crate::patience::Pause;
use crate::refusal::asked_wait;
use crate::transport::{Method, Observer, Request, Response, Transport};

pub use address::Address;

/// The version of the REST API that the shapes here are from.
const API_VERSION: &str = "2022-11-28";
/// How many items a page of a list holds; GitHub's most.
const PER_PAGE: usize = 100;
/// How many pages of one list are read at most.
const MOST_PAGES: usize = 100;

/// A client for one GitHub.
#[derive(Debug, Clone)]
pub struct GitHub {
    address: Address,
    rest: Http,
    graphql: Http,
}

/// Something that a GraphQL answer complains about.
#[derive(Debug, Clone, Deserialize)]
pub struct Complaint {
    /// What is wrong.
    pub message: String,
    /// GitHub's kind of error: `NOT_FOUND`, `FORBIDDEN`, `RATE_LIMITED`, …; empty for a document
    /// that is not valid.
    #[serde(default, rename = "type")]
    pub kind: String,
    /// Where in the answer something is missing for it.
    #[serde(default)]
    pub path: Vec<Value>,
}

/// A GraphQL answer: what could be had, and what could not.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    /// The data; with complaints some of it may be null.
    pub data: T,
    /// What GitHub complains about.
    pub complaints: Vec<Complaint>,
}

impl GitHub {
    /// A client for the GitHub at `address`.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when the system's certificates cannot be loaded.
    pub fn new(address: &Address, credentials: Credentials) -> Result<GitHub, Error> {
        Ok(GitHub {
            address: address.clone(),
            rest: Http::new(address.rest(), credentials.clone())?
                .header("accept", "application/vnd.github+json")
                .header("x-github-api-version", API_VERSION),
            graphql: Http::new(address.graphql(), credentials)?
                .header("accept", "application/vnd.github+json"),
        })
    }

    /// Shows each call to `observer` before it is sent.
    #[must_use]
    pub fn observed(self, observer: &Observer) -> GitHub {
        GitHub {
            address: self.address,
            rest: self.rest.observed(observer.clone()),
            graphql: self.graphql.observed(observer.clone()),
        }
    }

    /// Has `pause` wait before a call is repeated, instead of sleeping.
    #[must_use]
    pub fn pausing(self, pause: &Pause) -> GitHub {
        GitHub {
            address: self.address,
            rest: self.rest.pausing(pause.clone()),
            graphql: self.graphql.pausing(pause.clone()),
        }
    }

    /// Has every call end within `limit`, and repeats none.
    #[must_use]
    pub fn hurried(self, limit: Duration) -> GitHub {
        GitHub {
            address: self.address,
            rest: self.rest.hurried(limit),
            graphql: self.graphql.hurried(limit),
        }
    }

    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Sends a REST call.
    pub fn send(&self, request: &Request) -> Result<Response, Error> {
        self.rest.send(request)
    }

    /// Sends a REST call whose reply leads to another host, and reads what is there.
    pub fn elsewhere(&self, request: &Request) -> Result<Response, Error> {
        self.rest.elsewhere(request)
    }

    /// Sends a REST call and reads the JSON of its reply.
    pub fn call<T: DeserializeOwned>(&self, request: &Request) -> Result<T, Error> {
        self.send(request)?.json(request)
    }

    /// Reads a list to its end: bare arrays, or those in a `field` of an object.
    ///
    /// # Errors
    /// Any [`Error`]; [`Error::Unexpected`] for a list that leads elsewhere or has no end.
    pub(crate) fn pages<T: DeserializeOwned>(
        &self,
        first: &Request,
        field: Option<&str>,
    ) -> Result<Vec<T>, Error> {
        let mut request = first.clone().query("per_page", PER_PAGE);
        let mut all = Vec::new();
        for _ in 0..MOST_PAGES {
            let response = self.send(&request)?;
            all.extend(match field {
                None => response.json::<Vec<T>>(&request)?,
                Some(field) => response.field(&request, field)?,
            });
            let Some(next) = response.header("link").and_then(next_page) else {
                return Ok(all);
            };
            // The token goes to this GitHub and nowhere else, whatever a reply says.
            let Some(path) = next.strip_prefix(self.address.rest()) else {
                return Err(Error::Unexpected {
                    call: request.call(),
                    reason: format!("the next page is said to be at {next}"),
                });
            };
            request = Request::new(Method::Get, path);
        }
        Err(Error::Unexpected {
            call: first.call(),
            reason: format!("the list does not end after {MOST_PAGES} pages"),
        })
    }

    /// Asks a GraphQL query. Its errors arrive with status 200, beside what could be had.
    ///
    /// # Errors
    /// Any [`Error`]; [`Error::Refused`] when there is no data at all.
    pub fn query<T: DeserializeOwned>(
        &self,
        document: &str,
        variables: &Value,
    ) -> Result<Answer<T>, Error> {
        self.graphql(graphql_request(document, variables).repeatable())
    }

    /// Sends a GraphQL mutation, once.
    ///
    /// # Errors
    /// Any [`Error`]; [`Error::Refused`] with GitHub's complaint.
    pub fn mutate<T: DeserializeOwned>(
        &self,
        document: &str,
        variables: &Value,
    ) -> Result<T, Error> {
        let request = graphql_request(document, variables);
        let call = request.call();
        let answer: Answer<T> = self.graphql(request)?;
        match answer.complaints.first() {
            Some(complaint) => Err(complaint.refusal(&call)),
            None => Ok(answer.data),
        }
    }

    fn graphql<T: DeserializeOwned>(&self, request: Request) -> Result<Answer<T>, Error> {
        #[derive(Deserialize)]
        struct Reply {
            #[serde(default)]
            data: Value,
            #[serde(default)]
            errors: Vec<Complaint>,
        }
        let response = self.graphql.send(&request)?;
        let reply: Reply = response.json(&request)?;
        let limited = |complaint: &&Complaint| complaint.kind == "RATE_LIMITED";
        if let Some(complaint) = reply.errors.iter().find(limited) {
            return Err(Error::Limited {
                call: request.call(),
                status: response.status,
                message: complaint.message.clone(),
                wait: asked_wait(&response.headers),
            });
        }
        match (reply.errors.first(), &reply.data) {
            (Some(complaint), Value::Null) => Err(complaint.refusal(&request.call())),
            _ => Ok(Answer {
                data: serde_json::from_value(reply.data).map_err(|error| Error::Unexpected {
                    call: request.call(),
                    reason: error.to_string(),
                })?,
                complaints: reply.errors,
            }),
        }
    }
}

impl Complaint {
    /// The same as an error.
    fn refusal(&self, call: &str) -> Error {
        Error::Refused {
            call: call.to_owned(),
            status: match self.kind.as_str() {
                "NOT_FOUND" => 404,
                "FORBIDDEN" | "INSUFFICIENT_SCOPES" => 403,
                "SERVICE_UNAVAILABLE" => 503,
                _ => 422,
            },
            code: self.kind.clone(),
            message: self.message.clone(),
            reasons: Vec::new(),
        }
    }
}

fn graphql_request(document: &str, variables: &Value) -> Request {
    Request::new(Method::Post, "/graphql")
        .json(&json!({ "query": document, "variables": variables }))
        .within(Duration::from_secs(30))
}

/// The address of the next page in a `Link` header (RFC 8288).
fn next_page(link: &str) -> Option<&str> {
    link.split(',').find_map(|entry| {
        let (target, parameters) = entry.trim().split_once('>')?;
        let is_next = parameters
            .split(';')
            .any(|parameter| matches!(parameter.trim(), r#"rel="next""# | "rel=next"));
        is_next.then(|| target.trim_start_matches('<'))
    })
}

#[cfg(test)]
mod tests;
