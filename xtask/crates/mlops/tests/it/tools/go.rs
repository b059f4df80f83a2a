//! The Databricks CLI built from its Go module.

use std::fs;

use crate::machine::{Machine, run};

/// A Go that builds a Databricks CLI if it finds the pinned module in its folder.
const GO: &str = r#"
case "$1" in
  version) echo "go version go1.26.8 linux/amd64" ;;
  list) env > "$HOME/environment-of-go"; grep -q 'databricks/cli v1.10.0' go.mod || exit 1
        echo "go: downloading github.com/databricks/cli v1.10.0" >&2; echo runtime; echo main ;;
  build) printf '#!/bin/sh\necho Databricks CLI v1.10.0\n' > ../databricks; chmod +x ../databricks
         echo main >&2 ;;
esac"#;

#[test]
fn it_is_built_with_the_users_go_where_no_digest_is_known() {
    let machine = Machine::without_cli();
    machine.program("go", GO);
    let mut command = machine.xtask(&["setup"]);
    command
        .env("GOFLAGS", "-mod=vendor -tags=theirs")
        .env("GOPROXY", "https://goproxy.internal");
    let done = run(command).succeeds();
    assert!(
        done.stderr
            .contains("https://www.databricks.com/legal/db-license"),
        "{done:#?}"
    );
    assert_eq!(machine.fetched(), ["databricks-1.10.0"]);
    let seen = fs::read_to_string(machine.home().join("environment-of-go")).unwrap();
    for line in [
        "GOFLAGS=-mod=readonly -modcacherw",
        "GOPROXY=https://goproxy.internal",
        "GOTOOLCHAIN=local",
    ] {
        assert!(seen.lines().any(|seen| seen == line), "{line}: {seen}");
    }
    let sizes = run(machine.xtask(&["setup"])).succeeds();
    assert!(!sizes.stderr.contains("Building"), "{sizes:#?}");
}

#[test]
fn a_build_without_network_says_so_and_leaves_nothing() {
    let machine = Machine::without_cli();
    machine.program("go", "[ $1 = version ] && exec echo go version go1.26.8\necho 'dial tcp: lookup proxy.golang.org: no such host' >&2; exit 1");
    let _ = run(machine.xtask(&["setup"])).misses(&[
        "modules of Databricks CLI 1.10.0: no connection",
        "no such host",
    ]);
    assert_eq!(machine.fetched(), [""; 0]);
}

#[test]
fn an_old_go_is_not_taken() {
    let machine = Machine::without_cli();
    machine.program("go", "echo go version go1.21.0");
    let mut command = machine.xtask(&["setup"]);
    command.env("XTASK_OFFLINE", "1");
    let _ = run(command).misses(&["Go 1.26.6 and Databricks CLI 1.10.0 is missing"]);
}
