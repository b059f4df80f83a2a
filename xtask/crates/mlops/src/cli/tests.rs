//! What every command line must have: a group, examples that parse, and help that a snapshot holds.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Command;
use snapbox::IntoData as _;

use super::{Cli, completions, help, reference};

/// A command of a project's own.
#[derive(Debug, clap::Args)]
struct Hello {
    /// Who to greet.
    #[arg(default_value = "world")]
    name: String,
}

fn definition() -> Command {
    let mut definition = Cli::new().parser().term_width(100);
    definition.build();
    definition
}

/// Every command, with what follows `cargo xtask` to call it: `""`, `"deploy"`, `"workspace up"`.
fn commands(command: &Command, path: &str) -> Vec<(String, Command)> {
    let below = command
        .get_subcommands()
        .filter(|below| below.get_name() != "help");
    let below = below.flat_map(|below| {
        let path = format!("{path} {}", below.get_name());
        commands(below, path.trim_start())
    });
    let itself = (path.to_owned(), command.clone());
    std::iter::once(itself).chain(below).collect()
}

#[test]
fn the_command_line_is_consistent() {
    Cli::new().parser().debug_assert();
}

#[test]
fn each_command_is_in_one_group() {
    let listed: Vec<_> = help::GROUPS
        .iter()
        .flat_map(|(_, names)| names.iter().copied())
        .collect();
    let once: BTreeSet<_> = listed.iter().copied().collect();
    assert_eq!(
        listed.len(),
        once.len(),
        "a command is in two groups: {listed:?}"
    );
    let definition = definition();
    let visible = definition
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    let visible: BTreeSet<_> = visible.map(Command::get_name).collect();
    assert_eq!(once, visible);
}

#[test]
fn the_list_of_commands_fits_80_columns() {
    for line in definition().render_help().to_string().lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn a_command_of_the_project_is_listed_in_a_group_of_its_own() {
    let cli = Cli::new().command("hello", "Greet someone", |_, _: &Hello| Ok(()));
    let help = cli.parser().render_help().to_string();
    assert!(
        help.contains("\n\nThis project:\n  hello        Greet someone\n\nTool:\n"),
        "{help}"
    );
    let script = completions::script(cli.definition(), completions::Supported::Bash).unwrap();
    assert!(script.contains("xtask,hello)"), "{script}");
    assert!(
        !definition()
            .render_help()
            .to_string()
            .contains("This project")
    );
}

#[test]
fn every_command_has_examples_that_parse() {
    for (path, mut command) in commands(&definition(), "") {
        let help = command.render_long_help().to_string();
        let examples: Vec<_> = help
            .lines()
            .filter_map(|line| line.strip_prefix("  $ "))
            .collect();
        assert!((2..=3).contains(&examples.len()), "{path}: {examples:?}");
        for line in examples {
            let bare = line
                .strip_prefix("eval \"$(")
                .and_then(|line| line.strip_suffix(")\""));
            let bare = bare.unwrap_or(line);
            let words = words(bare.split(" > ").next().unwrap_or(bare));
            assert!(
                line.contains(&format!("cargo xtask {path}")),
                "{path}: {line}"
            );
            let parsed = Cli::new().parser().try_get_matches_from(&words[1..]);
            assert!(parsed.is_ok(), "`{line}`: {}", parsed.unwrap_err());
        }
    }
}

/// The words of a command line, as a shell parts them.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('"').enumerate();
    parts
        .flat_map(|(number, part)| match number % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        })
        .collect()
}

/// To update the files: `SNAPSHOTS=overwrite cargo test --package xtask-mlops --lib cli::`.
#[test]
fn the_help_of_every_command_is_in_a_snapshot() {
    let folder = Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/help");
    let mut known = BTreeSet::new();
    for (path, mut command) in commands(&definition(), "") {
        let name = match path.as_str() {
            "" => "xtask.txt".to_owned(),
            path => format!("{}.txt", path.replace(' ', "-")),
        };
        let line = format!("cargo xtask {path}");
        let line = line.trim_end();
        let text = format!(
            "$ {line} -h\n{}\n$ {line} --help\n{}",
            command.render_help(),
            command.render_long_help()
        );
        let text: String = text
            .lines()
            .map(|line| line.trim_end().to_owned() + "\n")
            .collect();
        is_in(&text, &folder.join(&name));
        known.insert(name);
    }
    let files = folder.read_dir_utf8().unwrap();
    let files = files.map(|file| file.unwrap().file_name().to_owned());
    assert_eq!(
        files.collect::<BTreeSet<_>>(),
        known,
        "a file without a command"
    );
}

#[test]
fn the_page_of_the_docs_is_generated_from_the_command_line() {
    let page = reference::page(&commands(&definition(), ""));
    let docs = Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../docs");
    is_in(&page, &docs.join("cli.md"));
}

/// Compares text with a file, or writes it there with `SNAPSHOTS=overwrite`, as the failure says.
fn is_in(text: &str, file: &Utf8Path) {
    let expected = snapbox::Data::read_from(file.as_std_path(), None).raw();
    snapbox::Assert::new()
        .action_env("SNAPSHOTS")
        .eq(text.into_data().raw(), expected);
}

#[test]
fn every_command_has_a_man_page_with_its_examples() {
    let folder = tempfile::tempdir().unwrap();
    clap_mangen::generate_to(Cli::new().definition(), folder.path()).unwrap();
    for (path, _) in commands(&definition(), "") {
        let name = format!("cargo-xtask {path}").trim_end().replace(' ', "-") + ".1";
        let page = std::fs::read_to_string(folder.path().join(&name)).unwrap();
        assert!(page.contains("Examples:"), "{name}: {page}");
    }
}
