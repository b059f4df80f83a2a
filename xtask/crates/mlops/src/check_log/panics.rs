//! Panics of Rust programs and tests.

use super::{Finding, place};

/// Each `thread '…' panicked at …` with its message.
pub(super) fn findings(output: &[&str]) -> Vec<Finding> {
    let starts = output.iter().enumerate().filter_map(|(index, line)| {
        let (thread, found) = line.split_once(" panicked at ")?;
        let name = thread.strip_prefix("thread '")?.split('\'').next()?;
        Some((index, name, place(found)?))
    });
    starts
        .map(|(index, name, place)| {
            let ends = |line: &&&str| {
                !line.is_empty()
                    && !line.starts_with("stack backtrace:")
                    && !line.starts_with("note: ")
            };
            let message: Vec<String> = output[index + 1..]
                .iter()
                .take_while(ends)
                .map(|line| (*line).to_owned())
                .collect();
            Finding {
                tool: "panic".to_owned(),
                name: Some(name.to_owned()),
                place: Some(place),
                what: message.first().cloned().unwrap_or_default(),
                lines: message,
            }
        })
        .collect()
}
