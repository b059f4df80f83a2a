//! git's credentials for a remote: from its own credential helpers, else our token.
//!
//! `git push` runs hooks, and hooks are the repository's code: they inherit git's environment, which must
//! hold no token. So the helpers, which may need one, are asked before and by a command that runs no
//! hooks, and git reads what they said from a file that is gone once it was read: git signs in first, and
//! runs its hooks then.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use camino::Utf8PathBuf;
use secrecy::{ExposeSecret as _, SecretString};
use xshell::cmd;

use super::Git;
use crate::child_env::sh;
use crate::env::Env;
use crate::process;
use crate::vars;

/// The variable with the path of the credential file. The file is private.
const FILE: &str = "XTASK_GIT_CREDENTIAL";
/// The credential helper: prints the file once.
const HELPER: &str = r#"!f() { [ "$1" = get ] && cat "$XTASK_GIT_CREDENTIAL" && rm -f "$XTASK_GIT_CREDENTIAL"; }; f"#;

/// A helper that answers repeatedly, for commands that run no hooks.
const OFTEN: &str = r#"!f() { [ "$1" = get ] && printf 'username=%s\npassword=%s\n' "$XTASK_GIT_USER" "$XTASK_GIT_PASSWORD"; }; f"#;

/// A credential for one server.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    /// The server: scheme, host and port.
    server: String,
    /// The user name.
    user: String,
    /// The token or password.
    secret: SecretString,
}

impl Login {
    /// A credential from a GitHub token.
    pub(crate) fn with_token(server: &str, token: &SecretString) -> Login {
        Login {
            server: server.to_owned(),
            user: "x-access-token".to_owned(),
            secret: token.clone(),
        }
    }

    /// The token or password.
    pub(crate) fn secret(self) -> SecretString {
        self.secret
    }
}

/// The credential file, while one git command runs.
#[derive(Debug)]
pub(super) struct Handed(Utf8PathBuf);

impl Drop for Handed {
    fn drop(&mut self) {
        // git has removed it already, unless it did not need a credential.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Git {
    /// The credential of git's own helpers for a repository, without prompts.
    pub(crate) fn credential(&self, server: &str, path: &str) -> Option<Login> {
        let line = cmd!(sh(), "git -c core.askPass= credential fill");
        let mut command = self.silent(line.env("GCM_INTERACTIVE", "never"));
        // These may need the tokens: `gh auth git-credential` answers with them.
        for name in vars::GITHUB_TOKENS {
            if let Some(value) = self.env.get(name) {
                command.env(name, value);
            }
        }
        let asked = format!("url={server}/{path}\n\n");
        let said = process::feed(&self.ui, command, &asked).ok()??;
        let field = |name| {
            let mut lines = said.lines();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
        };
        let secret = field("password").filter(|secret| !secret.is_empty())?;
        Some(Login {
            server: server.to_owned(),
            user: field("username").unwrap_or_default().to_owned(),
            secret: SecretString::from(secret),
        })
    }

    /// The same for a remote by name or URL; `None` if the URL is not http or contains a user.
    pub(super) fn credential_for(&self, remote: &str, pushes: bool) -> Option<Login> {
        let push = pushes.then_some("--push");
        let line = cmd!(sh(), "git remote get-url {push...} -- {remote}");
        let listed = self.read(line).unwrap_or_else(|_| remote.to_owned());
        let (scheme, rest) = listed.lines().next()?.split_once("://")?;
        if !matches!(scheme, "http" | "https") {
            return None;
        }
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        if host.contains('@') {
            return None;
        }
        self.credential(&format!("{scheme}://{host}"), path)
    }

    /// Whether git's configuration has an Authorization header for a URL, as `actions/checkout` sets. git
    /// itself matches entries to the URL.
    pub(crate) fn has_a_header(&self, address: &str) -> bool {
        const ASKED: &str = "signsIn";
        let line = cmd!(sh(), "git config -z --get-regexp ^http\\..*extraheader$");
        let Ok(listed) = self.read(line) else {
            return false;
        };
        let signing_in = super::pieces(&listed).filter_map(|entry| {
            let (key, header) = entry.split_once('\n')?;
            let name = header.split(':').next()?.trim();
            name.eq_ignore_ascii_case("authorization").then_some(key)
        });
        let line = cmd!(sh(), "git config --get-urlmatch http.{ASKED} {address}");
        let mut command = self.command(line);
        let mut configured = Configured::of(&self.env);
        for key in signing_in {
            let scope = &key[..key.len() - "extraheader".len()];
            configured.add(&mut command, &format!("{scope}{ASKED}"), "true");
        }
        configured.added && command.output().is_ok_and(|output| output.status.success())
    }

    /// Gives a git command a credential, valid while the returned file lives.
    pub(super) fn sign_in(&self, command: &mut Command, login: &Login) -> std::io::Result<Handed> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("xtask-{}-{number}", std::process::id()));
        let path = Utf8PathBuf::try_from(path).map_err(std::io::Error::other)?;
        // Left by a killed process with the same id.
        let _ = std::fs::remove_file(&path);
        let mut file = std::fs::OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&path)?;
        let handed = Handed(path);
        let Login { user, secret, .. } = login;
        let secret = secret.expose_secret();
        write!(file, "username={user}\npassword={secret}\n")?;
        self.help(command, login, HELPER);
        command.env(FILE, &handed.0);
        Ok(handed)
    }
}

impl Git {
    /// Gives a git command without hooks a credential that it may use repeatedly: reading missing objects
    /// of a partial clone starts several processes.
    pub(super) fn sign_in_without_hooks(&self, command: &mut Command, login: &Login) {
        self.help(command, login, OFTEN);
        command
            .env("XTASK_GIT_USER", &login.user)
            .env("XTASK_GIT_PASSWORD", login.secret.expose_secret());
    }

    /// Replaces the user's credential helpers for one server; they were asked before.
    fn help(&self, command: &mut Command, login: &Login, helper: &str) {
        let key = format!("credential.{}.helper", login.server);
        let mut configured = Configured::of(&self.env);
        // An empty value resets the list.
        for value in ["", helper] {
            configured.add(command, &key, value);
        }
    }
}

/// Settings for one git command through GIT_CONFIG_COUNT, after those of the user's environment.
struct Configured {
    count: u32,
    added: bool,
}

impl Configured {
    fn of(env: &Env) -> Configured {
        let given = env.get("GIT_CONFIG_COUNT");
        Configured {
            count: given.and_then(|count| count.parse().ok()).unwrap_or(0),
            added: false,
        }
    }

    fn add(&mut self, command: &mut Command, key: &str, value: &str) {
        let index = self.count;
        self.count += 1;
        self.added = true;
        command
            .env("GIT_CONFIG_COUNT", self.count.to_string())
            .env(format!("GIT_CONFIG_KEY_{index}"), key)
            .env(format!("GIT_CONFIG_VALUE_{index}"), value);
    }
}
