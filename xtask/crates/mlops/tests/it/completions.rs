//! Tab completes `cargo xtask` in bash, zsh and fish, as people have them set up.
//! `cargo xtask ci --only completions` runs these: they need the shells.

use std::path::Path;
use std::process::Command;

use xtask_testkit::{Said, Terminal, repository};

/// What is typed, and the arguments that cargo then gets.
const XTASK: &[(&str, &str)] = &[
    ("cargo xtask op\t", "xtask open-pr"),
    ("cargo xtask workspace pr\t", "xtask workspace principal"),
    (
        "cargo xtask --quiet deploy --dry\t",
        "xtask --quiet deploy --dry-run",
    ),
    ("cargo xtask completions fi\t", "xtask completions fish"),
    ("cargo +nightly xtask mer\t", "+nightly xtask merge"),
    ("cargo xt\t", "xtask"),
];
/// A command of cargo's own, which something else completes.
const CARGO: (&str, &str) = ("cargo benc\t", "bench");

/// A cargo that tells what it was given, a prompt to wait for, and nothing to complete cargo.
const BASH: &str =
    "cargo() { echo \"got: $*.\"; }\nPS1='ready> '\nunset -f _comp_load _completion_loader\n";
const ZSH: &str = "cargo() { echo \"got: $*.\"; }\nPS1='ready> '\n";
const FISH: &str =
    "function cargo; echo \"got: $argv.\"; end\nfunction fish_prompt; echo 'ready> '; end\n";

/// cargo's own completion, or what stands for it.
const BASH_OWN: &str = "_own() { COMPREPLY=($(compgen -W 'bench build xtask' -- \"$2\")); }\n";
const ZSH_OWN: &str = "autoload -Uz compinit && compinit -u\n_own() { compadd bench build xtask }\ncompdef _own cargo\n";

fn script(shell: &str) -> String {
    let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask-mlops"));
    xtask.args(["completions", shell]).current_dir(repository());
    let said = Said::from(xtask.output().unwrap());
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    said.stdout
}

/// A shell at a terminal, with a home of its own that holds this startup file.
fn shell(program: &str, args: &[&str], startup: (&str, &str)) -> (tempfile::TempDir, Terminal) {
    let home = tempfile::tempdir().unwrap();
    let (file, text) = startup;
    let file = home.path().join(file);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
    let mut command = Command::new(program);
    let path = std::env::var_os("PATH").unwrap();
    command
        .args(args)
        .env("PATH", path)
        .env("HOME", home.path());
    command.env("LC_ALL", "C.UTF-8").current_dir(home.path());
    let terminal = Terminal::run(&command, 200);
    (home, terminal)
}

fn bash(startup: &str) -> (tempfile::TempDir, Terminal) {
    let text = format!("{BASH}{startup}");
    shell(
        "bash",
        &["--noprofile", "--rcfile", ".bashrc", "-i"],
        (".bashrc", &text),
    )
}

fn completes(terminal: &mut Terminal, typed: &[(&str, &str)]) {
    for (keys, arguments) in typed {
        terminal.wait_for("ready>");
        terminal.types(&format!("{keys}\r"));
        terminal.wait_for(&format!("got: {arguments}."));
    }
}

#[test]
#[ignore = "needs bash: cargo xtask ci --only completions"]
fn bash_completes_with_nothing_else_set_up() {
    let (_home, mut terminal) = bash(&script("bash"));
    completes(&mut terminal, XTASK);
}

#[test]
#[ignore = "needs bash: cargo xtask ci --only completions"]
fn bash_keeps_what_completed_cargo_before() {
    let startup = format!("{BASH_OWN}complete -F _own cargo\n{}", script("bash"));
    let (_home, mut terminal) = bash(&startup);
    completes(&mut terminal, &[CARGO]);
    completes(&mut terminal, XTASK);
}

#[test]
#[ignore = "needs bash: cargo xtask ci --only completions"]
fn bash_keeps_what_is_loaded_when_it_is_first_needed() {
    let loader = "_completion_loader() { complete -F _own \"$1\"; return 124; }\n";
    let startup = format!("{BASH_OWN}{loader}{}", script("bash"));
    let (_home, mut terminal) = bash(&startup);
    completes(&mut terminal, &[CARGO]);
    completes(&mut terminal, XTASK);
}

#[test]
#[ignore = "needs zsh: cargo xtask ci --only completions"]
fn zsh_completes_with_nothing_else_set_up() {
    let startup = format!("{ZSH}{}", script("zsh"));
    let (_home, mut terminal) = shell("zsh", &["-d", "-i"], (".zshrc", &startup));
    completes(&mut terminal, XTASK);
}

#[test]
#[ignore = "needs zsh: cargo xtask ci --only completions"]
fn zsh_keeps_what_completed_cargo_before() {
    // Loaded twice, as when .zshrc is sourced again.
    let script = script("zsh");
    let startup = format!("{ZSH}{ZSH_OWN}{script}\n{script}");
    let (_home, mut terminal) = shell("zsh", &["-d", "-i"], (".zshrc", &startup));
    completes(&mut terminal, &[CARGO]);
    completes(&mut terminal, XTASK);
}

#[test]
#[ignore = "needs fish: cargo xtask ci --only completions"]
fn fish_completes_beside_its_own_completion_of_cargo() {
    let startup = format!("{FISH}{}", script("fish"));
    let file = Path::new(".config/fish/conf.d/cargo-xtask.fish");
    let (_home, mut terminal) = shell("fish", &["-i"], (file.to_str().unwrap(), &startup));
    completes(&mut terminal, XTASK);
    completes(&mut terminal, &[CARGO]);
}
