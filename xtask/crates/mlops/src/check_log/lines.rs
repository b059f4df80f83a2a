//! The format of a GitHub Actions log: timestamped lines, groups, steps in sequence.

use dialoguer::console::strip_ansi_codes;

use crate::ui;

/// One step's part of a log.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// GitHub's default name of a step: `Run …`.
    pub(super) name: Option<String>,
    /// Its output, without the command.
    pub(super) output: Vec<String>,
    /// Lines that GitHub marks as errors.
    pub(super) errors: Vec<String>,
    /// The timestamp of its first line.
    pub(super) began: Option<String>,
}

/// The first line of a cleanup.
const CLEANUP: &str = "Post job cleanup.";

impl Step {
    pub(super) fn is_cleanup(&self) -> bool {
        self.name.as_deref() == Some(CLEANUP)
    }
}

/// The steps of a log in order; the first entry is the part before them.
pub(super) fn steps(log: &str) -> Vec<Step> {
    let mut steps = vec![Step::default()];
    // The group with the step's name holds its command, shell and environment.
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

/// A line without timestamp, colours and control sequences.
pub(super) fn plain(line: &str) -> String {
    let line = line.trim_start_matches('\u{feff}');
    let line = match line.split_once(' ') {
        Some((time, rest)) if is_time(time) => rest,
        _ if is_time(line) => "",
        _ => line,
    };
    // Of a repainted progress bar keep the last state.
    let line = line.trim_end_matches('\r');
    let line = line.rsplit('\r').next().unwrap_or(line);
    ui::safe(&strip_ansi_codes(line)).into_owned()
}

/// Whether a word is a GitHub timestamp: `2026-11-24T09:12:01.2048170Z`.
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
