//! `setup` and `setup --check`.

use std::os::unix::fs::PermissionsExt as _;

use crate::machine::{CLI, Machine, run};

#[test]
fn a_complete_machine_is_told_what_to_type_next() {
    let machine = Machine::complete();
    let done = run(machine.xtask(&["setup"])).succeeds();
    assert!(done.stderr.contains("cargo xtask test"), "{done:#?}");
    let checked = run(machine.xtask(&["setup", "--check"])).succeeds();
    assert!(
        !checked.stdout.contains("missing") && !checked.stdout.contains("fetched"),
        "{checked:#?}"
    );
    assert!(checked.stderr.is_empty(), "{checked:#?}");
}

#[test]
fn without_python_the_check_and_the_error_end_in_the_same_words() {
    let machine = Machine::bare();
    machine.program("git", "echo git version 2.50.0");
    machine.program("databricks", CLI);
    let failed = run(machine.xtask(&["setup"]))
        .misses(&["Python 3.11.0 or later is missing: no python3 on PATH"]);
    let checked = run(machine.xtask(&["setup", "--check"])).misses(&["missing here: Python"]);
    assert_eq!(failed.next(), checked.next());
    for next in failed.next() {
        assert!(checked.stdout.contains(next), "{checked:#?}");
    }
}

#[test]
fn an_old_python_is_named() {
    let machine = Machine::complete();
    machine.program("python3", "echo 3.9.18 True /usr/bin/python3");
    let _ = run(machine.xtask(&["setup"])).misses(&["found only 3.9.18 (/usr/bin/python3)"]);
    machine.program("python3.12", "echo 3.12.1 True /usr/bin/python3.12");
    let _ = run(machine.xtask(&["setup"])).succeeds();
}

#[test]
fn a_python_without_ensurepip_is_told_apart() {
    let machine = Machine::bare();
    machine.program("databricks", CLI);
    machine.program("python3", "echo 3.12.1 False /usr/bin/python3.12");
    let _ = run(machine.xtask(&["setup"])).misses(&["ensurepip is missing", "python3-venv"]);
}

#[test]
fn offline_names_everything_at_once_and_fetches_nothing() {
    let machine = Machine::bare();
    machine.real_python();
    for args in [&["setup"][..], &["setup", "--check"]] {
        let mut command = machine.xtask(args);
        command.env("XTASK_OFFLINE", "1");
        let missed = run(command).misses(&[]);
        let said = missed.stdout + &missed.stderr;
        for what in [
            "uv 0.13.9 is missing",
            "Databricks CLI 1.10.0 is missing",
            "unset XTASK_OFFLINE",
        ] {
            assert!(said.contains(what), "{what}: {said}");
        }
    }
    assert_eq!(machine.fetched(), [""; 0]);
}

#[test]
fn offline_what_is_cached_does() {
    let machine = Machine::complete();
    let mut command = machine.xtask(&["setup"]);
    command.env("XTASK_OFFLINE", "1");
    let _ = run(command).succeeds();
    assert!(
        machine
            .calls()
            .iter()
            .any(|call| call.starts_with("uv sync") && call.contains("--offline"))
    );
}

#[test]
fn the_check_prints_json_and_nothing_else_on_stdout() {
    let machine = Machine::complete();
    let checked = run(machine.xtask(&["setup", "--check", "--json"]));
    let json: serde_json::Value = serde_json::from_str(&checked.stdout).unwrap();
    assert_eq!(json["version"], 1);
    assert_eq!(json["ready"], true, "{json:#}");
    let findings = json["findings"].as_array().unwrap();
    let state = |name| {
        findings
            .iter()
            .find(|f| f["name"] == name)
            .map(|f| f["state"].as_str().unwrap())
    };
    assert_eq!(state("Databricks CLI"), Some("ok"));
    assert_eq!(state("Python packages"), Some("will-be-fetched"));
    // What one command alone uses is named, is not missing, and `setup` does not fetch it.
    assert_eq!(state("Kingfisher"), Some("on-demand"));
    let _ = run(machine.xtask(&["setup"])).succeeds();
    assert!(
        !machine
            .fetched()
            .iter()
            .any(|what| what.contains("kingfisher"))
    );
    machine.program("kingfisher", "echo kingfisher 2.14.0");
    let checked = run(machine.xtask(&["setup", "--check"])).succeeds();
    let row = checked
        .stdout
        .lines()
        .find(|row| row.starts_with("Kingfisher"));
    let row = row.unwrap_or_else(|| panic!("{checked:#?}"));
    assert!(row.contains("ok") && row.contains("2.14.0 ("), "{row}");
}

#[test]
fn a_package_index_that_is_not_reached_is_missing() {
    let machine = Machine::bare();
    machine.program("git", "echo git version 2.50.0");
    machine.program("databricks", CLI);
    machine.program(
        "python3",
        r#"[ "$1" = -c ] && exec echo "3.12.1 True $0"
echo "Temporary failure in name resolution"; exit 1"#,
    );
    let checked = run(machine.xtask(&["setup", "--check"]));
    let _ = checked.misses(&["missing here: package index", "HTTPS_PROXY"]);
}

#[test]
fn a_cli_that_is_named_must_do() {
    let machine = Machine::complete();
    let named = |path: &str| {
        let mut command = machine.xtask(&["setup"]);
        command.env("XTASK_DATABRICKS_CLI", path);
        run(command)
    };
    let _ = named("/nowhere/databricks")
        .misses(&["XTASK_DATABRICKS_CLI=/nowhere/databricks: no such file"]);
    let old = machine.program("old", "echo Databricks CLI v1.9.0");
    let _ = named(old.to_str().unwrap()).misses(&["version 1.9.0 is older than 1.10.0"]);
    let new = machine.program("new", "echo Databricks CLI v1.11.2");
    let _ = named(new.to_str().unwrap()).succeeds();
}

#[test]
fn a_cli_that_was_replaced_is_asked_again() {
    let machine = Machine::complete();
    let _ = run(machine.xtask(&["setup"])).succeeds();
    machine.program("databricks", "echo Databricks CLI v0.18.0");
    let mut command = machine.xtask(&["setup"]);
    command.env("XTASK_OFFLINE", "1");
    let _ = run(command).misses(&["Databricks CLI 1.10.0"]);
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_that_names_it() {
    let machine = Machine::without_cli();
    let folder = machine.project();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o555)).unwrap();
    let failed = run(machine.xtask(&["setup", "--check"]));
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(
        failed.code,
        Some(0),
        "the check writes nothing: {failed:#?}"
    );
}

#[test]
fn a_workspace_program_that_is_named_must_be_there() {
    let machine = Machine::complete();
    let mut command = machine.xtask(&["setup"]);
    command.env("XTASK_WORKSPACE_BIN", "/nowhere/xtask-workspace");
    let _ = run(command).misses(&["XTASK_WORKSPACE_BIN=/nowhere/xtask-workspace: no such file"]);
    let mut command = machine.xtask(&["setup"]);
    command.env_remove("XTASK_WORKSPACE_BIN");
    let _ = run(command).misses(&["Cargo.lock does not say where to build it from"]);
}
