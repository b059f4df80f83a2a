//! Programs that print their own error: `cargo xtask`, uv, the Databricks CLI, cargo.

use super::{Finding, place};

/// The failed task of a job run, as `cargo xtask` prints it: `error: task Train failed in Train, cell 2,
/// line 31: ValueError: …`.
pub(super) fn failed_task(output: &[&str]) -> Option<Finding> {
    let index = output
        .iter()
        .rposition(|line| line.starts_with("error: task "))?;
    let (task, rest) = output[index]
        .strip_prefix("error: task ")?
        .split_once(" failed")?;
    let (place, what) = match rest.strip_prefix(" in ") {
        Some(rest) => rest.split_once(": ")?,
        None => ("", rest.strip_prefix(": ")?),
    };
    Some(Finding {
        tool: "notebook".to_owned(),
        name: Some(task.to_owned()),
        place: (!place.is_empty()).then(|| place.to_owned()),
        what: what.to_owned(),
        lines: details(&output[index + 1..]),
    })
}

/// The failed task of `databricks bundle run`: `Task Fit FAILED:` or `Error: Task Fit failed!`, then the exception, with
/// its place where the workspace says one, and its traceback.
pub(super) fn task_of_bundle_run(output: &[&str]) -> Option<Finding> {
    let (index, task) = output.iter().enumerate().find_map(|(index, line)| {
        let told = line
            .strip_prefix("Task ")
            .and_then(|line| line.strip_suffix(" FAILED:"));
        let at_end = || line.strip_prefix("Error: Task ")?.strip_suffix(" failed!");
        Some((index, told.or_else(at_end)?))
    })?;
    let below = &output[index + 1..];
    let heading = |line: &str| line.is_empty() || matches!(line, "Error:" | "Trace:");
    let said = below.iter().find(|line| !heading(line))?;
    let (what, place) = match said
        .strip_suffix(')')
        .and_then(|said| said.rsplit_once(" ("))
    {
        Some((what, place)) if place.contains(", line ") => (what, Some(below_files(place))),
        _ => (*said, None),
    };
    // The innermost frame in the bundle, else the innermost frame.
    let ends = |line: &&&str| !line.starts_with("Error: ") && !line.ends_with(" FAILED:");
    let trace: Vec<&str> = below.iter().take_while(ends).copied().collect();
    let of_bundle = |line: &&str| line.starts_with("File ") && line.contains("/files/");
    let frame = trace
        .iter()
        .rposition(of_bundle)
        .or_else(|| trace.iter().rposition(|line| line.starts_with("File ")));
    let mut lines = Vec::new();
    if let Some(frame) = frame {
        lines.push(format!(
            "File {}",
            below_files(trace[frame].trim_start_matches("File "))
        ));
        let arrow = trace[frame..]
            .iter()
            .find(|line| line.trim_start().starts_with("--->"));
        lines.extend(arrow.map(|line| line.trim().to_owned()));
    }
    lines.push(what.to_owned());
    let of_frame = |line: &String| {
        let path = line.strip_prefix("File ")?;
        super::place(path.split(',').next()?)
    };
    Some(Finding {
        tool: "notebook".to_owned(),
        name: Some(task.to_owned()),
        place: place
            .map(str::to_owned)
            .or_else(|| lines.first().and_then(of_frame)),
        what: what.to_owned(),
        lines,
    })
}

/// The bundle-relative path of a deployed file.
fn below_files(path: &str) -> &str {
    match path.split_once("/files/") {
        Some((before, below)) if before.starts_with("/Workspace/") => below,
        _ => path,
    }
}

/// The details that `cargo xtask` prints after a bar: of a traceback the active lines and the exception,
/// else the end.
fn details(lines: &[&str]) -> Vec<String> {
    let said: Vec<&str> = lines
        .iter()
        .map_while(|line| line.strip_prefix("  |"))
        .map(|line| line.trim_end())
        .filter(|line| !line.is_empty())
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    let at_work = |line: &str| line.starts_with("--->") || line.starts_with("File ");
    let (last, before) = match said.split_last() {
        Some((last, before)) if before.iter().any(|line| at_work(line)) => (last, before),
        _ => {
            let end = &said[said.len().saturating_sub(super::SHOWN_LINES)..];
            return end.iter().map(|line| (*line).to_owned()).collect();
        }
    };
    let shown = before.iter().filter(|line| at_work(line)).chain([last]);
    shown.map(|line| in_bundle(line)).collect()
}

/// A traceback line with the bundle-relative path.
fn in_bundle(line: &str) -> String {
    let path = line.strip_prefix("File /Workspace/");
    match path.and_then(|path| path.split_once("/files/")) {
        Some((_, below)) => format!("File {below}"),
        None => line.to_owned(),
    }
}

/// The error that a program ended with: only its explanation follows.
pub(super) fn last_error(output: &[&str]) -> Option<Finding> {
    let index = output.iter().position(|line| starts(line))?;
    // Of several in a row the first one counts; an error followed by other output did not end the step.
    let index = (index..output.len())
        .filter(|index| starts(output[*index]))
        .find(|index| output[*index + 1..].iter().all(|line| belongs(line)))?;
    let what = message(output[index])?.to_owned();
    let shown: Vec<String> = output[index..]
        .iter()
        .map(|line| line.trim_end().to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    let pointed = shown.iter().find_map(|line| {
        let (_, found) = line
            .rsplit_once(" in ")
            .or_else(|| line.split_once("in "))?;
        place(found)
    });
    Some(Finding {
        tool: "error".to_owned(),
        name: None,
        place: pointed,
        what,
        lines: shown,
    })
}

fn starts(line: &str) -> bool {
    message(line).is_some()
}

fn message(line: &str) -> Option<&str> {
    line.strip_prefix("error: ")
        .or_else(|| line.strip_prefix("Error: "))
        .filter(|message| !message.trim().is_empty())
}

/// Whether a line may belong to the error above it.
fn belongs(line: &str) -> bool {
    const STARTS: &[&str] = &[
        "hint: ",
        "help: ",
        "note: ",
        "Caused by:",
        "next: ",
        "because: ",
    ];
    line.is_empty()
        || line.starts_with([' ', '\t', '│', '╰', '├'])
        || starts(line)
        || line.ends_with("...")
        || STARTS.iter().any(|start| line.starts_with(start))
        // The Databricks CLI adds `Endpoint: …`, `HTTP Status: …`.
        || line.split_once(": ").is_some_and(|(name, _)| {
            name.starts_with(char::is_uppercase) && name.split(' ').count() <= 3
        })
}
