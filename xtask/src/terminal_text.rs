//! Text that somebody else wrote, made fit for a terminal: harmless, and as wide as there is room.

use dialoguer::console::{measure_text_width, strip_ansi_codes, truncate_str};

/// Text of a remote service, a log, a branch name: without escape sequences, without characters that a
/// terminal obeys (C0, C1), and without those that reorder or hide what a person reads.
pub(crate) fn harmless(text: &str) -> String {
    strip_ansi_codes(text)
        .chars()
        .filter(|c| *c == '\t' || *c == '\n' || !(c.is_control() || deceives(*c)))
        .collect()
}

/// The same on one line: lines that follow are left out.
pub(crate) fn harmless_line(text: &str) -> String {
    let first = text.trim().lines().next().unwrap_or_default();
    harmless(first).replace('\t', " ").trim_end().to_owned()
}

/// Bidirectional controls, and what has no width and no use here.
fn deceives(c: char) -> bool {
    matches!(c,
        '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
        | '\u{feff}' | '\u{061c}' | '\u{e0000}'..='\u{e007f}')
}

/// How many columns a text takes, without its colours.
pub(crate) fn width(text: &str) -> usize {
    measure_text_width(text)
}

/// A text that takes at most `columns`; what is cut off is told by `…`. Colours stay whole.
pub(crate) fn cropped(text: &str, columns: usize) -> String {
    truncate_str(text, columns, "…").into_owned()
}

/// A text followed by spaces, so that it takes at least `columns`.
pub(crate) fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_taken_out() {
        let hostile = "a\u{1b}[2J\u{1b}]8;;https://x\u{7}b\u{1b}]8;;\u{7}\u{9b}31mc\u{202e}d\u{8}\u{0}e\u{7f}";
        let text = harmless(hostile);
        assert!(
            !text.chars().any(|c| c.is_control() || deceives(c)),
            "{text:?}"
        );
        assert!(text.starts_with('a') && text.ends_with('e'), "{text:?}");
    }

    #[test]
    fn letters_of_every_script_and_emoji_stay() {
        for text in ["Größe", "данные", "模型", "נתונים", "🚕 taxi", "a\tb\nc"] {
            assert_eq!(harmless(text), text);
        }
        assert_eq!(harmless_line("\n first\tone \n second"), "first one");
    }

    #[test]
    fn wide_characters_are_counted_as_wide() {
        assert_eq!(width("模型"), 4);
        assert_eq!(cropped("模型 and more", 6), "模型 …");
        assert_eq!(padded("模型", 6), "模型  ");
    }
}
