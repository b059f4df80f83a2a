//! Notebook events of the local workspace: one JSON object per line.
//!
//! docs/architecture.md describes the format. Only what is read here is declared; unknown fields and events
//! are ignored.

use serde::Deserialize;
use xtask_remote::{Transport, local};

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event {
    /// The first line: which notebook, and how many cells it has.
    Notebook {
        /// Path in the workspace, without extension.
        path: String,
        /// Number of cells.
        cells: usize,
    },
    /// A cell begins.
    CellStarted {
        /// Its index, from 0.
        cell: usize,
        title: Option<String>,
        /// Its text.
        source: String,
    },
    /// Something was printed.
    Stream { text: String },
    /// A cell failed.
    Error {
        /// Its index, from 0.
        cell: usize,
        /// Line in the notebook's file, from 1.
        line: Option<usize>,
        /// The exception's class.
        ename: String,
        /// The exception's message.
        evalue: String,
        /// The traceback, with terminal colours.
        #[serde(default)]
        traceback: Vec<String>,
    },
    /// `dbutils.notebook.exit` was called.
    Exit { value: String },
    /// Anything else.
    #[serde(other)]
    Other,
}

/// Parses complete lines; unknown ones are ignored.
pub(crate) fn parse(lines: &str) -> impl Iterator<Item = Event> + '_ {
    lines
        .lines()
        .filter_map(|line| xtask_remote::json::from_str(line).ok())
}

/// All events of a task run; none where the workspace keeps none (Databricks does not).
pub(crate) fn of_task(transport: &dyn Transport, task_run_id: i64) -> Vec<Event> {
    local::events(transport, task_run_id, 0)
        .map(|events| parse(&events.lines).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_events_and_broken_lines_do_no_harm() {
        let lines = r#"{"v":1,"t":1,"event":"notebook","path":"/x","language":"python","cells":4}
{"v":1,"t":2,"event":"invented_later","cell":1}
not json
{"v":1,"t":3,"event":"stream","cell":0,"name":"stdout","text":"hello"}"#;
        let events: Vec<Event> = parse(lines).collect();
        assert_eq!(
            events[0],
            Event::Notebook {
                path: "/x".into(),
                cells: 4
            }
        );
        assert_eq!(
            events[1..],
            [
                Event::Other,
                Event::Stream {
                    text: "hello".into()
                }
            ]
        );
    }
}
