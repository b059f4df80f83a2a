//! The generated part of a pull request's description. It is between two markers, and updates replace only
//! this part.

const BEGIN: &str =
    "<!-- xtask:begin (written by `cargo xtask`, which replaces what is between the marks) -->";
const BEGIN_START: &str = "<!-- xtask:begin";
const END: &str = "<!-- xtask:end -->";

/// GitHub's maximum length of a description, in characters.
pub(crate) const LONGEST_BODY: usize = 65_536;

/// A description with the summary appended, or replacing the earlier one. If the markers were removed, it
/// stays as it is. A summary that is too long is cut.
pub(crate) fn joined(body: &str, summary: &str) -> String {
    let others = match around(body) {
        Some((before, after)) => length(before) + length(after),
        None => length(body) + length("\n\n"),
    };
    let marks = length(BEGIN) + length(END) + length("\n\n");
    let summary = cut(summary, LONGEST_BODY.saturating_sub(others + marks));
    let block = format!("{BEGIN}\n{summary}\n{END}");
    match around(body) {
        Some((before, after)) if summary.is_empty() => format!("{before}{after}").trim().to_owned(),
        Some((before, after)) => format!("{before}{block}{after}"),
        None if summary.is_empty() => body.to_owned(),
        None if body.is_empty() => block,
        None => format!("{body}\n\n{block}"),
    }
}

/// Cuts a text to `most` characters at a line, and says how many lines are missing.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if length(text) <= most {
        return text.to_owned();
    }
    let all = text.lines().count();
    // Reserve space for the last line.
    let mut left = most.saturating_sub(length("- and 1000000 more lines\n"));
    let mut kept = Vec::new();
    for line in text.lines() {
        match left.checked_sub(length(line) + 1) {
            Some(rest) => left = rest,
            None => break,
        }
        kept.push(line);
    }
    if kept.is_empty() {
        return String::new();
    }
    let more = crate::words::count(all - kept.len(), "more line");
    format!("{}\n- and {more}", kept.join("\n"))
}

fn length(text: &str) -> usize {
    text.chars().count()
}

/// The description of an existing pull request with a new summary.
pub(crate) fn renewed(body: &str, summary: &str) -> String {
    match around(body) {
        Some(_) => joined(body, summary),
        None => body.to_owned(),
    }
}

/// Whether a description contains our summary.
pub(crate) fn is_in(body: &str) -> bool {
    around(body).is_some()
}

/// The text before and after our markers.
fn around(body: &str) -> Option<(&str, &str)> {
    let begin = body.find(BEGIN_START)?;
    let end = begin + body[begin..].find(END)? + END.len();
    Some((&body[..begin], &body[end..]))
}

/// Text as inline code in Markdown, whatever it contains.
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
    fn nothing_is_longer_than_github_takes() {
        let line = "- `größe.py`: cell 1 changed\n";
        let summary = line.repeat(4000);
        for body in ["", "Why.", &"x".repeat(60_000), &"x".repeat(LONGEST_BODY)] {
            let joined = joined(body, &summary);
            assert!(joined.chars().count() <= LONGEST_BODY, "{}", joined.len());
            assert!(joined.starts_with(body));
            let again = renewed(&joined, &summary);
            assert!(again == joined, "{} and {}", again.len(), joined.len());
        }
        let joined = joined("Why.", &summary);
        assert!(
            joined.ends_with(&format!("more lines\n{END}")),
            "{}",
            &joined[joined.len() - 99..]
        );
        assert_eq!(cut("a\nb", 3), "a\nb");
    }

    #[test]
    fn names_stay_code_whatever_they_hold() {
        assert_eq!(code("a.py"), "`a.py`");
        assert_eq!(code("a`b"), "`` a`b ``");
        assert_eq!(code("a\nb"), "`a b`");
    }
}
