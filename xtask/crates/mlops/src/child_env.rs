//! The environment of child processes. Each kind of program gets only the variables on its lists in
//! `child_env/variables.rs`, so that no unknown secret reaches a program, and neither do variables that cargo or git
//! set for us: the running package, the repository of a hook.

mod variables;

use std::process::Command;

use camino::Utf8Path;
use xshell::{Cmd, Shell};

use crate::env::Env;
use crate::vars;
use variables::List;

/// Kinds of child processes, by the environment they need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// Code of the project: unit tests, data sets, scripts. Also quick programs that download nothing.
    Code,
    /// git in the clone, its hooks and the user's editor.
    Git,
    /// git or ssh contacting a remote.
    GitRemote,
    Gh,
    /// uv, for the project's lock file.
    Uv,
    Pip,
    Go,
    /// cargo, with the environment of the cargo around us.
    Cargo,
    /// npm and Node.js.
    Node,
    /// The Databricks CLI for a target on the local workspace.
    LocalBundle,
    /// The Databricks CLI for a target on Databricks.
    Bundle,
    /// The user's browser.
    Browser,
    /// The local workspace, which installs packages for notebooks.
    Workspace,
    /// cargo when it builds, tests or runs us: `ci` and `bench`.
    Xtask,
}

impl Program {
    fn lists(self) -> &'static [&'static List] {
        use variables::{
            BUNDLE, CARGO, DATABRICKS, DESKTOP, GH, GIT, GO, HTTP, NODE, PIP, PROXIES, PYTHON,
            REGISTRIES, SYSTEM, UV, XTASK,
        };
        match self {
            Program::Code => &[&SYSTEM, &PROXIES, &HTTP, &PYTHON],
            Program::Git => &[&SYSTEM, &PROXIES, &HTTP, &PYTHON, &GIT],
            Program::GitRemote => &[&SYSTEM, &PROXIES, &HTTP, &GIT],
            Program::Gh => &[&SYSTEM, &PROXIES, &HTTP, &GH],
            Program::Uv => &[&SYSTEM, &PROXIES, &HTTP, &PYTHON, &GIT, &UV],
            Program::Pip => &[&SYSTEM, &PROXIES, &HTTP, &PYTHON, &GIT, &PIP],
            Program::Go => &[&SYSTEM, &PROXIES, &HTTP, &GIT, &GO],
            Program::Cargo => &[&SYSTEM, &PROXIES, &HTTP, &GIT, &CARGO],
            Program::Node => &[&SYSTEM, &PROXIES, &HTTP, &NODE],
            Program::LocalBundle => &[&SYSTEM, &PROXIES, &HTTP, &PYTHON, &REGISTRIES, &BUNDLE],
            Program::Bundle => &[
                &SYSTEM,
                &PROXIES,
                &HTTP,
                &PYTHON,
                &UV,
                &PIP,
                &BUNDLE,
                &DATABRICKS,
            ],
            Program::Browser => &[&SYSTEM, &PROXIES, &HTTP, &DESKTOP],
            Program::Workspace => &[&SYSTEM, &PROXIES, &HTTP, &UV, &PIP, &XTASK],
            Program::Xtask => &[
                &SYSTEM, &PROXIES, &HTTP, &PYTHON, &GIT, &UV, &PIP, &GO, &CARGO, &NODE, &XTASK,
            ],
        }
    }

    /// Whether it uses the network: it gets the credentials of proxies and registries.
    fn fetches(self) -> bool {
        !matches!(
            self,
            Program::Code | Program::Git | Program::LocalBundle | Program::Browser
        )
    }
}

/// The shell of [`xshell::cmd`], which only builds command lines here: [`command`] sets folder and
/// environment. It cannot be shared between threads and its commands borrow it, so each thread keeps one.
pub(crate) fn sh() -> &'static Shell {
    thread_local! {
        static SHELL: &'static Shell = {
            let shell = Shell::new().or_else(|_| {
                // xshell reads the working folder, which may have been removed; no command uses it.
                let _ = std::env::set_current_dir("/");
                Shell::new()
            });
            Box::leak(Box::new(shell.expect("/ is a folder")))
        };
    }
    SHELL.with(|shell| *shell)
}

/// A command in `folder` with the environment of its kind.
pub(crate) fn command(env: &Env, kind: Program, line: Cmd<'_>, folder: &Utf8Path) -> Command {
    let mut command = Command::from(line);
    command.current_dir(folder);
    surround(env, kind, &mut command);
    command
}

/// Sets the environment of a command by its kind. Variables already set on it stay.
pub(crate) fn surround(env: &Env, kind: Program, command: &mut Command) {
    let set: Vec<_> = command
        .get_envs()
        .map(|(name, value)| (name.to_owned(), value.map(std::ffi::OsStr::to_owned)))
        .collect();
    command.env_clear();
    for (name, value) in env.variables() {
        if passes(env, kind, name, value) {
            command.env(name, own(env, name, value));
        }
    }
    bypass_proxies_for_loopback(env, command);
    if matches!(kind, Program::LocalBundle | Program::Bundle) && !has_home(env) {
        command.env("HOME", "/");
    }
    // No prompts: a registry that needs a password must fail, not wait.
    command
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("PIP_NO_INPUT", "1");
    for (name, value) in set {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
}

/// Whether the user has a home folder. Service accounts may have none, and the Databricks CLI fails if
/// `HOME` is not a folder.
fn has_home(env: &Env) -> bool {
    let home = env.get("HOME").map(std::path::Path::new);
    home.is_some_and(|home| home.is_absolute() && home.is_dir())
}

/// Makes a program bypass the user's proxy for loopback addresses.
fn bypass_proxies_for_loopback(env: &Env, command: &mut Command) {
    let given: Vec<&str> = vars::NO_PROXY
        .iter()
        .filter_map(|name| env.get(name))
        .flat_map(|hosts| hosts.split(','))
        .map(str::trim)
        .filter(|host| !host.is_empty())
        .collect();
    let mut hosts: Vec<&str> = Vec::new();
    for host in given.into_iter().chain(["127.0.0.1", "localhost", "::1"]) {
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    // Both spellings: programs differ in which one they read.
    for name in vars::NO_PROXY {
        command.env(name, hosts.join(","));
    }
}

/// Whether a kind of program gets a variable.
fn passes(env: &Env, kind: Program, name: &str, value: &str) -> bool {
    let asked = env.get(vars::XTASK_PASS_ENV).unwrap_or_default();
    if asked.split(',').any(|asked| asked.trim() == name) {
        return true;
    }
    if variables::is_of_a_hook(name, |set| env.get(set).is_some()) {
        return false;
    }
    let named_by_sdk = || env.get("DATABRICKS_OIDC_TOKEN_ENV") == Some(name);
    let listed = kind.lists().iter().any(|list| list.has(name))
        || (kind == Program::Bundle && named_by_sdk());
    listed && (kind.fetches() || !has_password(value))
}

/// Whether a URL contains credentials: `http://user:password@proxy:3128`.
fn has_password(value: &str) -> bool {
    // A value may contain several URLs, as UV_INDEX does.
    value.split_whitespace().any(|address| {
        let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
        let server = rest.split(['/', '?', '#']).next().unwrap_or_default();
        server.contains('@') && (address.contains("://") || server.contains(':'))
    })
}

/// A variable's value without the library folders that cargo prepended.
pub(crate) fn own(env: &Env, name: &str, value: &str) -> String {
    let of_libraries = matches!(
        name,
        "LD_LIBRARY_PATH" | "DYLD_LIBRARY_PATH" | "DYLD_FALLBACK_LIBRARY_PATH"
    );
    if !of_libraries || env.get("CARGO_MANIFEST_DIR").is_none() {
        return value.to_owned();
    }
    let program = std::env::current_exe().ok();
    let built = program.as_deref().and_then(std::path::Path::parent);
    let by_cargo = |folder: &&str| {
        let folder = std::path::Path::new(folder);
        let is_built = built.is_some_and(|built| folder.starts_with(built));
        !is_built
            && !folder
                .components()
                .any(|part| part.as_os_str() == "rustlib")
    };
    let folders: Vec<&str> = value.split(':').filter(by_cargo).collect();
    folders.join(":")
}

#[cfg(test)]
mod tests {
    use xshell::cmd;

    use super::*;

    fn env(variables: &[(&str, &str)]) -> Env {
        let mut env = Env::read().unwrap();
        env.replace_variables(variables);
        env
    }

    fn of(kind: Program, variables: &[(&str, &str)]) -> Vec<(String, String)> {
        let folder = Utf8Path::new("/");
        let command = command(&env(variables), kind, cmd!(sh(), "true"), folder);
        let text = |text: &std::ffi::OsStr| text.to_string_lossy().into_owned();
        let all = command.get_envs();
        all.filter_map(|(name, value)| Some((text(name), text(value?))))
            .collect()
    }

    const ALL: &[Program] = &[
        Program::Code,
        Program::Git,
        Program::GitRemote,
        Program::Gh,
        Program::Uv,
        Program::Pip,
        Program::Go,
        Program::Cargo,
        Program::Node,
        Program::LocalBundle,
        Program::Bundle,
        Program::Browser,
        Program::Workspace,
        Program::Xtask,
    ];

    /// The kinds that get a variable.
    fn who_gets(name: &str, value: &str) -> Vec<Program> {
        let gets = |kind: &Program| {
            let seen = of(*kind, &[("PATH", "/bin"), (name, value)]);
            assert!(seen.contains(&("PATH".to_owned(), "/bin".to_owned())));
            seen.contains(&(name.to_owned(), value.to_owned()))
        };
        ALL.iter().copied().filter(gets).collect()
    }

    #[test]
    fn a_secret_of_any_name_reaches_no_program() {
        for name in [
            "TOKEN",
            "github_token",
            "GITHUB_TOKEN",
            "GITLAB_PAT",
            "PGPASSWORD",
            "PGPASSFILE",
            "MYSQL_PWD",
            "DATABASE_URL",
            "REDIS_URL",
            "SENTRY_DSN",
            "SLACK_WEBHOOK",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "DOCKER_AUTH_CONFIG",
            "OPENAI_API_KEY",
            "HF_TOKEN",
            "MLFLOW_TRACKING_PASSWORD",
            "KUBECONFIG_DATA",
            "UV_PUBLISH_TOKEN",
            "UV_PUBLISH_PASSWORD",
            "TWINE_PASSWORD",
            "CARGO_REGISTRY_TOKEN",
            "anything_else",
        ] {
            assert_eq!(who_gets(name, "canary"), [], "{name}");
        }
        let database = who_gets("MY_DATABASE", "postgres://ann:canary@db/x");
        assert_eq!(database, []);
    }

    #[test]
    fn each_secret_reaches_the_program_that_it_is_for() {
        use Program::{Bundle, Cargo, Go, LocalBundle, Node, Pip, Uv, Workspace, Xtask};
        let rows: &[(&str, &[Program])] = &[
            ("UV_INDEX_OURS_PASSWORD", &[Uv, Bundle, Workspace, Xtask]),
            ("PIP_PASSWORD", &[Pip, Bundle, Workspace, Xtask]),
            ("CARGO_REGISTRIES_OURS_TOKEN", &[Cargo, Xtask]),
            ("GOAUTH", &[Go, Xtask]),
            ("npm_config__auth", &[Node, Xtask]),
            ("DATABRICKS_TOKEN", &[Bundle]),
            ("ARM_CLIENT_SECRET", &[Bundle]),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", &[Bundle]),
            ("GOOGLE_CREDENTIALS", &[Bundle]),
            ("BUNDLE_VAR_password", &[LocalBundle, Bundle]),
        ];
        for (name, kinds) in rows {
            assert_eq!(&who_gets(name, "canary"), kinds, "{name}");
        }
    }

    #[test]
    fn a_password_of_a_proxy_reaches_what_fetches_alone() {
        for value in ["http://ann:canary@proxy:3128", "ann:canary@proxy:3128"] {
            let kinds = who_gets("HTTPS_PROXY", value);
            assert!(kinds.contains(&Program::Uv) && kinds.contains(&Program::GitRemote));
            for kind in [Program::Code, Program::Git, Program::LocalBundle] {
                assert!(!kinds.contains(&kind), "{kind:?}");
            }
        }
        assert_eq!(who_gets("https_proxy", "http://proxy:3128"), ALL);
        let index = "a=https://ann:canary@index/simple b=https://index/simple";
        assert!(!who_gets("UV_INDEX", index).contains(&Program::LocalBundle));
        assert!(who_gets("UV_INDEX", "https://index/simple").contains(&Program::LocalBundle));
    }

    #[test]
    fn the_repository_of_a_hook_reaches_no_program() {
        for name in [
            "GIT_DIR",
            "GIT_WORK_TREE",
            "GIT_INDEX_FILE",
            "GIT_COMMON_DIR",
            "GIT_OBJECT_DIRECTORY",
            "GIT_ALTERNATE_OBJECT_DIRECTORIES",
            "GIT_NAMESPACE",
            "GIT_PREFIX",
            "GIT_SHALLOW_FILE",
            "GIT_QUARANTINE_PATH",
            "GIT_IMPLICIT_WORK_TREE",
            "GIT_GRAFT_FILE",
            "GIT_NO_REPLACE_OBJECTS",
            "GIT_REPLACE_REF_BASE",
            "GIT_INTERNAL_SUPER_PREFIX",
            "GIT_CONFIG",
            "GIT_CONFIG_PARAMETERS",
            "GIT_ATTR_SOURCE",
            // These change what git prints for programs.
            "GIT_DIFF_OPTS",
            "GIT_EXTERNAL_DIFF",
            "GIT_LITERAL_PATHSPECS",
            "GIT_GLOB_PATHSPECS",
            "GIT_NOGLOB_PATHSPECS",
            "GIT_ICASE_PATHSPECS",
            "GIT_TRACE_REDACT",
        ] {
            assert_eq!(who_gets(name, "x"), [], "{name}");
        }
        for name in ["GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_0", "GIT_SSH_COMMAND"] {
            assert!(who_gets(name, "x").contains(&Program::Git), "{name}");
        }
        // Who makes the commit that a hook is called for; set by the user, it holds for ours too.
        for name in ["GIT_AUTHOR_EMAIL", "GIT_AUTHOR_DATE", "GIT_EDITOR"] {
            assert!(who_gets(name, "x").contains(&Program::Git), "{name}");
            let set = [(name, "x"), ("GIT_INDEX_FILE", ".git/index")];
            assert_eq!(of(Program::Git, &set), of(Program::Git, &[]), "{name}");
        }
    }

    #[test]
    fn what_cargo_sets_for_us_reaches_no_program() {
        for name in [
            "CARGO_MANIFEST_DIR",
            "CARGO_MANIFEST_PATH",
            "CARGO_PKG_NAME",
            "CARGO_PKG_VERSION_MAJOR",
            "CARGO_BIN_NAME",
            "CARGO_CRATE_NAME",
            "CARGO_PRIMARY_PACKAGE",
            "RUSTC_WORKSPACE_WRAPPER",
        ] {
            assert_eq!(who_gets(name, "x"), [], "{name}");
        }
        let libraries = |value: &str| {
            let set = [("CARGO_MANIFEST_DIR", "/p"), ("LD_LIBRARY_PATH", value)];
            let seen = of(Program::Cargo, &set);
            let found = seen.into_iter().find(|(name, _)| name == "LD_LIBRARY_PATH");
            found.unwrap().1
        };
        let program = std::env::current_exe().unwrap();
        let built = program.parent().unwrap().display().to_string();
        let toolchain = "/r/toolchains/x/lib/rustlib/y/lib";
        let value = format!("{built}/deps:{built}:{toolchain}:/opt/lib");
        assert_eq!(libraries(&value), "/opt/lib");
    }

    #[test]
    fn what_a_build_depends_on_reaches_cargo() {
        for name in [
            "CARGO_HOME",
            "CARGO_TARGET_DIR",
            "CARGO_HTTP_CAINFO",
            "RUSTFLAGS",
            "RUSTC_WRAPPER",
            "RUSTUP_TOOLCHAIN",
            "CC",
            "CC_x86_64_unknown_linux_gnu",
            "HOST_CFLAGS",
            "PKG_CONFIG_PATH",
            "SSL_CERT_FILE",
            "HOME",
        ] {
            assert!(who_gets(name, "x").contains(&Program::Cargo), "{name}");
        }
    }

    #[test]
    fn the_databricks_cli_gets_a_home_where_the_user_has_none() {
        let home = |kind, set: &[(&str, &str)]| {
            let seen = of(kind, set);
            let found = seen.into_iter().find(|(name, _)| name == "HOME");
            found.map(|(_, value)| value)
        };
        for set in [&[][..], &[("HOME", "")], &[("HOME", "/dev/null")]] {
            for kind in [Program::LocalBundle, Program::Bundle] {
                assert_eq!(home(kind, set).as_deref(), Some("/"), "{set:?}");
            }
        }
        let users = std::env::temp_dir().display().to_string();
        let set = [("HOME", users.as_str())];
        assert_eq!(home(Program::Bundle, &set).as_deref(), Some(users.as_str()));
        assert_eq!(home(Program::Uv, &[]), None);
    }

    #[test]
    fn the_user_may_name_what_passes_besides() {
        let set = [
            ("XTASK_PASS_ENV", "FEATURE, OTHER"),
            ("FEATURE", "on"),
            ("FEATURES", "off"),
        ];
        let seen = of(Program::Code, &set);
        let names: Vec<&str> = seen.iter().map(|(name, _)| name.as_str()).collect();
        assert!(names.contains(&"FEATURE") && !names.contains(&"FEATURES"));
    }
}
