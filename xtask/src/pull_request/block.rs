//! The part of a pull request's description that we write. It stands between two marks, and only what is
//! between them is replaced when the pull request is updated: the rest is a person's.

const BEGIN: &str =
    "<!-- xtask:begin (written by `cargo xtask`, which replaces what is between the marks) -->";
const BEGIN_START: &str = "<!-- xtask:begin";
const END: &str = "<!-- xtask:end -->";

/// A description with the summary at its end, or in place of an earlier one. One whose marks a person
/// removed stays as it is.
pub(crate) fn joined(body: &str, summary: &str) -> String {
    let block = format!("{BEGIN}\n{summary}\n{END}");
    match around(body) {
        Some((before, after)) if summary.is_empty() => format!("{before}{after}").trim().to_owned(),
        Some((before, after)) => format!("{before}{block}{after}"),
        None if summary.is_empty() => body.to_owned(),
        None if body.is_empty() => block,
        None => format!("{body}\n\n{block}"),
    }
}

/// The description of a pull request that is there, with a new summary.
pub(crate) fn renewed(body: &str, summary: &str) -> String {
    match around(body) {
        Some(_) => joined(body, summary),
        None => body.to_owned(),
    }
}

/// Whether a description holds a summary of ours.
pub(crate) fn is_in(body: &str) -> bool {
    around(body).is_some()
}

/// What stands before and after our marks.
fn around(body: &str) -> Option<(&str, &str)> {
    let begin = body.find(BEGIN_START)?;
    let end = begin + body[begin..].find(END)? + END.len();
    Some((&body[..begin], &body[end..]))
}

/// Text as code in Markdown, whatever it holds.
pub(crate) fn code(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ");
    let mut longest = 0;
    let mut run = 0;
    for character in text.chars() {
        run = if character == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    match longest {
        0 => format!("{fence}{text}{fence}"),
        _ => format!("{fence} {text} {fence}"),
    }
}

/// `1 cell`, `2 cells`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        number => format!("{number} {thing}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_is_replaced() {
        let first = joined("Why.", "one");
        assert!(first.starts_with("Why.\n\n<!-- xtask:begin"));
        let edited = format!("{}\n\nA word after.", first.replace("Why.", "Why, better."));
        let second = renewed(&edited, "two");
        assert!(second.starts_with("Why, better."), "{second}");
        assert!(second.ends_with("A word after."), "{second}");
        assert!(
            second.contains("two") && !second.contains("one"),
            "{second}"
        );
        assert_eq!(renewed("the marks are gone", "two"), "the marks are gone");
        assert_eq!(joined("Why.", ""), "Why.");
        assert_eq!(renewed(&joined("Why.", "one"), ""), "Why.");
    }

    #[test]
    fn names_stay_code_whatever_they_hold() {
        assert_eq!(code("a.py"), "`a.py`");
        assert_eq!(code("a`b"), "`` a`b ``");
        assert_eq!(code("a\nb"), "`a b`");
    }
}
