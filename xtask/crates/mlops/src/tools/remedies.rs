//! The failures of tools that cannot be installed, shared by `ready` and `setup --check`.

use camino::Utf8Path;

use super::lock::Version;
use crate::error::Failure;

/// The command that resumes an installation.
pub(crate) const AGAIN: &str = "cargo xtask setup";

/// No interpreter is new enough; `tried` lists those found.
pub(crate) fn no_python(minimum: Version, tried: &[String]) -> Failure {
    let why = if tried.is_empty() {
        "no python3 on PATH".to_owned()
    } else {
        format!("found only {}", tried.join(", "))
    };
    let install = if cfg!(target_os = "macos") {
        "install one: `brew install python@3.13`, or from https://www.python.org/downloads/"
    } else {
        "install one: `sudo apt install python3 python3-venv` (Debian, Ubuntu), `sudo dnf install python3.13` (Fedora), or from https://www.python.org/downloads/"
    };
    Failure::missing(format!("Python {minimum} or later is missing: {why}"))
        .next(install)
        .next(AGAIN)
}

/// The interpreter cannot create a virtual environment (Debian packages ensurepip separately).
pub(crate) fn no_venv_module(python: &Utf8Path, version: Version) -> Failure {
    Failure::missing(format!(
        "{python} ({version}) cannot make a virtual environment: its module ensurepip is missing"
    ))
    .next("install it: `sudo apt install python3-venv` (Debian, Ubuntu)")
    .next(AGAIN)
}

/// The project has no locked Python environment.
pub(crate) fn no_lock_file(file: &str) -> Failure {
    Failure::usage(format!("{file} is missing beside xtask.toml"))
        .next("restore it with `git checkout -- pyproject.toml uv.lock`, or create it with `uv init --bare && uv lock`")
}

/// A program named by a variable is not usable.
pub(crate) fn named_program(variable: &str, path: &str, why: &str) -> Failure {
    Failure::missing(format!("{variable}={path}: {why}")).next(format!(
        "fix {variable}, or `unset {variable}` to use the program on PATH or a downloaded one"
    ))
}

/// The note about a tool on PATH that is too old.
pub(crate) fn too_old(name: &str, path: &Utf8Path, version: Version, minimum: Version) -> String {
    format!(
        "{name} {version} ({path}) is older than {minimum}; using a separate one for this project"
    )
}

/// A download is needed but forbidden.
pub(crate) fn offline(what: &str) -> Failure {
    Failure::missing(format!(
        "{what} is missing, and XTASK_OFFLINE=1 forbids downloading it"
    ))
    .next(format!(
        "`unset XTASK_OFFLINE` and connect to a network, then run `{AGAIN}`"
    ))
}

/// The user said no.
pub(crate) fn declined(what: &[String]) -> Failure {
    Failure::missing(format!("not installed, as you chose: {}", what.join(", "))).next(format!(
        "run `{AGAIN}` to install them later, or install them yourself: docs/tools.md"
    ))
}

/// Not enough disk space.
pub(crate) fn no_space(folder: &Utf8Path, needed: u64, free: u64) -> Failure {
    Failure::missing(format!(
        "not enough disk space: {folder} has {} free, {} needed",
        megabytes(free),
        megabytes(needed)
    ))
    .next(format!(
        "free at least {} there (`df -h {folder}`), then run `{AGAIN}`",
        megabytes(needed.saturating_sub(free))
    ))
}

/// The project holds no sources to build the local workspace from.
pub(crate) fn no_workspace_sources() -> Failure {
    Failure::missing("the local workspace program is missing, and Cargo.lock does not say where to build it from")
        .next("XTASK_WORKSPACE_BIN=/path/to/xtask-workspace cargo xtask …")
}

/// No cargo to build the local workspace with.
pub(crate) fn no_cargo() -> Failure {
    Failure::missing("cargo is missing; it is needed to build the local workspace program")
        .next("install Rust: https://rustup.rs")
        .next(AGAIN)
}

/// git is missing.
pub(crate) fn no_git() -> Failure {
    Failure::missing("git is missing")
        .next("install it: `sudo apt install git` (Debian, Ubuntu), `brew install git` (macOS), or from https://git-scm.com/downloads")
}

/// A server or registry is not reachable or not trusted; `reason` is the client's output.
pub(crate) fn unreachable(what: &str, reason: &str) -> Failure {
    if UNTRUSTED.iter().any(|sign| reason.contains(sign)) {
        return Failure::missing(format!("{what}: the server's certificate is not trusted"))
            .details(reason)
            .next(format!("behind a proxy with its own certificate: `export SSL_CERT_FILE=/path/to/ca.pem PIP_CERT=/path/to/ca.pem`, then run `{AGAIN}`"));
    }
    Failure::missing(format!("{what}: no connection"))
        .details(reason)
        .next(format!("check the network (and HTTPS_PROXY, NO_PROXY behind a proxy), then run `{AGAIN}` to continue"))
}

/// A download or build has failed: names the cause if its output tells it.
pub(crate) fn failed(what: &str, output: &str) -> Failure {
    let says = |signs: &[&str]| signs.iter().any(|sign| output.contains(sign));
    if disk_was_full(output) {
        return Failure::missing(format!("{what}: the disk is full"))
            .details(output)
            .next(format!(
                "free disk space (`df -h . ~ /tmp`), then run `{AGAIN}` to continue"
            ));
    }
    if says(ALTERED) {
        return Failure::missing(format!("{what}: checksum does not match the pinned one; nothing was installed"),
        )
        .details(output)
        .next(format!(
            "run `{AGAIN}` again; if it happens again, ask the administrator of your registry or proxy"
        ));
    }
    if says(UNTRUSTED) || says(NETWORK) {
        return unreachable(what, output);
    }
    Failure::missing(format!("{what} failed"))
        .details(output)
        .next(format!(
            "fix the error above, then run `{AGAIN}` to continue"
        ))
}

/// Whether a program's output reports a full disk.
pub(crate) fn disk_was_full(output: &str) -> bool {
    FULL.iter().any(|sign| output.contains(sign))
}

/// A full disk, as Python, Go and Rust report it.
const FULL: &[&str] = &[
    "No space left on device",
    "no space left on device",
    "os error 28",
    "ENOSPC",
    "Disk quota exceeded",
];
/// A private certificate authority that a program does not trust.
const UNTRUSTED: &[&str] = &[
    "CERTIFICATE_VERIFY_FAILED",
    "certificate verify failed",
    "invalid peer certificate",
    "UnknownIssuer",
    "x509: certificate",
    "SSL certificate problem",
];
/// A checksum mismatch.
const ALTERED: &[&str] = &[
    "DO NOT MATCH THE HASHES",
    "checksum mismatch",
    "Hash mismatch",
    "hash mismatch",
];
/// A missing network.
const NETWORK: &[&str] = &[
    "Temporary failure in name resolution",
    "Name or service not known",
    "no such host",
    "dns error",
    "Could not resolve host",
    "Network is unreachable",
    "network is unreachable",
    "Connection refused",
    "connection refused",
    "Connection reset",
    "connection reset",
    "timed out",
    "i/o timeout",
    "NewConnectionError",
    "ProxyError",
    "ConnectTimeout",
    "proxyconnect",
    "tcp connect error",
    "error sending request",
    "Could not connect",
    "spurious network error",
    "client error (Connect)",
];

/// A file system error; names a full disk as such.
pub(crate) fn file_system(what: &str, error: anyhow::Error) -> anyhow::Error {
    let full = error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::StorageFull)
            || cause.to_string().contains("os error 28")
    });
    if full {
        return failed(what, &format!("{error:#}: No space left on device")).into();
    }
    error
}

/// Human-readable bytes.
pub(crate) fn megabytes(bytes: u64) -> String {
    match bytes / 1_000_000 {
        megabytes @ ..1000 => format!("{megabytes} MB"),
        megabytes => format!("{}.{} GB", megabytes / 1000, megabytes % 1000 / 100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::report;

    fn told(output: &str) -> String {
        report(&failed("uv", output).into()).what
    }

    #[test]
    fn causes_are_told_apart() {
        assert!(told("write go-link: no space left on device").contains("disk is full"));
        assert!(told("dial tcp: lookup proxy.golang.org: no such host").contains("no connection"));
        assert!(
            told(
                "tls: failed to verify certificate: x509: certificate signed by unknown authority"
            )
            .contains("not trusted")
        );
        assert!(
            told("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES")
                .contains("checksum does not match")
        );
        assert_eq!(told("syntax error"), "uv failed");
    }

    #[test]
    fn sizes_are_readable() {
        assert_eq!(megabytes(74_585_098), "74 MB");
        assert_eq!(megabytes(2_350_000_000), "2.3 GB");
    }
}
