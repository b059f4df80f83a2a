//! The process environment, read once at start.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::IsTerminal as _;

use camino::Utf8PathBuf;

use crate::vars;

/// The environment variables and terminal facts that commands need.
#[derive(Debug, Clone)]
pub(crate) struct Env {
    /// The current folder.
    pub(crate) cwd: Utf8PathBuf,
    /// The arguments of `cargo xtask`.
    pub(crate) arguments: Vec<String>,
    /// Whether a CI system runs us.
    pub(crate) ci: bool,
    /// Whether downloads are forbidden.
    pub(crate) offline: bool,
    /// Whether standard input is a terminal.
    pub(crate) stdin_is_terminal: bool,
    /// Whether standard output is a terminal with escape sequences.
    pub(crate) stdout_is_terminal: bool,
    /// Whether standard error is a terminal that can move its cursor.
    pub(crate) stderr_is_terminal: bool,
    pub(crate) colour: bool,
    /// Whether to colour output that is not a terminal, too.
    pub(crate) colour_forced: bool,
    variables: BTreeMap<String, String>,
}

impl Env {
    /// Reads the environment of this process.
    pub(crate) fn read() -> anyhow::Result<Env> {
        let cwd = Utf8PathBuf::try_from(std::env::current_dir()?)?;
        // `vars()` panics on a value that is not UTF-8; such a variable is of no use to us.
        let variables: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let get = |name: &str| variables.get(name).map(String::as_str).unwrap_or_default();
        let dumb = get(vars::TERM) == "dumb";
        let stderr_is_terminal = std::io::stderr().is_terminal() && !dumb;
        let forced = !matches!(get(vars::CLICOLOR_FORCE), "" | "0");
        Ok(Env {
            cwd,
            arguments: std::env::args_os()
                .skip(1)
                .map(|argument| argument.to_string_lossy().into_owned())
                .collect(),
            ci: !matches!(get(vars::CI), "" | "0" | "false"),
            offline: !matches!(get(vars::XTASK_OFFLINE), "" | "0" | "false"),
            stdin_is_terminal: std::io::stdin().is_terminal(),
            stdout_is_terminal: std::io::stdout().is_terminal() && !dumb,
            stderr_is_terminal,
            colour_forced: get(vars::NO_COLOR).is_empty() && forced,
            colour: get(vars::NO_COLOR).is_empty() && (forced || stderr_is_terminal),
            variables,
        })
    }

    /// The command line to type with one more option.
    pub(crate) fn command_line_with(&self, option: &str) -> String {
        let last = self.arguments.iter().position(|argument| argument == "--");
        let (before, after) = self
            .arguments
            .split_at(last.unwrap_or(self.arguments.len()));
        let words = ["cargo", "xtask"].into_iter();
        let words = words.chain(before.iter().map(String::as_str));
        let words = words
            .chain([option])
            .chain(after.iter().map(String::as_str));
        words.map(quoted).collect::<Vec<_>>().join(" ")
    }

    /// The value of a variable; `None` when unset or empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The cargo that runs us, else the one on PATH.
    pub(crate) fn cargo(&self) -> &str {
        self.get(vars::CARGO).unwrap_or("cargo")
    }

    /// The GitHub Actions run around this process and its actor; `None` elsewhere.
    pub(crate) fn workflow_run(&self) -> Option<String> {
        let part = |name| self.get(name);
        let actor = part(vars::GITHUB_ACTOR)?;
        let server = part(vars::GITHUB_SERVER_URL)?;
        let (repository, run) = (part(vars::GITHUB_REPOSITORY)?, part(vars::GITHUB_RUN_ID)?);
        Some(format!(
            "{actor} ({server}/{repository}/actions/runs/{run})"
        ))
    }

    /// Replaces the variables, for tests.
    #[cfg(test)]
    pub(crate) fn replace_variables(&mut self, variables: &[(&str, &str)]) {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        self.variables = variables.iter().map(owned).collect();
    }

    /// All variables, for building the environment of a child.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// A word of a command line, as a shell takes it.
pub(crate) fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:=,@%+".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => Cow::Borrowed(word),
        false => Cow::Owned(format!("'{}'", word.replace('\'', r"'\''"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_can_be_typed_again() {
        let mut env = Env::read().unwrap();
        env.arguments = ["open-pr", "--title", "It's new"].map(str::to_owned).into();
        assert_eq!(
            env.command_line_with("--yes"),
            r"cargo xtask open-pr --title 'It'\''s new' --yes"
        );
        env.arguments = ["promote", "--", "12"].map(str::to_owned).into();
        assert_eq!(
            env.command_line_with("--yes"),
            "cargo xtask promote --yes -- 12"
        );
    }
}
