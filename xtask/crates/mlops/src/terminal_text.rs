//! The display width of text, and cutting text to a width.

use dialoguer::console::{measure_text_width, truncate_str};

/// The display width in columns, without colours.
pub(crate) fn width(text: &str) -> usize {
    measure_text_width(text)
}

/// The text cut to `columns`, with `…` where it was cut. Colours stay intact.
pub(crate) fn cropped(text: &str, columns: usize) -> String {
    truncate_str(text, columns, "…").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_are_counted_as_wide() {
        assert_eq!(width("模型"), 4);
        assert_eq!(cropped("模型 and more", 6), "模型 …");
    }
}
