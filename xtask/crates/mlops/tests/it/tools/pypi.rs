//! uv from PyPI, where none is on PATH.

use std::fs;

use crate::machine::{CLI, Machine, run};

/// A Python whose environments hold a pip that does `$PIP`, a shell script with `$dir` as the
/// environment's folder.
fn machine(pip: &str) -> Machine {
    let machine = Machine::bare();
    machine.program("git", "echo git version 2.50.0");
    machine.program("databricks", CLI);
    machine.program(
        "python3",
        &format!(
            r#"case "$2" in
  venv) mkdir -p "$3/bin"; dir="$3"
        {{ echo '#!/bin/sh'; echo 'PATH=/usr/bin:/bin'; echo "dir=$dir"; cat <<'END'
cat "$dir/requirements.txt" > "$HOME/requirements"
{pip}
END
        }} > "$3/bin/python"; chmod +x "$3/bin/python" ;;
  *) echo "3.12.4 True $0" ;;
esac"#
        ),
    );
    machine
}

const GOOD: &str = r#"cat > "$dir/bin/uv" <<'UV'
#!/bin/sh
PATH=/usr/bin:/bin
for word; do test "$before" != --directory || cd "$word"; before=$word; done
made=${UV_PROJECT_ENVIRONMENT:-.venv}
mkdir -p "$made/bin" "$made/lib/python3.12/site-packages"; ln -sf /bin/true "$made/bin/python"
UV
chmod +x "$dir/bin/uv""#;

#[test]
fn uv_is_installed_pinned_with_digests() {
    let machine = machine(GOOD);
    let _ = run(machine.xtask(&["setup"])).succeeds();
    assert_eq!(machine.fetched(), ["uv-0.13.9"]);
    let requirements = fs::read_to_string(machine.home().join("requirements")).unwrap();
    assert!(
        requirements.starts_with("uv==0.13.9 --hash=sha256:"),
        "{requirements}"
    );
    let _ = run(machine.xtask(&["setup"])).succeeds();
    assert_eq!(
        machine
            .calls()
            .iter()
            .filter(|call| call.contains("-m venv"))
            .count(),
        1
    );
}

#[test]
fn a_wheel_with_another_digest_is_not_installed() {
    let machine = machine(
        "echo 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.'; exit 1",
    );
    let _ =
        run(machine.xtask(&["setup"])).misses(&["uv 0.13.9 from PyPI", "checksum does not match"]);
    assert_eq!(machine.fetched(), [""; 0]);
}

#[test]
fn an_install_that_was_killed_is_done_again() {
    let machine = machine(GOOD);
    let tools = machine.project().join(".xtask/tools");
    // Neither the folder beside it nor one without the last file counts as an install.
    for name in ["uv-0.13.9", "uv-0.13.9.partial"] {
        fs::create_dir_all(tools.join(name).join("bin")).unwrap();
        fs::write(tools.join(name).join("bin/uv"), "half").unwrap();
    }
    let _ = run(machine.xtask(&["setup"])).succeeds();
    assert!(!tools.join("uv-0.13.9.partial").exists());
    assert!(tools.join("uv-0.13.9/complete").is_file());
}
