//! docs/cli.md, made from the definition of the command line.

use std::fmt::Write as _;

use clap::builder::StyledStr;
use clap::{Arg, Command};

use super::help::GROUPS;

/// The heading of the options that every command has.
const GLOBAL: &str = "Global options";

const TOP: &str = "\
# Command line

<!-- Generated. To update: SNAPSHOTS=overwrite cargo test --package xtask-mlops --lib cli:: -->

`cargo xtask COMMAND -h` prints the short form of this page for a command, and `--help` all of it.
[Completions](tools.md#completions) are there for bash, zsh and fish.
";

/// The page. `commands` are all commands with what follows `cargo xtask`, the root first.
pub(super) fn page(commands: &[(String, Command)]) -> String {
    let mut page = TOP.to_owned();
    for (group, names) in GROUPS {
        let links: Vec<_> = names
            .iter()
            .filter(|name| **name != "help")
            .map(|name| format!("[`{name}`](#{name})"))
            .collect();
        let _ = write!(page, "\n**{group}**: {}\n", links.join(", "));
    }
    if let Some((_, root)) = commands.first() {
        let _ = write!(page, "\n## {GLOBAL}\n\n{}", table(root, true));
    }
    for (path, command) in commands.iter().filter(|(path, _)| !path.is_empty()) {
        let level = if path.contains(' ') { "###" } else { "##" };
        let _ = write!(page, "\n{level} {path}\n\n{}", section(command));
    }
    page
}

fn section(command: &Command) -> String {
    let about = command.get_long_about().or(command.get_about());
    let about = about.map(paragraphs).unwrap_or_default();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let examples = command.get_after_long_help().map(ToString::to_string);
    let examples: Vec<_> = examples
        .iter()
        .flat_map(|text| text.lines().skip(1))
        .map(|line| line.trim_start().trim_start_matches("$ "))
        .collect();
    let mut text = format!("{about}\n\n```text\n{usage}\n```\n");
    let table = table(command, false);
    if !table.is_empty() {
        let _ = write!(text, "\n{table}");
    }
    let _ = write!(text, "\n```sh\n{}\n```\n", examples.join("\n"));
    text
}

/// The arguments and options of a command: those that every command has, or its own.
fn table(command: &Command, global: bool) -> String {
    let rows: String = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && (arg.get_help_heading() == Some(GLOBAL)) == global)
        .map(|arg| format!("| {} | {} |\n", name(arg), meaning(arg)))
        .collect();
    match rows.as_str() {
        "" => rows,
        rows => format!("| argument | meaning |\n|---|---|\n{rows}"),
    }
}

fn name(arg: &Arg) -> String {
    let long = format!("`{arg}`");
    match arg.get_short() {
        Some(short) => format!("`-{short}`, {long}"),
        None => long,
    }
}

fn meaning(arg: &Arg) -> String {
    let help = arg.get_long_help().or(arg.get_help());
    let mut text = help.map(paragraphs).unwrap_or_default();
    let values = arg.get_possible_values();
    if !values.is_empty() && arg.get_action().takes_values() {
        let values: Vec<_> = values
            .iter()
            .map(|value| match value.get_help() {
                Some(help) => format!("`{}` ({help})", value.get_name()),
                None => format!("`{}`", value.get_name()),
            })
            .collect();
        let _ = write!(text, ": {}", values.join(", "));
    }
    if let [default] = arg.get_default_values()
        && arg.get_action().takes_values()
    {
        let _ = write!(text, " [default: `{}`]", default.display());
    }
    text.replace("\n\n", " ").replace('|', "\\|")
}

/// Text as Markdown; what looks like a tag is none.
fn paragraphs(text: &StyledStr) -> String {
    text.to_string().trim().replace('<', "&lt;")
}
