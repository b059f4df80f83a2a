//! The one question before anything is fetched.

use std::process::Command;

use crate::machine::{Machine, Run, real_python, run};

/// Runs `sys.argv[2:]` at a terminal of its own and types `sys.argv[1]` when it is asked something.
const TERMINAL: &str = r#"
import os, pty, select, signal, sys
signal.alarm(60)
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[2], sys.argv[2:])
said, answered = b"", False
while True:
    # What is typed before the prompt listens is no answer: it follows when all is quiet.
    quiet = not select.select([terminal], [], [], 0.5)[0]
    if quiet and b"[Y/n]" in said and not answered:
        os.write(terminal, sys.argv[1].encode())
        answered = True
    if quiet:
        continue
    try:
        piece = os.read(terminal, 65536)
    except OSError:
        break
    if not piece:
        break
    said += piece
sys.stdout.buffer.write(said.replace(b"\r\n", b"\n"))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

/// Runs `xtask setup` at a terminal; what it says is in `stdout`.
fn at_a_terminal(machine: &Machine, answer: &str) -> Run {
    let plain = machine.xtask(&["setup"]);
    let mut command = Command::new(real_python());
    command
        .args(["-c", TERMINAL, answer])
        .arg(plain.get_program())
        .args(plain.get_args())
        .current_dir(machine.project())
        .env_clear()
        .envs(
            plain
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .env("TERM", "xterm");
    run(command)
}

fn synced(machine: &Machine) -> bool {
    machine
        .calls()
        .iter()
        .any(|call| call.starts_with("uv sync"))
}

#[test]
fn a_yes_fetches_and_enter_means_yes() {
    for answer in ["y", "\r"] {
        let machine = Machine::complete();
        let done = at_a_terminal(&machine, answer).succeeds();
        assert_eq!(done.stdout.matches("[Y/n]").count(), 1, "{done:#?}");
        assert!(synced(&machine));
    }
}

#[test]
fn a_no_and_a_ctrl_c_fetch_nothing() {
    for (answer, code, says) in [
        ("n", 3, "not installed, as you chose"),
        ("\u{3}", 130, "cancelled; nothing was changed"),
    ] {
        let machine = Machine::complete();
        let left = at_a_terminal(&machine, answer);
        assert_eq!(left.code, Some(code), "{left:#?}");
        assert!(left.stdout.contains(says), "{left:#?}");
        let shown = left.stdout.rfind("\u{1b}[?25h");
        assert!(
            shown > left.stdout.rfind("\u{1b}[?25l"),
            "the cursor stays hidden: {left:#?}"
        );
        assert!(!synced(&machine));
    }
}

#[test]
fn without_a_terminal_it_goes_on_and_says_so() {
    let machine = Machine::complete();
    let done = run(machine.xtask(&["setup"])).succeeds();
    assert!(
        done.stderr.contains("yes (no terminal to ask on)"),
        "{done:#?}"
    );
    assert!(synced(&machine));
}
