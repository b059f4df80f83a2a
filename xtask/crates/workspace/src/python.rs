//! The Python files of the kernel, and the environment of Python processes.

use std::ffi::OsString;
use std::process::Stdio;

use camino::{Utf8Path, Utf8PathBuf};
use include_dir::{Dir, include_dir};
use tokio::process::Command;
use xtask_local_server::state_dir::{create_private_dir, write_private};

use crate::state::App;

static FILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/kernel/python");

/// Variables that Python processes inherit: no token, no profile, no home folder.
const PASSED_ON: [&str; 15] = [
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "USER",
    "LOGNAME",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "JAVA_HOME",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "OMP_NUM_THREADS",
];
/// Proxies; those with a password are for the installer only.
const PROXIES: [&str; 6] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
];

/// Where the kernel's files are.
pub(crate) fn folder(app: &App) -> Utf8PathBuf {
    app.config.state.path().join("kernel")
}

/// Writes the kernel's files. Unchanged files keep their time, so that Python's compiled copies stay valid.
pub(crate) fn install(app: &App) -> std::io::Result<()> {
    create_private_dir(&app.config.state.path().join("home"))?;
    write_dir(&FILES, &folder(app))
}

fn write_dir(dir: &Dir<'_>, target: &Utf8Path) -> std::io::Result<()> {
    create_private_dir(target)?;
    for file in dir.files() {
        let Some(name) = file.path().file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        let path = target.join(name);
        if fs_err::read(&path).ok().as_deref() != Some(file.contents()) {
            write_private(&path, file.contents())?;
        }
    }
    for sub in dir.dirs() {
        let name = sub.path().file_name().and_then(|name| name.to_str());
        match name {
            Some("__pycache__") | None => {}
            Some(name) => write_dir(sub, &target.join(name))?,
        }
    }
    Ok(())
}

/// Prefixes of variables that configure package indexes, credentials included; for the installer only.
const REGISTRIES: [&str; 2] = ["PIP_", "UV_"];
const OF_INSTALLER: [&str; 4] = ["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "NETRC"];

/// The process that installs packages for runs, with the user's settings of pip and uv, which no run sees.
pub(crate) fn installer(app: &App) -> Command {
    let mut command = notebook_side(app, "overlays.py");
    let of_registries = std::env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        REGISTRIES.iter().any(|start| name.starts_with(start))
    });
    let of_user = OF_INSTALLER
        .iter()
        .chain(&PROXIES)
        .filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?)));
    command
        .arg(app.config.state.path().join("overlays"))
        .envs(of_registries.chain(of_user));
    command
}

/// A process of the notebooks' environment; `start.py` and `overlays.py` add the kernel's packages after its own.
pub(crate) fn notebook_side(app: &App, script: &str) -> Command {
    let mut command = command(app, &app.config.python, script);
    if let Some(packages) = &app.config.kernel_packages {
        command.env("XTASK_KERNEL_PACKAGES", packages);
    }
    command
}

/// A Python process that runs one of the kernel's scripts, in a process group and with a minimal environment of its
/// own. It ends when its standard input is closed.
pub(crate) fn command(app: &App, python: &Utf8Path, script: &str) -> Command {
    let mut command = Command::new(python);
    command
        .arg(folder(app).join(script))
        .process_group(0)
        .stdin(Stdio::piped())
        .env_clear()
        .envs(environment(|name| std::env::var_os(name)))
        .env("HOME", app.config.state.path().join("home"))
        .env("DATABRICKS_CONFIG_FILE", "/dev/null");
    command
}

fn environment(
    lookup: impl Fn(&str) -> Option<OsString>,
) -> impl Iterator<Item = (&'static str, OsString)> {
    // Loopback bypasses every proxy, whatever the user's NO_PROXY is.
    let own = ["no_proxy", "NO_PROXY"].map(|name| {
        let users = lookup(name).unwrap_or_default();
        let mut list = OsString::from("127.0.0.1,localhost,::1");
        if !users.is_empty() {
            list.push(",");
            list.push(users);
        }
        (name, list)
    });
    let passed: Vec<_> = PASSED_ON
        .iter()
        .filter_map(|name| Some((*name, lookup(name)?)))
        .collect();
    let proxies: Vec<_> = PROXIES
        .iter()
        .filter_map(|name| Some((*name, lookup(name)?)))
        .filter(|(_, address)| !address.to_string_lossy().contains('@'))
        .collect();
    passed.into_iter().chain(proxies).chain(own).chain(
        [
            ("PYTHONUNBUFFERED", "1"),
            ("PYTHONNOUSERSITE", "1"),
            ("PYTHONUTF8", "1"),
            ("MLFLOW_DISABLE_TELEMETRY", "true"),
            ("DO_NOT_TRACK", "true"),
            ("GIT_PYTHON_REFRESH", "quiet"),
        ]
        .map(|(name, value)| (name, value.into())),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_the_user_reach_no_python_process() {
        let seen: Vec<&str> = environment(|name| Some(name.into()))
            .map(|(name, _)| name)
            .collect();
        for secret in ["DATABRICKS_TOKEN", "GITHUB_TOKEN", "GH_TOKEN", "HOME"] {
            assert!(!seen.contains(&secret), "{secret}");
        }
        assert!(seen.contains(&"PATH"));
    }

    #[test]
    fn a_proxy_is_seen_without_a_password_alone() {
        let seen = |address: &str| {
            let proxy = |name: &str| (name == "https_proxy").then(|| address.into());
            environment(proxy).any(|(name, _)| name == "https_proxy")
        };
        assert!(seen("http://proxy:3128"));
        assert!(!seen("http://ann:secret@proxy:3128") && !seen("ann:secret@proxy:3128"));
    }

    #[test]
    fn loopback_bypasses_the_users_proxy() {
        let no_proxy = environment(|name| (name == "NO_PROXY").then(|| "corp.example".into()))
            .find(|(name, _)| *name == "NO_PROXY")
            .unwrap()
            .1;
        assert_eq!(no_proxy, "127.0.0.1,localhost,::1,corp.example");
    }
}
