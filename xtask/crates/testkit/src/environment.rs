//! The environment of programs under test: nothing of the user's but what a machine needs to build
//! and to reach registries.

use std::path::Path;
use std::process::Command;

/// Variables that pass through to programs under test, by name: PATH, where cargo and rustup keep their
/// toolchains and crates, and which proxies and certificate authorities lead to the registries.
pub const PASSED_THROUGH: &[&str] = &[
    "PATH",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
    "GOPROXY",
    "GOSUMDB",
    "GONOSUMDB",
    "GOPRIVATE",
    "GOMODCACHE",
    "GOCACHE",
];

/// Prefixes of further variables that pass through: registry settings of pip, uv and cargo.
pub const PASSED_THROUGH_PREFIXES: &[&str] = &[
    "PIP_",
    "UV_INDEX",
    "UV_DEFAULT_INDEX",
    "UV_CACHE_DIR",
    "UV_FIND_LINKS",
    "UV_SYSTEM_CERTS",
    "UV_NATIVE_TLS",
    "CARGO_REGISTR",
    "CARGO_HTTP_",
    "CARGO_SOURCE_",
];

/// Clears a command's environment, except for [`PASSED_THROUGH`] and [`PASSED_THROUGH_PREFIXES`], and
/// sets HOME to `home` (an empty folder of the test's). PATH stays as it is; a test that must not
/// find the user's programs sets its own. Output is in plain English and uncoloured, and nobody is at
/// a terminal.
pub fn hermetic(command: &mut Command, home: &Path) {
    // Where rustup and cargo live below the real HOME when no variable says so.
    const BELOW_HOME: &[(&str, &str)] = &[("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")];
    command.env_clear();
    if let Some(real) = std::env::home_dir() {
        for (name, folder) in BELOW_HOME {
            command.env(name, real.join(folder));
        }
    }
    for (name, value) in std::env::vars_os() {
        let passes = name.to_str().is_some_and(|name| {
            let starts = |prefix: &&str| name.starts_with(*prefix);
            PASSED_THROUGH.contains(&name) || PASSED_THROUGH_PREFIXES.iter().any(starts)
        });
        if passes {
            command.env(name, value);
        }
    }
    command
        .env("HOME", home)
        .env("LC_ALL", "C.UTF-8")
        .env("NO_COLOR", "1")
        .stdin(std::process::Stdio::null());
}
