//! Python tracebacks.

use super::Finding;

const START: &str = "Traceback (most recent call last):";

/// The last traceback: its exception and the innermost frame in the project.
pub(super) fn last(output: &[&str]) -> Option<Finding> {
    let start = output.iter().rposition(|line| *line == START)?;
    let body = &output[start + 1..];
    let end = body.iter().position(|line| !line.starts_with(' '))?;
    let mut frames: Vec<(String, Option<&str>)> = Vec::new();
    for line in &body[..end] {
        match frame(line) {
            Some(place) => frames.push((place, None)),
            None => {
                if let Some((_, code @ None)) = frames.last_mut() {
                    *code = Some(line.trim());
                }
            }
        }
    }
    let own = |(place, _): &&(String, _)| {
        !place.contains("/site-packages/")
            && !place.contains("/lib/python")
            && !place.starts_with('<')
    };
    let found = frames.iter().rfind(own).or(frames.last());
    let code = found.and_then(|(_, code)| *code);
    Some(Finding {
        tool: "python".to_owned(),
        name: None,
        place: found.map(|(place, _)| place.clone()),
        what: body[end].to_owned(),
        lines: code
            .map(|code| format!("> {code}"))
            .into_iter()
            .chain([body[end].to_owned()])
            .chain(caused_in_java(&body[end + 1..]))
            .collect(),
    })
}

/// Of an exception that Py4J brings from Java: Java's exception and its root cause, without the long stack
/// between them.
fn caused_in_java(below: &[&str]) -> Vec<String> {
    let of_java = |line: &&&str| {
        let line = line.trim_start();
        line.starts_with("at ")
            || line.starts_with("... ")
            || line.starts_with("Caused by: ")
            || line.starts_with(": ")
    };
    let stack: Vec<&&str> = below.iter().take_while(of_java).collect();
    let first = stack.first().and_then(|line| line.strip_prefix(": "));
    let cause = stack.iter().rfind(|line| line.starts_with("Caused by: "));
    let cause = cause.map(|line| (**line).to_owned());
    first.map(str::to_owned).into_iter().chain(cause).collect()
}

/// An exception group: its message, and each exception with its innermost location.
pub(super) fn group(output: &[&str]) -> Option<Finding> {
    const START: &str = "+ Exception Group Traceback (most recent call last):";
    let start = output.iter().rposition(|line| line.trim_start() == START)?;
    let inside = output[start + 1..].iter().take_while(|line| {
        let line = line.trim_start();
        line.starts_with('|') || line.starts_with("+-")
    });
    let mut what = None;
    let mut lines = Vec::new();
    let mut at = None;
    for line in inside {
        // The bars show the nesting; the text after them is an ordinary traceback.
        let Some(said) = line
            .trim_start_matches([' ', '|', '+'])
            .get(..)
            .filter(|said| !said.is_empty())
        else {
            continue;
        };
        if let Some(place) = frame(said) {
            at = Some(place);
        } else if is_exception(line, said) {
            let place = at.take().map(|place| format!("  {place}"));
            lines.push(format!("{said}{}", place.unwrap_or_default()));
            what = what.or(Some(said.to_owned()));
        }
    }
    let place = lines.first().and_then(|line| line.rsplit_once("  "));
    Some(Finding {
        tool: "python".to_owned(),
        name: None,
        place: place.map(|(_, place)| place.to_owned()),
        what: what?,
        lines,
    })
}

/// Whether a line inside of a group names an exception: `| ValueError: no rows`, with nothing between bar and word.
fn is_exception(line: &str, said: &str) -> bool {
    let next_to_bar = line
        .trim_start()
        .strip_prefix("| ")
        .is_some_and(|rest| rest.starts_with(said));
    let word = said.split(':').next().unwrap_or_default();
    let is_class = word
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
    next_to_bar && is_class && word.starts_with(char::is_alphabetic)
}

/// The place of `  File "path", line 12, in name`.
fn frame(line: &str) -> Option<String> {
    let (path, rest) = line
        .trim()
        .strip_prefix("File \"")?
        .split_once("\", line ")?;
    let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let path = super::in_repository(path);
    Some(format!("{path}:{number}"))
}
