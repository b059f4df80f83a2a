//! The start of a reply's body, as an error shows it.

/// The first characters of a body, for an error message.
pub(crate) fn start_of(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(200).collect()
}

/// The start of a body for people: of a web page only its title.
#[must_use]
pub fn readable(body: &[u8]) -> String {
    let start = start_of(body);
    if !start.starts_with('<') {
        return start;
    }
    let text = String::from_utf8_lossy(body);
    let title = text
        .split_once("<title>")
        .and_then(|(_, rest)| rest.split_once("</title>"))
        .map(|(title, _)| title.split_whitespace().collect::<Vec<_>>().join(" "));
    match title {
        Some(title) => format!("a web page instead of an answer: \"{title}\""),
        None => "a web page instead of an answer".to_owned(),
    }
}
