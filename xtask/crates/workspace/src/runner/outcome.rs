//! Reads the events of a task run.

use std::fs::File;
use std::io::{BufRead as _, BufReader};

use camino::Utf8Path;
use serde_json::Value;

use crate::store::TaskOutput;

/// Bytes of printed text for `runs/get-output`, counted from the end. The events have all of it.
const LOGS_LIMIT: usize = 1024 * 1024;

/// Oldest first. An incomplete last line, of a killed process, is dropped.
pub(crate) fn read_events(path: &Utf8Path) -> Vec<Value> {
    events(path).collect()
}

/// One after another, because a log may be large.
pub(crate) fn events(path: &Utf8Path) -> impl Iterator<Item = Value> + use<> {
    let file = File::open(path).ok().map(BufReader::new);
    let lines = file.into_iter().flat_map(|file| file.split(b'\n'));
    lines
        .map_while(Result::ok)
        .filter_map(|line| serde_json::from_str(&String::from_utf8_lossy(&line)).ok())
}

#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// As the API shows it: printed text, the value given to `exit`, and the error with its location.
    pub output: TaskOutput,
    /// MLflow runs that the task created.
    pub mlflow_runs: Vec<String>,
    /// Whether the code succeeded; `None` if its process ended before it did.
    pub finished: Option<bool>,
}

pub(super) fn of(events: impl IntoIterator<Item = Value>) -> Outcome {
    let mut outcome = Outcome::default();
    let mut logs = String::new();
    let mut notebook = String::new();
    let mut has_cells = true;
    for event in events {
        let output = &mut outcome.output;
        match event["event"].as_str().unwrap_or_default() {
            "notebook" => {
                event["path"]
                    .as_str()
                    .unwrap_or_default()
                    .clone_into(&mut notebook);
                // Python files have no cells.
                has_cells = event["kind"].is_null();
            }
            "stream" => {
                logs.push_str(event["text"].as_str().unwrap_or_default());
                output.logs_truncated |= keep_end(&mut logs, 2 * LOGS_LIMIT);
            }
            "exit" => output.notebook_result = event["value"].as_str().map(str::to_owned),
            "error" => {
                output.error = Some(error_line(&notebook, has_cells, &event));
                let trace = event["traceback"].as_array().into_iter().flatten();
                let lines: Vec<&str> = trace.filter_map(Value::as_str).collect();
                output.error_trace = Some(lines.join("\n"));
            }
            "mlflow_run" => {
                let run = event["run_id"].as_str().map(str::to_owned);
                outcome.mlflow_runs.extend(run);
            }
            "finished" => outcome.finished = event["ok"].as_bool(),
            _ => {}
        }
    }
    let output = &mut outcome.output;
    output.logs_truncated |= keep_end(&mut logs, LOGS_LIMIT);
    output.logs = (!logs.is_empty()).then_some(logs);
    outcome
}

/// Drops the beginning of logs that are longer than `longest`; answers whether it did.
fn keep_end(logs: &mut String, longest: usize) -> bool {
    let too_long = logs.len() > longest;
    if too_long {
        let start = logs.ceil_char_boundary(logs.len() - LOGS_LIMIT);
        logs.drain(..start);
    }
    too_long
}

/// `ValueError: no rows (/Workspace/…/Train, cell 3, line 41)`.
fn error_line(notebook: &str, has_cells: bool, event: &Value) -> String {
    let name = event["ename"].as_str().unwrap_or("Error");
    let value = event["evalue"].as_str().unwrap_or_default();
    let mut place = vec![notebook.to_owned()];
    // Before the first event, the path is unknown.
    place.retain(|path| !path.is_empty());
    if let Some(cell) = event["cell"].as_i64().filter(|_| has_cells) {
        place.push(format!("cell {}", cell + 1));
    }
    if let Some(line) = event["line"].as_i64() {
        place.push(format!("line {line}"));
    }
    if place.is_empty() {
        return format!("{name}: {value}");
    }
    format!("{name}: {value} ({})", place.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_failure_names_notebook_cell_and_line() {
        let output = of([
            json!({"event": "notebook", "path": "/Workspace/x/Train"}),
            json!({"event": "stream", "text": "hello\n"}),
            json!({"event": "error", "cell": 2, "line": 41, "ename": "ValueError", "evalue": "no rows", "traceback": ["a", "b"]}),
        ])
        .output;
        assert_eq!(
            output.error.unwrap(),
            "ValueError: no rows (/Workspace/x/Train, cell 3, line 41)"
        );
        assert_eq!(output.error_trace.unwrap(), "a\nb");
        assert_eq!(output.logs.unwrap(), "hello\n");
    }

    #[test]
    fn the_end_of_long_logs_is_kept() {
        let event = json!({"event": "stream", "text": "é".repeat(LOGS_LIMIT)});
        let output = of([event, json!({"event": "stream", "text": "last"})]).output;
        let logs = output.logs.unwrap();
        assert!(output.logs_truncated && logs.len() <= LOGS_LIMIT && logs.ends_with("last"));
    }
}
