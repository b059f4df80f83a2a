//! Records requests and replies in a file, to be compared with GitHub's published descriptions.

use std::fs::File;
use std::io::Write as _;
use std::sync::Mutex;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use camino::Utf8Path;
use serde_json::{Value, json};
use xtask_local_server::lock;

/// One JSON object a line, without tokens.
#[derive(Debug, Default)]
pub(crate) struct Exchanges(Option<Mutex<File>>);

pub(crate) struct Question<'r> {
    pub(crate) method: &'r str,
    /// In GitHub Enterprise's layout.
    pub(crate) path: &'r str,
    pub(crate) query: Option<&'r str>,
    pub(crate) body: &'r str,
}

impl Exchanges {
    /// Appends.
    pub(crate) fn in_file(path: &Utf8Path) -> std::io::Result<Exchanges> {
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Exchanges(Some(Mutex::new(file))))
    }

    /// Records an exchange, and returns the reply.
    pub(crate) async fn keep(&self, question: Question<'_>, response: Response) -> Response {
        let Some(file) = self
            .0
            .as_ref()
            .filter(|_| question.path.starts_with("/api/"))
        else {
            return response;
        };
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX)
            .await
            .unwrap_or_else(|_| Bytes::new());
        let line = json!({
            "method": question.method,
            "path": question.path,
            "query": question.query,
            "body": json_or_text(question.body),
            "status": parts.status.as_u16(),
            "headers": headers(&parts.headers),
            "reply": json_or_text(&String::from_utf8_lossy(&bytes)),
        });
        if let Err(error) = writeln!(lock(file), "{line}") {
            tracing::warn!(%error, "cannot record an exchange");
        }
        Response::from_parts(parts, Body::from(bytes))
    }
}

fn headers(headers: &HeaderMap) -> Value {
    let wanted = [
        header::CONTENT_TYPE,
        header::LOCATION,
        header::LINK,
        header::ETAG,
    ];
    let pairs = wanted
        .iter()
        .filter_map(|name| Some((name.to_string(), headers.get(name)?.to_str().ok()?.into())));
    Value::Object(pairs.collect())
}

fn json_or_text(text: &str) -> Value {
    match text {
        "" => Value::Null,
        text => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
    }
}
