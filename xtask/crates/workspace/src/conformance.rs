//! For the conformance test: records which routes its clients call, and leaves out routes, to show that the test
//! notices.

use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use camino::Utf8Path;
use serde_json::json;

#[derive(Debug)]
pub struct Recorder {
    /// As declared: `POST /api/2.2/jobs/create`.
    pub(crate) without: Vec<String>,
    record: Option<Mutex<fs_err::File>>,
}

impl Recorder {
    /// `record` gets one JSON object a line, with `route` and `status`. `None` if there is nothing to do.
    pub fn new(
        without: Vec<String>,
        record: Option<&Utf8Path>,
    ) -> std::io::Result<Option<Recorder>> {
        if without.is_empty() && record.is_none() {
            return Ok(None);
        }
        let mut options = fs_err::OpenOptions::new();
        options.create(true).append(true);
        let record = record.map(|path| options.open(path)).transpose()?;
        Ok(Some(Recorder {
            without,
            record: record.map(Mutex::new),
        }))
    }

    pub(crate) fn note(&self, route: &str, status: u16) {
        if let Some(record) = &self.record {
            let line = json!({ "route": route, "status": status }).to_string() + "\n";
            let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = record.write_all(line.as_bytes()) {
                tracing::warn!(%error, "cannot record a call");
            }
        }
    }
}
