//! Rows of a label and some items, broken between items where the terminal ends.

use crate::terminal_text::{cropped, width};
use crate::ui::{Tone, Ui};

/// Where items start behind a label.
const INDENT: usize = 14;
/// Where they start on a narrow terminal.
const NARROW_INDENT: usize = 4;
const NARROW: usize = 60;

/// Makes rows for one width.
#[derive(Debug, Clone)]
pub(super) struct Rows<'a> {
    pub(super) ui: &'a Ui,
    columns: Option<usize>,
    lines: Vec<String>,
}

impl<'a> Rows<'a> {
    /// Rows for a terminal of some columns; lines of any length where there is none.
    pub(super) fn new(ui: &'a Ui, columns: Option<usize>) -> Rows<'a> {
        Rows {
            ui,
            // Nothing readable fits into less.
            columns: columns.map(|columns| columns.max(20)),
            lines: Vec::new(),
        }
    }

    /// The lines.
    pub(super) fn into_lines(self) -> Vec<String> {
        self.lines
    }

    /// An empty line, unless there is one or nothing stands above.
    pub(super) fn gap(&mut self) {
        if self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.lines.push(String::new());
        }
    }

    /// A label and its items; empty items are left out.
    pub(super) fn row<S: AsRef<str>>(&mut self, label: &str, items: &[S]) {
        let narrow = self.is_narrow();
        let indent = if narrow { NARROW_INDENT } else { INDENT };
        let painted = self.ui.paint(label, Tone::Strong);
        let mut line = match (narrow, label.is_empty()) {
            (_, true) => " ".repeat(indent),
            (true, false) => {
                self.push(&painted);
                " ".repeat(indent)
            }
            (false, false) => {
                let room = (INDENT - 2).saturating_sub(width(label));
                format!("{}{painted}  ", " ".repeat(room))
            }
        };
        let mut empty = true;
        for item in items
            .iter()
            .map(AsRef::as_ref)
            .filter(|item| !item.is_empty())
        {
            let needed = width(&line) + if empty { 0 } else { 3 } + width(item);
            if !empty && self.columns.is_some_and(|columns| needed > columns) {
                self.push(&line);
                line = " ".repeat(indent);
                empty = true;
            }
            if !empty {
                line.push_str(&self.ui.paint(" · ", Tone::Dim));
            }
            line.push_str(item);
            empty = false;
        }
        if !empty || !label.is_empty() {
            self.push(&line);
        }
    }

    /// A line of its own, so far from the left, cropped to the terminal.
    pub(super) fn line(&mut self, indent: usize, text: &str) {
        let indent = if self.is_narrow() {
            indent.min(4)
        } else {
            indent
        };
        self.push(&format!("{}{text}", " ".repeat(indent)));
    }

    fn is_narrow(&self) -> bool {
        self.columns.is_some_and(|columns| columns < NARROW)
    }

    fn push(&mut self, line: &str) {
        let line = match self.columns {
            Some(columns) if width(line) > columns => cropped(line, columns),
            _ => line.to_owned(),
        };
        self.lines.push(line.trim_end().to_owned());
    }
}
