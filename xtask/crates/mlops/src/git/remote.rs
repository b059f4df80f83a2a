//! Remotes: their URLs, and fetching branches.

use std::process::Command;
use std::time::Duration;

use xshell::{Cmd, cmd};

use super::{Git, Login};
use crate::child_env::{self, Program, sh};
use crate::error::Failure;
use crate::process::{self, Finished};

/// The timeout of `ssh -G`.
const SSH: Duration = Duration::from_secs(5);

/// A remote of the clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Remote {
    pub(crate) name: String,
    /// Its push URLs after pushurl, insteadOf and pushInsteadOf. A push goes to all of them.
    pub(crate) push: Vec<String>,
    /// Its fetch URL after insteadOf.
    pub(crate) fetch: String,
    /// The URL as configured.
    pub(crate) written: String,
}

impl Git {
    /// The remotes, in the order of the configuration.
    pub(crate) fn remotes(&self) -> anyhow::Result<Vec<Remote>> {
        let names = self.read(cmd!(sh(), "git remote"))?;
        let mut remotes = Vec::new();
        for name in names.lines() {
            let urls = |line| -> Vec<String> {
                let listed = self.read(line).unwrap_or_default();
                listed.lines().map(str::to_owned).collect()
            };
            let fetch = urls(cmd!(sh(), "git remote get-url -- {name}"));
            let fetch = fetch.into_iter().next().unwrap_or_default();
            let push = urls(cmd!(sh(), "git remote get-url --push --all -- {name}"));
            // Skip remotes without a URL.
            if fetch.is_empty() && push.is_empty() {
                continue;
            }
            let written = self
                .setting(&format!("remote.{name}.url"))
                .unwrap_or_default();
            remotes.push(Remote {
                name: name.to_owned(),
                push,
                fetch,
                written,
            });
        }
        Ok(remotes)
    }

    /// Fetches one branch and returns its commit. `from` is a remote's name or URL; only the
    /// remote-tracking branch is updated.
    pub(crate) fn fetch(
        &self,
        from: &str,
        branch: &str,
        login: Option<&Login>,
    ) -> anyhow::Result<String> {
        let line = cmd!(
            sh(),
            "git fetch --quiet --no-tags --no-recurse-submodules -- {from} refs/heads/{branch}"
        );
        let finished = self.talk(line, from, login)?;
        if !finished.ok() {
            return Failure::service(format!("could not fetch branch {branch} from {from}"))
                .details(finished.tail)
                .err();
        }
        self.read(cmd!(sh(), "git rev-parse --verify FETCH_HEAD"))
    }

    /// Fetches a branch's commits without updating any ref, so that several may run at once, and returns
    /// its commit. `None` if the remote has no such branch.
    pub(crate) fn bring(
        &self,
        remote: &str,
        branch: &str,
        login: Option<&Login>,
    ) -> anyhow::Result<Option<String>> {
        let Some(told) = self.remote_head(remote, branch, login)? else {
            return Ok(None);
        };
        if self.resolve(&told).is_some() {
            return Ok(Some(told));
        }
        let line = cmd!(
            sh(),
            "git fetch --quiet --no-tags --no-recurse-submodules --no-write-fetch-head --refmap=
                -- {remote} refs/heads/{branch}"
        );
        let finished = self.talk(line, remote, login)?;
        // The branch was changed in between.
        if finished.ok() && self.resolve(&told).is_some() {
            return Ok(Some(told));
        }
        Failure::service(format!("could not fetch branch {branch} from {remote}"))
            .details(finished.tail)
            .next("run it again: it checks the remote first")
            .err()
    }

    /// The commit of a branch on a remote; `None` if it has no such branch.
    pub(crate) fn remote_head(
        &self,
        remote: &str,
        branch: &str,
        login: Option<&Login>,
    ) -> anyhow::Result<Option<String>> {
        let full = format!("refs/heads/{branch}");
        let line = cmd!(sh(), "git ls-remote -- {remote} {full}");
        let listed = self.listed_by(line, remote, login)?;
        // ls-remote matches name suffixes; take only the full name.
        Ok(listed.lines().find_map(|line| {
            let (sha, name) = line.split_once('\t')?;
            (name == full).then(|| sha.to_owned())
        }))
    }

    /// The remote's default branch.
    pub(crate) fn default_branch(
        &self,
        remote: &str,
        login: Option<&Login>,
    ) -> anyhow::Result<Option<String>> {
        let line = cmd!(sh(), "git ls-remote --symref -- {remote} HEAD");
        let listed = self.listed_by(line, remote, login)?;
        Ok(listed.lines().find_map(|line| {
            let name = line.strip_prefix("ref: refs/heads/")?.split_once('\t')?.0;
            Some(name.to_owned())
        }))
    }

    fn listed_by(
        &self,
        line: Cmd<'_>,
        remote: &str,
        login: Option<&Login>,
    ) -> anyhow::Result<String> {
        let finished = self.talk(line, remote, login)?;
        if finished.ok() {
            return Ok(finished.stdout);
        }
        Failure::service(format!("could not reach the remote {remote}"))
            .details(finished.tail)
            .next(format!("git ls-remote {remote}"))
            .err()
    }

    /// A git command that contacts a remote. git may prompt only on a terminal.
    pub(super) fn talk(
        &self,
        line: Cmd<'_>,
        remote: &str,
        login: Option<&Login>,
    ) -> anyhow::Result<Finished> {
        let mut command = match self.ui.can_ask() {
            true => self.outward(line),
            false => self.silent(line),
        };
        let pushes = command.get_args().any(|word| word == "push");
        let own = match login {
            Some(_) => None,
            None => self.credential_for(remote, pushes),
        };
        let handed = match login.or(own.as_ref()) {
            Some(login) => Some(self.sign_in(&mut command, login)?),
            None => None,
        };
        let mut finished = process::run(&self.ui, &self.interrupt, command, &mut |_| ())?;
        drop(handed);
        if finished.tail.is_empty() {
            return Ok(finished);
        }
        for remote in self.remotes()? {
            // The URL may contain a password, and git prints the URL.
            for url in remote.push.iter().chain([&remote.fetch, &remote.written]) {
                finished.tail = without_user(&finished.tail, url);
            }
        }
        Ok(finished)
    }

    /// The host name behind an ssh alias, from the ssh that git uses.
    pub(crate) fn ssh_host(&self, alias: &str) -> Option<String> {
        let chosen = self
            .env
            .get("GIT_SSH_COMMAND")
            .map(str::to_owned)
            .or_else(|| self.setting("core.sshCommand"))
            .unwrap_or_else(|| "ssh".to_owned());
        // git passes the setting to a shell: it may contain options, such as another configuration.
        let script = format!("{chosen} -G -- \"$1\"");
        let line = cmd!(sh(), "sh -c {script} sh {alias}");
        let command = child_env::command(&self.env, Program::GitRemote, line, &self.root);
        let finished =
            process::run_within(&self.ui, &self.interrupt, command, Some(SSH), &mut |_| ()).ok()?;
        let host = finished
            .stdout
            .lines()
            .find_map(|line| line.strip_prefix("hostname "))?;
        Some(host.trim().to_owned())
    }

    /// git that may prompt on the terminal.
    fn outward(&self, line: Cmd<'_>) -> Command {
        let mut command = self.command_of(Program::GitRemote, line);
        command.env_remove("GIT_TERMINAL_PROMPT");
        command
    }

    /// git without prompts, neither on the terminal nor in a window.
    pub(super) fn silent(&self, line: Cmd<'_>) -> Command {
        let mut command = self.outward(line);
        command
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ASKPASS", "")
            .env("SSH_ASKPASS", "");
        let chosen = self.env.get("GIT_SSH_COMMAND").is_some()
            || self.env.get("GIT_SSH").is_some()
            || self.setting("core.sshCommand").is_some();
        if !chosen {
            command.env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes");
        }
        command
    }
}

/// A text with user and password removed from a URL in it.
pub(crate) fn without_user(text: &str, address: &str) -> String {
    match user_of(address) {
        Some(secret) => text.replace(secret, "***"),
        None => text.to_owned(),
    }
}

/// User and password of a URL.
fn user_of(url: &str) -> Option<&str> {
    let (user, _) = url.split_once("://")?.1.split_once('@')?;
    // `git@` is no secret, and no address without a path has one.
    (user != "git" && !user.is_empty() && !user.contains('/')).then_some(user)
}
