//! How wide a text is at a terminal, and making it as wide as there is room.

use dialoguer::console::{measure_text_width, truncate_str};

/// How many columns a text takes, without its colours.
pub(crate) fn width(text: &str) -> usize {
    measure_text_width(text)
}

/// A text that takes at most `columns`; what is cut off is told by `…`. Colours stay whole.
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
