//! The form of a log on GitHub Actions: a time before each line, groups, one after the other the steps.

use dialoguer::console::strip_ansi_codes;

use crate::ui;

/// The part of a log that belongs to one step.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// Its name, as GitHub shows it for a step without one: `Run …`.
    pub(super) name: Option<String>,
    /// What its program said, without the command itself.
    pub(super) output: Vec<String>,
    /// What GitHub marks as errors.
    pub(super) errors: Vec<String>,
    /// The time of its first line.
    pub(super) began: Option<String>,
}

/// What an action says first that cleans up.
const CLEANUP: &str = "Post job cleanup.";

impl Step {
    /// Whether it runs after the job's own steps, to clean up.
    pub(super) fn is_cleanup(&self) -> bool {
        self.name.as_deref() == Some(CLEANUP)
    }
}

/// The steps of a log, in order; first what happened before the first of them.
pub(super) fn steps(log: &str) -> Vec<Step> {
    let mut steps = vec![Step::default()];
    // The command, its shell and its environment stand in a group that carries the step's name.
    let mut in_command = false;
    for line in log.lines() {
        let time = line.trim_start_matches('\u{feff}').split(' ').next();
        let time = time.filter(|time| is_time(time));
        let line = plain(line);
        let mut start = |name: &str| {
            steps.push(Step {
                name: Some(name.to_owned()),
                began: time.map(str::to_owned),
                ..Step::default()
            });
        };
        if let Some(group) = line.strip_prefix("##[group]") {
            if group.starts_with("Run ") {
                start(group);
                in_command = true;
            }
            continue;
        }
        if line == "##[endgroup]" {
            in_command = false;
            continue;
        }
        if line == CLEANUP {
            start(&line);
            continue;
        }
        let Some(step) = steps.last_mut().filter(|_| !in_command) else {
            continue;
        };
        match line.strip_prefix("##[error]") {
            Some(error) => step.errors.push(error.to_owned()),
            None => step.output.push(line),
        }
    }
    steps
}

/// A line without its time, without colours, and without what a terminal would obey.
pub(super) fn plain(line: &str) -> String {
    let line = line.trim_start_matches('\u{feff}');
    let line = match line.split_once(' ') {
        Some((time, rest)) if is_time(time) => rest,
        _ if is_time(line) => "",
        _ => line,
    };
    // A bar that repaints itself leaves its last state behind.
    let line = line.trim_end_matches('\r');
    let line = line.rsplit('\r').next().unwrap_or(line);
    ui::safe(&strip_ansi_codes(line)).into_owned()
}

/// Whether a word is a time as GitHub writes it: `2026-11-24T09:12:01.2048170Z`.
fn is_time(word: &str) -> bool {
    let shape = |(index, byte): (usize, u8)| match index {
        4 | 7 => byte == b'-',
        10 => byte == b'T',
        13 | 16 => byte == b':',
        19 => byte == b'.',
        _ => byte.is_ascii_digit(),
    };
    word.len() >= 21
        && word.ends_with('Z')
        && word.bytes().enumerate().take(word.len() - 1).all(shape)
}
