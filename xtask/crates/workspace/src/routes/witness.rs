//! For the conformance test: writes down which routes its clients call, and leaves routes out, so that the test can
//! show that it would notice.

use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use camino::Utf8Path;
use serde_json::json;

use super::unknown;

/// What is recorded and left out.
#[derive(Debug)]
pub struct Witness {
    without: Vec<String>,
    record: Option<Mutex<fs_err::File>>,
}

impl Witness {
    /// `without` holds routes as they are declared, `POST /api/2.2/jobs/create`; `record` gets one JSON object a line,
    /// with `route` and `status`. `None` where neither is asked for.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn new(
        without: Vec<String>,
        record: Option<&Utf8Path>,
    ) -> std::io::Result<Option<Witness>> {
        if without.is_empty() && record.is_none() {
            return Ok(None);
        }
        let mut options = fs_err::OpenOptions::new();
        options.create(true).append(true);
        let record = record.map(|path| options.open(path)).transpose()?;
        Ok(Some(Witness {
            without,
            record: record.map(Mutex::new),
        }))
    }

    fn note(&self, route: &str, status: u16) {
        if let Some(record) = &self.record {
            let line = json!({ "route": route, "status": status }).to_string() + "\n";
            let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = record.write_all(line.as_bytes()) {
                tracing::warn!(%error, "a call is missing in the record");
            }
        }
    }
}

/// The layer around the routes.
pub(super) async fn watch(witness: &Witness, request: Request, next: Next) -> Response {
    let Some(matched) = request.extensions().get::<MatchedPath>() else {
        return next.run(request).await;
    };
    // What goes through to MLflow has one route here and many there.
    let path = match matched.as_str().contains("mlflow/{*") {
        true => request.uri().path(),
        false => matched.as_str(),
    };
    let route = format!("{} {path}", request.method());
    let response = if witness.without.contains(&route) {
        let (parts, body) = request.into_parts();
        unknown(parts.method, parts.uri, parts.headers, body).await
    } else {
        next.run(request).await
    };
    witness.note(&route, response.status().as_u16());
    response
}
