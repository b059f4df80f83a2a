//! The layout of `--help`: commands in groups, and examples at the end of each command.

use std::fmt::Write as _;

use clap::Command;
use clap::builder::StyledStr;
use clap::builder::styling::{AnsiColor, Style, Styles};

use super::examples;

/// The groups of `cargo xtask --help`. Each command is in one of them.
pub(super) const GROUPS: [(&str, &[&str]); 4] = [
    ("First steps", &["init", "setup", "test"]),
    (
        "Daily work",
        &["status", "open-pr", "logs", "rerun", "merge"],
    ),
    (
        "Environments",
        &["deploy", "run", "promote", "model", "data", "destroy"],
    ),
    ("Tool", &["workspace", "ci", "bench", "completions", "help"]),
];

/// The group of the commands that a project adds.
const OWN: &str = "This project";

const HEADER: Style = AnsiColor::Green.on_default().bold();
const LITERAL: Style = AnsiColor::Cyan.on_default().bold();

/// Gives each command its layout of help; `own` are the commands that the project adds.
pub(super) fn grouped(root: Command, own: &[&str]) -> Command {
    let styles = Styles::styled()
        .header(HEADER)
        .usage(HEADER)
        .literal(LITERAL)
        .placeholder(AnsiColor::Cyan.on_default());
    let mut root = root.styles(styles);
    // Before this there is no `help` among them.
    root.build();
    let root = with_plain_help(root);
    let template = template(&root, own);
    root.help_template(template)
}

/// clap has no groups of subcommands, so the template holds the list.
fn template(root: &Command, own: &[&str]) -> StyledStr {
    let mut text = String::from("{about-with-newline}\n{usage-heading} {usage}\n");
    let names = root
        .get_subcommands()
        .map(|command| command.get_name().len());
    let width = names.max().unwrap_or_default();
    let [groups @ .., tool] = GROUPS;
    for (title, names) in groups.into_iter().chain([(OWN, own), tool]) {
        if names.is_empty() {
            continue;
        }
        let _ = write!(text, "\n{HEADER}{title}:{HEADER:#}\n");
        for name in names {
            let about = root.find_subcommand(name).and_then(Command::get_about);
            let about = about.map(StyledStr::to_string).unwrap_or_default();
            let _ = writeln!(text, "  {LITERAL}{name:<width$}{LITERAL:#}  {about}");
        }
    }
    let _ = write!(
        text,
        "\n{HEADER}Global options:{HEADER:#}\n{{options}}{{after-help}}"
    );
    text.into()
}

/// Ends the `--help` of a command and of those below it with examples. `path` is what follows `cargo xtask`.
pub(super) fn with_examples(command: Command, path: &str) -> Command {
    let command = command.mut_subcommands(|below| {
        let path = format!("{path} {}", below.get_name());
        with_examples(below, path.trim_start())
    });
    match examples::of(path) {
        [] => command,
        examples => command.after_long_help(rendered(examples)),
    }
}

/// Says what `help` is in our words.
fn with_plain_help(command: Command) -> Command {
    command.mut_subcommands(|below| match below.get_name() {
        "help" => below.about("Print help for a command"),
        _ => with_plain_help(below),
    })
}

fn rendered(examples: &[examples::Example]) -> StyledStr {
    let mut text = format!("{HEADER}Examples:{HEADER:#}");
    for (what, line) in examples {
        let _ = write!(text, "\n  # {what}\n  $ {LITERAL}{line}{LITERAL:#}");
    }
    text.into()
}
