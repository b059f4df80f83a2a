//! Diagnostics of compilers and linters: rustc, clippy, ruff, rustfmt.

use super::{Finding, place};

/// How many unrelated lines may interrupt a diagnostic.
const FOREIGN: usize = 4;

/// All error diagnostics.
pub(super) fn findings(output: &[&str]) -> Vec<Finding> {
    let pointed = (0..output.len()).filter_map(|index| pointed(output, index));
    // ruff prints a count; flake8, which has the same rules, does not.
    let counted = |line: &&str| line.starts_with("Found ") && line.contains(" error");
    let tool = match output.iter().any(counted) {
        true => "ruff",
        false => "flake8",
    };
    let concise = output.iter().filter_map(|line| concise(line, tool));
    let reformatted = (0..output.len()).filter_map(|index| reformatted(output, index));
    pointed.chain(concise).chain(reformatted).collect()
}

/// A heading, then ` --> path:line:column`, then the code: rustc, clippy, ruff.
fn pointed(output: &[&str], heading: usize) -> Option<Finding> {
    let (name, what) = heading_of(output[heading])?;
    let rest = &output[heading + 1..];
    let arrow = rest
        .iter()
        .take(FOREIGN)
        .position(|line| line.trim_start().starts_with("--> "))?;
    let place = place(rest[arrow].trim_start().trim_start_matches("--> "))?;
    let code: Vec<&str> = code_below(&rest[arrow + 1..]);
    let is_clippy = code.iter().any(|line| line.contains("clippy"));
    let tool = match output[heading].starts_with("error") {
        true if is_clippy => "clippy",
        true => "rustc",
        false => "ruff",
    };
    // Skip the hints on how to disable a rule.
    let told = |line: &&str| {
        !line.contains("= note: `-") && !line.contains("= help: ") && line.trim() != "|"
    };
    let shown = code.into_iter().filter(told);
    Some(Finding {
        tool: tool.to_owned(),
        name,
        place: Some(place),
        what,
        lines: [output[heading]]
            .into_iter()
            .chain(shown)
            .map(|line| line.trim_end().to_owned())
            .collect(),
    })
}

/// Rule and message of a heading: `error[E0308]: mismatched types`, ``F401 [*] `os` imported``.
fn heading_of(line: &str) -> Option<(Option<String>, String)> {
    if let Some(rest) = line.strip_prefix("error") {
        let (rule, message) = rest.split_once(": ")?;
        let rule = rule
            .strip_prefix('[')
            .and_then(|rule| rule.strip_suffix(']'));
        return Some((rule.map(str::to_owned), message.to_owned()));
    }
    if let Some(message) = line
        .strip_prefix("unformatted: ")
        .or_else(|| line.strip_prefix("invalid-syntax: "))
    {
        return Some((None, message.to_owned()));
    }
    let (rule, message) = line.split_once(' ')?;
    is_rule(rule).then(|| {
        let message = message.trim_start_matches("[*] ").to_owned();
        (Some(rule.to_owned()), message)
    })
}

/// Whether a word is a ruff rule: letters, then digits.
fn is_rule(word: &str) -> bool {
    let digits = word.trim_start_matches(|c: char| c.is_ascii_uppercase());
    digits.len() < word.len()
        && digits.len() >= 3
        && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The lines of a diagnostic below its arrow; unrelated lines are skipped.
fn code_below<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let mut code = Vec::new();
    let mut foreign = 0;
    for line in lines {
        let text = line
            .trim_start()
            .trim_start_matches(|c: char| c.is_ascii_digit());
        let text = text.trim_start();
        // Suggestions follow.
        let ends = line.is_empty() || line.starts_with("help: ") || line.starts_with("note: ");
        if ends || heading_of(line).is_some() {
            break;
        }
        if text.starts_with(['|', '='])
            || (text.starts_with(['+', '-']) && line.starts_with([' ', '1']))
        {
            code.push(*line);
        } else {
            foreign += 1;
            if foreign > FOREIGN {
                break;
            }
        }
    }
    code
}

/// `path:line:column: RULE message`: flake8, and ruff where it is asked to be brief.
fn concise(line: &str, tool: &str) -> Option<Finding> {
    let place = place(line)?;
    let (_, message) = line.split_once(": ")?;
    let (name, what) = heading_of(message).filter(|(name, _)| name.is_some())?;
    Some(Finding {
        tool: if message.contains("[*]") {
            "ruff"
        } else {
            tool
        }
        .to_owned(),
        name,
        place: Some(place),
        what,
        lines: vec![line.to_owned()],
    })
}

/// `Diff in path:line:` and what rustfmt would change.
fn reformatted(output: &[&str], index: usize) -> Option<Finding> {
    let found = place(output[index].strip_prefix("Diff in ")?)?;
    let changed = |line: &&&str| line.starts_with(['-', '+', ' ']) && !line.trim().is_empty();
    Some(Finding {
        tool: "rustfmt".to_owned(),
        name: None,
        place: Some(found),
        what: "not formatted".to_owned(),
        lines: output[index + 1..]
            .iter()
            .take_while(changed)
            .map(|line| line.trim_end().to_owned())
            .collect(),
    })
}
