//! A Python program that ended with an exception.

use super::Finding;

const START: &str = "Traceback (most recent call last):";

/// The last traceback: the exception, and the innermost line that is the project's own.
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
            .collect(),
    })
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
