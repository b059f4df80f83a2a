//! What `--json` prints: one object, with an `error` where the command failed. docs/json.md describes it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};

use crate::error::Report;

/// The answer of a command, until it is printed.
#[derive(Debug, Default)]
pub(super) struct JsonAnswer {
    lines: Vec<String>,
    object: Option<String>,
}

/// The answer that the clones of a user interface share.
pub(super) fn of(shared: &Mutex<JsonAnswer>) -> MutexGuard<'_, JsonAnswer> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl JsonAnswer {
    /// Adds text of a command that has no object of its own.
    pub(super) fn line(&mut self, text: &str) {
        self.lines.extend(text.lines().map(str::to_owned));
    }

    /// Takes the command's own object.
    pub(super) fn object(&mut self, text: String) {
        self.object = Some(text);
    }

    /// The text to print.
    pub(super) fn rendered(&self, failed: Option<&Report>) -> String {
        match (&self.object, failed) {
            (Some(object), None) => object.clone(),
            (object, failed) => {
                let own = object.as_deref().map(serde_json::from_str);
                let mut object = match own {
                    Some(Ok(Value::Object(own))) => own,
                    _ => self.of_lines(failed.is_some()),
                };
                if let Some(report) = failed {
                    object.insert("error".to_owned(), error(report));
                }
                format!("{:#}", Value::Object(object))
            }
        }
    }

    fn of_lines(&self, failed: bool) -> Map<String, Value> {
        let mut object = Map::new();
        if !failed || !self.lines.is_empty() {
            object.insert("version".to_owned(), 1.into());
            object.insert("lines".to_owned(), self.lines.clone().into());
        }
        object
    }
}

fn error(report: &Report) -> Value {
    let mut why = report.causes.clone();
    why.extend(report.details.clone());
    json!({
        "kind": report.kind.name(),
        "what": report.what,
        "why": (!why.is_empty()).then(|| why.join("\n")),
        "next": report.next,
        "done": report.done,
        "left": report.left,
    })
}
