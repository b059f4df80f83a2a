//! The locked Python environment, and what the programs that make it are given.

use std::fs;
use std::time::{Duration, Instant};

use crate::machine::{Machine, UV, run};

fn syncs(machine: &Machine) -> usize {
    machine
        .calls()
        .iter()
        .filter(|call| call.starts_with("uv sync --locked") && !call.contains("--only-group"))
        .count()
}

#[test]
fn where_all_is_in_place_no_program_is_run() {
    let machine = Machine::complete();
    let _ = run(machine.xtask(&["setup"])).succeeds();
    let calls = machine.calls();
    assert_eq!(syncs(&machine), 1, "{calls:#?}");
    let _ = run(machine.xtask(&["setup"])).succeeds();
    assert_eq!(machine.calls(), calls);
}

#[test]
fn a_changed_lock_or_environment_is_brought_in_step_without_a_question() {
    let machine = Machine::complete();
    let _ = run(machine.xtask(&["setup"])).succeeds();
    machine.write("uv.lock", "version = 1\nrevision = 3\n");
    let again = run(machine.xtask(&["setup"])).succeeds();
    assert!(!again.stderr.contains("Download and build"), "{again:#?}");
    assert_eq!(syncs(&machine), 2);
    fs::create_dir(
        machine
            .project()
            .join(".venv/lib/python3.11/site-packages/by_hand"),
    )
    .unwrap();
    let _ = run(machine.xtask(&["setup"])).succeeds();
    assert_eq!(syncs(&machine), 3);
    fs::remove_dir_all(machine.project().join(".venv")).unwrap();
    let _ = run(machine.xtask(&["setup"])).succeeds();
    assert_eq!(syncs(&machine), 4);
    let _ = run(machine.xtask(&["setup"])).succeeds();
    assert_eq!(syncs(&machine), 4);
}

#[test]
fn extras_of_the_project_and_of_the_user_are_installed() {
    let machine = Machine::complete();
    let _ = run(machine.xtask(&["setup"])).succeeds();
    let with_extras = || {
        let mut command = machine.xtask(&["setup"]);
        command.env("XTASK_EXTRAS", "delta, graphs");
        command
    };
    let _ = run(with_extras()).succeeds();
    let said = machine.calls().join("\n");
    assert!(said.contains("--extra delta --extra graphs"), "{said}");
    let _ = run(with_extras()).succeeds();
    assert_eq!(syncs(&machine), 2);

    let settings = include_str!("../../../../../../xtask.toml");
    let settings = settings.replace("[workspace]", "[workspace]\nextras = [\"spark\"]");
    machine.write("xtask.toml", &settings);
    let _ = run(with_extras()).succeeds();
    let said = machine.calls().join("\n");
    assert!(
        said.contains("--extra spark --extra delta --extra graphs"),
        "{said}"
    );
    assert_eq!(syncs(&machine), 3);
}

#[test]
fn an_environment_that_was_left_half_made_is_made_anew() {
    let machine = Machine::complete();
    fs::create_dir_all(machine.project().join(".venv/lib")).unwrap();
    fs::write(machine.project().join(".venv/lib/rest"), "").unwrap();
    let _ = run(machine.xtask(&["setup"])).succeeds();
    assert!(!machine.project().join(".venv/lib/rest").exists());
}

#[test]
fn uv_gets_no_secret_and_all_registry_settings() {
    let machine = Machine::complete();
    let mut command = machine.xtask(&["setup"]);
    for name in [
        "DATABRICKS_TOKEN",
        "GITHUB_TOKEN",
        "GH_TOKEN",
        "ARM_CLIENT_SECRET",
        "MY_SECRET",
        "A_TOKEN",
    ] {
        command.env(name, "canary-7c1e");
    }
    command
        .env("UV_INDEX_OURS_PASSWORD", "let-through")
        .env("SSL_CERT_FILE", "/ca.pem");
    let _ = run(command).succeeds();
    let seen = fs::read_to_string(machine.home().join("environment-of-uv")).unwrap();
    assert!(!seen.contains("canary-7c1e"), "{seen}");
    for line in [
        "UV_INDEX_OURS_PASSWORD=let-through",
        "SSL_CERT_FILE=/ca.pem",
        "UV_COMPILE_BYTECODE=1",
        "UV_PYTHON_DOWNLOADS=never",
    ] {
        assert!(seen.lines().any(|seen| seen == line), "{line}: {seen}");
    }
}

#[test]
fn what_uv_says_is_turned_into_a_cause() {
    let causes = [
        (
            "failed to write: No space left on device (os error 28)",
            "the disk is full",
        ),
        (
            "error sending request for url (https://pypi.org/simple/)",
            "no connection",
        ),
        (
            "invalid peer certificate: UnknownIssuer",
            "certificate is not trusted",
        ),
        (
            "The lockfile at `uv.lock` needs to be updated",
            "does not match pyproject.toml",
        ),
    ];
    for (words, cause) in causes {
        let machine = Machine::complete();
        machine.program(
            "uv",
            &format!("[ $1 = sync ] || exec echo uv 0.13.9\necho '{words}' >&2; exit 2"),
        );
        let failed = run(machine.xtask(&["setup"]));
        assert!(
            failed.stderr.contains(cause) && failed.stderr.contains(words),
            "{cause}: {failed:#?}"
        );
        machine.program("uv", UV);
        let _ = run(machine.xtask(&["setup"])).succeeds();
    }
}

#[test]
fn a_request_to_end_ends_what_was_started() {
    let machine = Machine::complete();
    machine.program(
        "uv",
        &format!("{UV}\n[ $1 = sync ] || exit 0\ntouch .venv/half; (sleep 30) & wait"),
    );
    let half = machine.project().join(".venv/half");
    let mut running = machine
        .xtask(&["setup"])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let started = Instant::now();
    while !half.exists() {
        assert!(started.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(20));
    }
    let asked = Instant::now();
    let id = rustix::process::Pid::from_child(&running);
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(130));
    assert!(
        asked.elapsed() < Duration::from_secs(5),
        "{:?}",
        asked.elapsed()
    );
    machine.program("uv", UV);
    let _ = run(machine.xtask(&["setup"])).succeeds();
    // uv takes half a package for a whole one: what was cut off is made anew, and only that.
    assert!(!half.exists());
    let whole = machine.project().join(".venv/whole");
    fs::write(&whole, "").unwrap();
    machine.write("uv.lock", "version = 1\nrevision = 3\n");
    let _ = run(machine.xtask(&["setup"])).succeeds();
    assert!(whole.exists());
}
