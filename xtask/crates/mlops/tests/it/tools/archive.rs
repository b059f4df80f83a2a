//! The Databricks CLI from a release archive, served by a local server.

use std::fs;

use ring::digest::{SHA256, digest};
use xtask_testkit::{Reply, Server};

use crate::machine::{CLI, Machine, run, zip};

/// The name of this platform in tools.lock and in archives' names.
fn platform() -> String {
    let os = if cfg!(target_os = "macos") {
        "darwin"
    } else {
        "linux"
    };
    let arch = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "amd64"
    };
    format!("{os}_{arch}")
}

/// A machine whose tools.lock knows the digest of `archive`, and a server of it.
fn machine_and_server() -> (Machine, Server, Vec<u8>) {
    let machine = Machine::without_cli();
    let archive = zip(
        "databricks",
        &format!("#!/bin/sh\n{CLI}\n"),
        &machine.home(),
    );
    let hex: String = digest(&SHA256, &archive)
        .as_ref()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let table = "[databricks-cli.archives]";
    let lock = include_str!("../../../tools/tools.lock")
        .replace(table, &format!("{table}\n{} = \"{hex}\"", platform()));
    machine.write("tools.lock", &lock);
    let server = Server::start(Reply::Whole(archive.clone())).unwrap();
    (machine, server, archive)
}

fn setup(machine: &Machine, server: &Server) -> std::process::Command {
    let mut command = machine.xtask(&["setup"]);
    command.env("XTASK_CLI_ARCHIVES", server.url());
    command
}

#[test]
fn a_good_archive_is_fetched_once_and_kept() {
    let (machine, server, _) = machine_and_server();
    let first = run(setup(&machine, &server)).succeeds();
    assert!(
        first
            .stderr
            .contains("Databricks License, https://www.databricks.com/legal/db-license"),
        "{first:#?}"
    );
    assert_eq!(machine.fetched(), ["databricks-1.10.0"]);
    assert_eq!(server.contacts(), 1);
    let _ = run(setup(&machine, &server)).succeeds();
    assert_eq!(server.contacts(), 1);
}

#[test]
fn a_bad_archive_leaves_nothing_and_the_next_run_goes_on() {
    let (machine, server, archive) = machine_and_server();
    let bad = [
        (Reply::Truncated(archive.clone()), "no connection"),
        (
            Reply::Whole(zip("databricks", "something else", &machine.home())),
            "checksum does not match",
        ),
        (Reply::Status(404), "answers 404"),
        (Reply::Page, "web page"),
        (Reply::HangUp, "no connection"),
    ];
    for (reply, says) in bad {
        server.set(reply);
        let _ = run(setup(&machine, &server)).misses(&["Databricks CLI 1.10.0", says]);
        assert_eq!(machine.fetched(), [""; 0]);
    }
    server.set(Reply::Whole(archive));
    let _ = run(setup(&machine, &server)).succeeds();
    assert_eq!(machine.fetched(), ["databricks-1.10.0"]);
}

#[test]
fn an_archive_that_holds_something_else_is_refused() {
    let machine = Machine::without_cli();
    let archive = zip(
        "databricks",
        "#!/bin/sh\necho Databricks CLI v1.2.0\n",
        &machine.home(),
    );
    let (other, server, _) = machine_and_server();
    let lock = fs::read_to_string(other.project().join("tools.lock")).unwrap();
    let hex: String = digest(&SHA256, &archive)
        .as_ref()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let (start, rest) = lock.split_once(&format!("{} = \"", platform())).unwrap();
    machine.write(
        "tools.lock",
        &format!("{start}{} = \"{hex}{}", platform(), &rest[64..]),
    );
    server.set(Reply::Whole(archive));
    let _ = run(setup(&machine, &server)).misses(&["reports Databricks CLI 1.2.0"]);
    assert_eq!(machine.fetched(), [""; 0]);
}

#[test]
fn loopback_is_reached_past_a_proxy_that_fails() {
    let (machine, server, _) = machine_and_server();
    let proxy = Server::start(Reply::HangUp).unwrap();
    let mut command = setup(&machine, &server);
    for name in [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ] {
        command.env(name, proxy.url());
    }
    command
        .env("NO_PROXY", "internal.example")
        .env_remove("no_proxy");
    let _ = run(command).succeeds();
    assert_eq!((server.contacts(), proxy.contacts()), (1, 0));
    let seen = fs::read_to_string(machine.home().join("environment-of-uv")).unwrap();
    for name in ["NO_PROXY", "no_proxy"] {
        assert!(
            seen.contains(&format!(
                "\n{name}=internal.example,127.0.0.1,localhost,::1\n"
            )),
            "{seen}"
        );
    }
    assert!(
        seen.contains(&format!("HTTPS_PROXY={}", proxy.url())),
        "{seen}"
    );
}

#[test]
fn another_address_goes_through_the_users_proxy() {
    let (machine, server, archive) = machine_and_server();
    // The proxy is our server: what it is asked for as a proxy it answers like any other request.
    server.set(Reply::Whole(archive));
    let mut command = machine.xtask(&["setup"]);
    command
        .env("XTASK_CLI_ARCHIVES", "http://archives.invalid")
        .env("HTTP_PROXY", server.url())
        .env("http_proxy", server.url())
        .env_remove("NO_PROXY")
        .env_remove("no_proxy");
    let _ = run(command).succeeds();
    assert_eq!(server.contacts(), 1);
}

#[test]
fn an_old_cli_on_path_is_named_and_left_alone() {
    let (machine, server, _) = machine_and_server();
    machine.program("databricks", "echo Databricks CLI v0.299.0");
    let mut check = machine.xtask(&["setup", "--check"]);
    check.env("XTASK_OFFLINE", "0");
    check.env("XTASK_CLI_ARCHIVES", server.url());
    let checked = run(check).succeeds();
    let same = "Databricks CLI 0.299.0";
    assert!(checked.stdout.contains("too old"), "{checked:#?}");
    assert!(checked.stdout.contains(same), "{checked:#?}");
    let done = run(setup(&machine, &server)).succeeds();
    assert!(
        done.stderr.contains(same) && done.stderr.contains("is older than 1.10.0"),
        "{done:#?}"
    );
    assert_eq!(machine.fetched(), ["databricks-1.10.0"]);
}
