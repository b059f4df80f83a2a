//! The terminal's alternate screen, on stderr, for views that repaint.

use std::io::Write as _;

use dialoguer::console::Term;

use super::Ui;
use crate::terminal_text::cropped;

/// The screen. Dropping it restores the terminal.
#[derive(Debug)]
pub(crate) struct Canvas {
    term: Term,
}

impl Ui {
    /// Opens the screen; `None` where lines cannot be repainted.
    pub(crate) fn canvas(&self) -> Option<Canvas> {
        if !self.moving {
            return None;
        }
        let term = Term::stderr();
        // The alternate screen, without a cursor.
        write!(&term, "\u{1b}[?1049h\u{1b}[?25l").ok()?;
        Some(Canvas { term })
    }
}

impl Canvas {
    /// Its columns and rows, as of now.
    pub(crate) fn size(&self) -> (usize, usize) {
        let (rows, columns) = self.term.size();
        (usize::from(columns), usize::from(rows))
    }

    /// Shows these lines from the top and a status line at the bottom; lines that do not fit are counted.
    pub(crate) fn paint(&self, lines: &[String], footer: &str) {
        let (columns, rows) = self.size();
        let room = rows.saturating_sub(2).max(1);
        let mut shown: Vec<String> = lines.iter().take(room).cloned().collect();
        if lines.len() > room {
            shown.pop();
            let more = lines.len() - shown.len();
            shown.push(format!(
                "… {more} more lines; `cargo xtask status` shows them"
            ));
        }
        shown.push(String::new());
        shown.push(footer.to_owned());
        // One write, marked as a synchronized update, so that nothing flickers.
        let mut picture = String::from("\u{1b}[?2026h\u{1b}[H");
        for (index, line) in shown.iter().take(rows.max(1)).enumerate() {
            if index > 0 {
                picture.push_str("\r\n");
            }
            picture.push_str(&cropped(line, columns));
            picture.push_str("\u{1b}[K");
        }
        picture.push_str("\u{1b}[J\u{1b}[?2026l");
        let _ = (&self.term).write_all(picture.as_bytes());
        let _ = self.term.flush();
    }
}

impl Drop for Canvas {
    fn drop(&mut self) {
        let _ = write!(&self.term, "\u{1b}[?25h\u{1b}[?1049l");
        let _ = self.term.flush();
    }
}
