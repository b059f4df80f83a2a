//! What the workspace in memory answers, before it is a response.

use serde_json::Value;
use xtask_remote::{Error, Headers, Method, Request, Response, refused};

/// A reply of a status below 400.
pub(super) enum Reply {
    Json(Value),
    Bytes(Vec<u8>),
    NoContent,
}

/// A refusal, as Databricks and MLflow word it.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
}

pub(super) type Answer = Result<Reply, Refusal>;

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal {
            status,
            code,
            message: message.into(),
        }
    }

    pub(super) fn absent(message: impl Into<String>) -> Refusal {
        Refusal::new(404, "RESOURCE_DOES_NOT_EXIST", message)
    }

    pub(super) fn invalid(message: impl Into<String>) -> Refusal {
        Refusal::new(400, "INVALID_PARAMETER_VALUE", message)
    }

    pub(super) fn taken(message: impl Into<String>) -> Refusal {
        Refusal::new(400, "RESOURCE_ALREADY_EXISTS", message)
    }

    /// A route, or a variety of one, that this workspace has not learnt: a test that meets it has to teach it.
    pub(super) fn unknown(what: impl Into<String>) -> Refusal {
        let what = what.into();
        Refusal::new(
            501,
            "NOT_IMPLEMENTED",
            format!("the workspace in memory does not answer {what}"),
        )
    }

    /// What MLflow's clients fall back on.
    pub(super) fn no_endpoint(request: &Request) -> Refusal {
        let call = format!("{} {}", request.method.as_str(), request.path);
        Refusal::new(
            404,
            "ENDPOINT_NOT_FOUND",
            format!("No API found for '{call}'"),
        )
    }
}

/// The reply as a transport hands it on; `date` is the server's time.
pub(super) fn finish(request: &Request, answer: Answer, date: String) -> Result<Response, Error> {
    let headers = |kind: &str| -> Headers {
        [("content-type", kind.to_owned()), ("date", date.clone())]
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect()
    };
    let (status, kind, body) = match answer {
        Ok(Reply::Json(value)) => (200, "application/json", value.to_string().into_bytes()),
        Ok(Reply::Bytes(bytes)) => (200, "application/octet-stream", bytes),
        Ok(Reply::NoContent) => (204, "application/octet-stream", Vec::new()),
        Err(Refusal {
            status,
            code,
            message,
        }) => {
            let body = match request.method {
                Method::Head => String::new(),
                _ => serde_json::json!({"error_code": code, "message": message}).to_string(),
            };
            return Err(refused(
                request,
                status,
                &headers("application/json"),
                body.as_bytes(),
            ));
        }
    };
    let body = match request.method {
        Method::Head => Vec::new(),
        _ => body,
    };
    Ok(Response {
        status,
        headers: headers(kind),
        body,
    })
}
