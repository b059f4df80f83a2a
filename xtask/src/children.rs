//! The environment of the programs that we start: the user's own, with its proxies, certificates and
//! registries, less the secrets that no such program needs. What would lead a program to one of the
//! user's own workspaces counts as such a secret.

use std::process::Command;

use camino::Utf8Path;

use crate::env::Env;
use crate::process;
use crate::vars;

/// A command with that environment, run in `folder`.
pub(crate) fn command(env: &Env, program: impl AsRef<str>, folder: &Utf8Path) -> Command {
    let mut command = Command::new(program.as_ref());
    command.current_dir(folder);
    withhold(env, &mut command);
    // Nobody sits at these programs: a registry that wants a password must say so, not wait.
    command
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("PIP_NO_INPUT", "1");
    command
}

/// Takes secrets out of a program's environment, and has it reach loopback past every proxy.
pub(crate) fn withhold(env: &Env, command: &mut Command) {
    for (name, _) in env.variables() {
        if is_withheld(name) {
            command.env_remove(name);
        }
    }
    process::bypass_proxies_for_loopback(env, command);
}

/// Whether a variable stays behind: tokens and secrets, and what another project's Python or the
/// `cargo run` around us would leak in. Registries' own credentials go through.
fn is_withheld(name: &str) -> bool {
    const REGISTRIES: &[&str] = &["UV_", "PIP_", "CARGO_REGISTR", "GOAUTH", "GOPRIVATE"];
    const SECRET_ENDS: &[&str] = &[
        "_TOKEN",
        "_SECRET",
        "_PASSWORD",
        "_PASSWD",
        "_API_KEY",
        "_ACCESS_KEY",
        "_PRIVATE_KEY",
        "_PAT",
    ];
    const LEAKS: &[&str] = &["VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP"];
    const CARGO_RUN: &[&str] = &[
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
        "CARGO_BIN_",
        "CARGO_PRIMARY_PACKAGE",
    ];
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    if starts(REGISTRIES) {
        return false;
    }
    starts(vars::DATABRICKS_PREFIXES)
        || starts(CARGO_RUN)
        || LEAKS.contains(&name)
        || SECRET_ENDS.iter().any(|end| name.ends_with(end))
        || name.contains("_SECRET_")
}

#[cfg(test)]
mod tests {
    use super::is_withheld;

    #[test]
    fn secrets_stay_behind() {
        for name in [
            "DATABRICKS_TOKEN",
            "DATABRICKS_CLIENT_SECRET",
            "GITHUB_TOKEN",
            "GH_TOKEN",
            "ARM_CLIENT_SECRET",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "NPM_TOKEN",
            "OPENAI_API_KEY",
            "PGPASSWORD_PASSWORD",
            "PYTHONPATH",
            "CARGO_PKG_NAME",
        ] {
            assert!(is_withheld(name), "{name}");
        }
    }

    #[test]
    fn registries_proxies_and_certificates_go_through() {
        for name in [
            "UV_INDEX_INTERNAL_PASSWORD",
            "PIP_INDEX_URL",
            "PIP_CERT",
            "CARGO_REGISTRIES_OURS_TOKEN",
            "CARGO_HOME",
            "RUSTUP_HOME",
            "RUSTUP_TOOLCHAIN",
            "GOPROXY",
            "GOAUTH",
            "GONOSUMDB",
            "HTTPS_PROXY",
            "no_proxy",
            "SSL_CERT_FILE",
            "REQUESTS_CA_BUNDLE",
            "HOME",
            "PATH",
            "NETRC",
        ] {
            assert!(!is_withheld(name), "{name}");
        }
    }
}
