//! The events of a notebook run, grouped by cell.

use std::borrow::Borrow;

use serde_json::Value;

#[derive(Debug, Default)]
pub(super) struct Notebook {
    pub path: String,
    /// A Python file or wheel, which has no cells.
    pub is_program: bool,
    /// Number of cells; fewer may have run.
    pub total: usize,
    pub cells: Vec<Cell>,
    /// Messages about the packages of the notebook's environment.
    pub environment: Vec<String>,
    /// As (experiment, run).
    pub mlflow_runs: Vec<(String, String)>,
    /// Value of `dbutils.notebook.exit`.
    pub exit: Option<String>,
    /// A failure before the first cell.
    pub failure: Option<Failure>,
}

#[derive(Debug, Default)]
pub(super) struct Cell {
    pub index: usize,
    /// Line in the file.
    pub line: i64,
    pub title: Option<String>,
    pub source: String,
    pub outputs: Vec<Output>,
    pub seconds: Option<f64>,
    pub failure: Option<Failure>,
}

#[derive(Debug, PartialEq)]
pub(super) enum Output {
    Stream {
        name: String,
        text: String,
    },
    /// Representations by MIME type.
    Display(Value),
}

/// The exception that ended a cell.
#[derive(Debug)]
pub(super) struct Failure {
    /// Line in the notebook's file.
    pub line: Option<i64>,
    pub title: String,
    pub traceback: String,
}

impl Notebook {
    pub(super) fn of(events: impl IntoIterator<Item = impl Borrow<Value>>) -> Notebook {
        let mut notebook = Notebook::default();
        for event in events {
            notebook.add(event.borrow());
        }
        notebook
    }

    fn add(&mut self, event: &Value) {
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        match event["event"].as_str().unwrap_or_default() {
            "notebook" => {
                self.path = text("path");
                self.is_program = event["kind"].is_string();
                self.total = count(&event["cells"]);
            }
            "cell_started" => self.cells.push(Cell {
                index: count(&event["cell"]),
                line: event["line"].as_i64().unwrap_or(1),
                title: event["title"].as_str().map(str::to_owned),
                source: text("source"),
                ..Cell::default()
            }),
            "stream" => self.stream(text("name"), &text("text")),
            "display" => {
                if let Some(cell) = self.cells.last_mut() {
                    cell.outputs.push(Output::Display(event["data"].clone()));
                }
            }
            "error" => self.fail(event),
            "cell_finished" => {
                if let Some(cell) = self.cells.last_mut() {
                    cell.seconds = event["seconds"].as_f64();
                }
            }
            "mlflow_run" => self
                .mlflow_runs
                .push((text("experiment_id"), text("run_id"))),
            "environment" => self.environment.push(text("text")),
            "exit" => self.exit = Some(text("value")),
            _ => {}
        }
    }

    /// Joins consecutive lines of the same stream.
    fn stream(&mut self, name: String, text: &str) {
        let Some(cell) = self.cells.last_mut() else {
            return;
        };
        match cell.outputs.last_mut() {
            Some(Output::Stream {
                name: last,
                text: known,
            }) if *last == name => known.push_str(text),
            _ => cell.outputs.push(Output::Stream {
                name,
                text: text.to_owned(),
            }),
        }
    }

    fn fail(&mut self, event: &Value) {
        let lines = event["traceback"].as_array().into_iter().flatten();
        let lines: Vec<&str> = lines.filter_map(Value::as_str).collect();
        let name = event["ename"].as_str().unwrap_or("Error");
        let failure = Failure {
            line: event["line"].as_i64(),
            title: format!("{name}: {}", event["evalue"].as_str().unwrap_or_default()),
            traceback: lines.join("\n"),
        };
        match self.cells.last_mut() {
            Some(cell) => cell.failure = Some(failure),
            None => self.failure = Some(failure),
        }
    }

    pub(super) fn failing_cell(&self) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.failure.is_some())
    }
}

fn count(value: &Value) -> usize {
    value
        .as_u64()
        .and_then(|number| usize::try_from(number).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_printed_in_pieces_is_one_output() {
        let notebook = Notebook::of(&[
            json!({"event": "notebook", "path": "/x", "cells": 2}),
            json!({"event": "cell_started", "cell": 0, "line": 3, "source": "a"}),
            json!({"event": "stream", "name": "stdout", "text": "1\n"}),
            json!({"event": "stream", "name": "stdout", "text": "2\n"}),
            json!({"event": "stream", "name": "stderr", "text": "!\n"}),
            json!({"event": "error", "line": 3, "ename": "E", "evalue": "v", "traceback": []}),
        ]);
        assert_eq!(notebook.cells[0].outputs.len(), 2);
        assert_eq!(
            notebook
                .failing_cell()
                .unwrap()
                .failure
                .as_ref()
                .unwrap()
                .title,
            "E: v"
        );
    }
}
