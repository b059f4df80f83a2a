//! `cargo xtask completions`: a script that completes `cargo xtask` where people type it.
//!
//! clap completes a program of its own name; a hook for each shell hands it the words after `cargo xtask`, and leaves
//! every other command line to cargo's own completion.

use clap::ValueEnum;
use clap_complete::Shell;

/// The program that clap's script completes.
const NAME: &str = "xtask";

/// Options of `completions`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Shell to complete in.
    pub(super) shell: Supported,
}

/// A shell that a hook is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Supported {
    Bash,
    Zsh,
    Fish,
}

/// zsh has no `compdef` before this, and the script calls it.
const START_OF_ZSH: &str = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }\n";

pub(super) fn script(mut definition: clap::Command, shell: Supported) -> anyhow::Result<String> {
    let (shell, start, end) = match shell {
        Supported::Bash => (
            Shell::Bash,
            "",
            include_str!("completions/hook.bash").to_owned(),
        ),
        Supported::Zsh => (
            Shell::Zsh,
            START_OF_ZSH,
            include_str!("completions/hook.zsh").to_owned(),
        ),
        Supported::Fish => {
            let values = positional_values(&definition);
            (
                Shell::Fish,
                "",
                values + include_str!("completions/hook.fish"),
            )
        }
    };
    let mut script = start.as_bytes().to_vec();
    clap_complete::generate(shell, &mut definition, NAME, &mut script);
    script.extend_from_slice(end.trim_end().as_bytes());
    Ok(String::from_utf8(script)?)
}

/// The values of positional arguments, which clap leaves out for fish.
fn positional_values(definition: &clap::Command) -> String {
    let mut lines = String::new();
    for command in definition.get_subcommands() {
        let arguments = command.get_positionals();
        for value in arguments.flat_map(clap::Arg::get_possible_values) {
            let help = value.get_help().map(ToString::to_string);
            lines += &format!(
                "complete -c {NAME} -n '__fish_{NAME}_using_subcommand {}' -f -a {} -d '{}'\n",
                command.get_name(),
                value.get_name(),
                help.unwrap_or_default().replace('\'', "\\'"),
            );
        }
    }
    lines
}
