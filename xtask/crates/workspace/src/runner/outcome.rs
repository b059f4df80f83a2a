//! What the events of a notebook run say when they are read as a whole.

use camino::Utf8Path;
use serde_json::Value;

use crate::store::TaskOutput;

/// Printed text that is kept for `runs/get-output`, from its end: bytes. The events have all of it.
const LOGS_LIMIT: usize = 1024 * 1024;

/// Reads the events of a task run, oldest first; half a line at the end (of a process that was killed) is dropped.
pub(crate) fn read_events(path: &Utf8Path) -> Vec<Value> {
    let text = std::fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&text)
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// The output that the API shows: what was printed, what was handed to `exit`, and what failed where.
pub(super) fn output_of(events: &[Value]) -> TaskOutput {
    let mut output = TaskOutput::default();
    let mut logs = String::new();
    let mut notebook = "";
    for event in events {
        match event["event"].as_str().unwrap_or_default() {
            "notebook" => notebook = event["path"].as_str().unwrap_or_default(),
            "stream" => logs.push_str(event["text"].as_str().unwrap_or_default()),
            "exit" => output.notebook_result = event["value"].as_str().map(str::to_owned),
            "error" => {
                output.error = Some(error_line(notebook, event));
                let trace = event["traceback"].as_array().into_iter().flatten();
                let lines: Vec<&str> = trace.filter_map(Value::as_str).collect();
                output.error_trace = Some(lines.join("\n"));
            }
            _ => {}
        }
    }
    if logs.len() > LOGS_LIMIT {
        let start = logs.ceil_char_boundary(logs.len() - LOGS_LIMIT);
        logs.drain(..start);
        output.logs_truncated = true;
    }
    output.logs = (!logs.is_empty()).then_some(logs);
    output
}

/// `ValueError: no rows (/Workspace/…/Train, cell 3, line 41)`.
fn error_line(notebook: &str, event: &Value) -> String {
    let name = event["ename"].as_str().unwrap_or("Error");
    let value = event["evalue"].as_str().unwrap_or_default();
    let mut place = vec![notebook.to_owned()];
    // A Python file has no cells to speak of.
    if let Some(cell) = event["cell"]
        .as_i64()
        .filter(|_| !notebook.ends_with(".py"))
    {
        place.push(format!("cell {}", cell + 1));
    }
    if let Some(line) = event["line"].as_i64() {
        place.push(format!("line {line}"));
    }
    format!("{name}: {value} ({})", place.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_failure_names_notebook_cell_and_line() {
        let output = output_of(&[
            json!({"event": "notebook", "path": "/Workspace/x/Train"}),
            json!({"event": "stream", "text": "hello\n"}),
            json!({"event": "error", "cell": 2, "line": 41, "ename": "ValueError", "evalue": "no rows", "traceback": ["a", "b"]}),
        ]);
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
        let output = output_of(&[event, json!({"event": "stream", "text": "last"})]);
        let logs = output.logs.unwrap();
        assert!(output.logs_truncated && logs.len() <= LOGS_LIMIT && logs.ends_with("last"));
    }
}
