//! Replies with GitHub's headers.

use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LINK, LOCATION, VARY, WWW_AUTHENTICATE,
};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use xtask_local_server::secret::fingerprint;

use super::Call;
use crate::caller::Caller;
use crate::refusal::Refusal;

pub(crate) type Answer = Result<Reply, Refusal>;

/// Rate limit per user and hour.
const LIMIT: u64 = 5000;

#[derive(Debug)]
pub(crate) struct Reply {
    status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    body: Content,
    /// Lets the middleware render a refusal as a page for browsers.
    refusal: Option<Refusal>,
}

#[derive(Debug)]
enum Content {
    Nothing,
    Json(Value),
    Text(String, &'static str),
}

impl Reply {
    pub(crate) fn json(body: Value) -> Reply {
        Reply::with(StatusCode::OK, body)
    }

    pub(crate) fn created(body: Value) -> Reply {
        Reply::with(StatusCode::CREATED, body)
    }

    pub(crate) fn with(status: StatusCode, body: Value) -> Reply {
        Reply {
            status,
            headers: Vec::new(),
            body: Content::Json(body),
            refusal: None,
        }
    }

    pub(crate) fn empty(status: StatusCode) -> Reply {
        Reply {
            status,
            headers: Vec::new(),
            body: Content::Nothing,
            refusal: None,
        }
    }

    pub(crate) fn redirect(to: String) -> Reply {
        Reply {
            headers: vec![(LOCATION, to)],
            ..Reply::empty(StatusCode::FOUND)
        }
    }

    pub(crate) fn text(text: String, media_type: &'static str) -> Reply {
        Reply {
            body: Content::Text(text, media_type),
            ..Reply::empty(StatusCode::OK)
        }
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: String) -> Reply {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn html(status: StatusCode, page: String) -> Reply {
        let body = Content::Text(page, "text/html; charset=utf-8");
        let headers = vec![(CACHE_CONTROL, "no-store".to_owned())];
        Reply {
            status,
            headers,
            body,
            refusal: None,
        }
    }

    /// One page of a list, selected by `page` and `per_page`, with links to the others. With `name`, the list is a
    /// field beside `total_count`.
    pub(crate) fn page<T>(
        call: &Call,
        name: Option<&str>,
        all: impl IntoIterator<Item = T>,
        show: impl Fn(T) -> Result<Value, Refusal>,
    ) -> Answer {
        let all: Vec<T> = all.into_iter().collect();
        let total = all.len();
        let number = |name: &str, default: usize| match call.query(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| {
                Refusal::unprocessable(format!(
                    "Invalid request.\n\nFor 'query/{name}', \"{text}\" is not an integer."
                ))
            }),
        };
        let size = number("per_page", 30)?.clamp(1, 100);
        let page = number("page", 1)?.max(1);
        let shown: Result<Vec<Value>, Refusal> = all
            .into_iter()
            .skip((page - 1) * size)
            .take(size)
            .map(show)
            .collect();
        let body = match name {
            None => Value::Array(shown?),
            Some(name) => json!({"total_count": total, name: shown?}),
        };
        let last = total.div_ceil(size).max(1);
        let mut links = Vec::new();
        let mut link = |page: usize, rel: &str| {
            links.push(format!("<{}>; rel=\"{rel}\"", call.page_address(page)));
        };
        if page > 1 {
            link(page - 1, "prev");
        }
        if page < last {
            link(page + 1, "next");
            link(last, "last");
        }
        if page > 1 {
            link(1, "first");
        }
        let mut reply = Reply::json(body);
        if !links.is_empty() {
            reply.headers.push((LINK, links.join(", ")));
        }
        Ok(reply)
    }

    pub(crate) fn refusal(refusal: &Refusal) -> Reply {
        let mut body = json!({
            "message": refusal.message,
            "documentation_url": "https://docs.github.com/rest",
            "status": refusal.status.as_u16().to_string(),
        });
        if !refusal.problems.is_empty() {
            let problems = refusal.problems.iter().map(|problem| {
                let mut shown = json!({"resource": problem.resource, "code": problem.code});
                if let Some(field) = problem.field {
                    shown["field"] = field.into();
                }
                if let Some(message) = &problem.message {
                    shown["message"] = message.as_str().into();
                }
                shown
            });
            body["errors"] = problems.collect();
        }
        Reply {
            refusal: Some(refusal.clone()),
            ..Reply::with(refusal.status, body)
        }
    }

    /// Adds what depends on the call: `ETag`, 304 for an unchanged reply, and rate limits.
    pub(super) fn finish(mut self, call: &Call) -> Response {
        let reads = matches!(call.method, Method::GET | Method::HEAD);
        if let (true, StatusCode::OK, Content::Json(body)) = (reads, self.status, &self.body) {
            let tag = format!("W/\"{}\"", fingerprint(&body.to_string()));
            let known = call.header(IF_NONE_MATCH);
            if known.is_some_and(|known| known.split(',').any(|one| strong(one) == strong(&tag))) {
                self.status = StatusCode::NOT_MODIFIED;
                self.body = Content::Nothing;
            }
            self.headers.push((ETAG, tag));
            self.headers
                .push((CACHE_CONTROL, "private, max-age=60, s-maxage=60".to_owned()));
            self.headers.push((VARY, "Accept, Authorization, Cookie, X-GitHub-OTP,Accept-Encoding, Accept, X-Requested-With".to_owned()));
        }
        let now = call.world.now();
        let used = call.forge.request_log.count() % LIMIT;
        let header = HeaderName::from_static;
        self.headers.extend([
            (header("x-ratelimit-limit"), LIMIT.to_string()),
            (header("x-ratelimit-remaining"), (LIMIT - used).to_string()),
            (header("x-ratelimit-used"), used.to_string()),
            (
                header("x-ratelimit-reset"),
                now.plus(3600).seconds().to_string(),
            ),
            (header("x-ratelimit-resource"), "core".to_owned()),
            (
                header("x-github-api-version-selected"),
                "2022-11-28".to_owned(),
            ),
        ]);
        if let Caller::User(token) = &call.caller {
            self.headers
                .push((header("x-oauth-scopes"), token.scopes.clone()));
        }
        self.into_response()
    }

    /// Without what depends on the call.
    pub(crate) fn into_response(self) -> Response {
        let (kind, body) = match self.body {
            Content::Nothing => (None, Body::empty()),
            Content::Json(body) => (
                Some("application/json; charset=utf-8"),
                Body::from(body.to_string()),
            ),
            Content::Text(text, kind) => (Some(kind), Body::from(text)),
        };
        let mut response = Response::new(body);
        if let Some(refusal) = self.refusal {
            response.extensions_mut().insert(refusal);
        }
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        if let Some(kind) = kind {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        let media = HeaderName::from_static("x-github-media-type");
        headers.insert(media, HeaderValue::from_static("github.v3; format=json"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(
                WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"GitHub\""),
            );
        }
        response
    }
}

/// For a request that no handler saw.
pub(crate) fn refused(refusal: &Refusal) -> Response {
    Reply::refusal(refusal).into_response()
}

fn strong(tag: &str) -> &str {
    let tag = tag.trim();
    tag.strip_prefix("W/").unwrap_or(tag)
}
