//! What git signs in with: credentials of its own, or a token of ours in the environment of one child.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

use super::Git;
use crate::env::Env;
use crate::process;

/// What git signs in with where it has nothing of its own.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    /// The server: scheme, host and port.
    pub(crate) server: String,
    /// The token.
    pub(crate) token: SecretString,
}

impl Git {
    /// The password that git's own credential helpers have for a server; nobody is asked for it.
    pub(crate) fn credential(&self, server: &str, path: &str) -> Option<SecretString> {
        let (scheme, host) = server.split_once("://")?;
        let mut command = self.silent(&["-c", "core.askPass=", "credential", "fill"]);
        command.env("GCM_INTERACTIVE", "never");
        let asked = format!("protocol={scheme}\nhost={host}\npath={path}\n\n");
        let said = process::feed(&self.ui, command, &asked).ok()??;
        let password = said
            .lines()
            .find_map(|line| line.strip_prefix("password="))?;
        (!password.is_empty()).then(|| SecretString::from(password))
    }

    /// Whether git signs in at an address with a header that its configuration holds, as `actions/checkout`
    /// leaves one behind. Which of its entries are for the address, git itself tells.
    pub(crate) fn has_a_header(&self, address: &str) -> bool {
        const ASKED: &str = "signsIn";
        let Ok(listed) = self.read(&["config", "-z", "--get-regexp", r"^http\..*extraheader$"])
        else {
            return false;
        };
        let signing_in = super::pieces(&listed).filter_map(|entry| {
            let (key, header) = entry.split_once('\n')?;
            let name = header.split(':').next()?.trim();
            name.eq_ignore_ascii_case("authorization").then_some(key)
        });
        let mut command = self.command(&[
            "config",
            "--get-urlmatch",
            &format!("http.{ASKED}"),
            address,
        ]);
        let mut configured = Configured::of(&self.env);
        for key in signing_in {
            let scope = &key[..key.len() - "extraheader".len()];
            configured.add(&mut command, &format!("{scope}{ASKED}"), "true");
        }
        configured.added && command.output().is_ok_and(|output| output.status.success())
    }

    /// Gives git a token for one server, in the environment of this one child.
    pub(super) fn sign_in(&self, command: &mut Command, login: &Login) {
        let basic = format!("x-access-token:{}", login.token.expose_secret());
        let header = format!("Authorization: Basic {}", STANDARD.encode(basic));
        let key = format!("http.{}/.extraHeader", login.server);
        Configured::of(&self.env).add(command, &key, &header);
    }
}

/// Settings that one git command gets in its environment, behind those that the user's environment holds.
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
