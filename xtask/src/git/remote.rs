//! What talks to a remote: its addresses, fetching a branch, pushing one, and git's own credentials.
//!
//! Only these get the user's GitHub tokens in their environment: git's credential helpers may need
//! them. A token of ours goes there as well, and never into an argument.

use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

use super::Git;
use crate::env::Env;
use crate::error::{Failure, Kind};
use crate::process::{self, Finished};
use crate::vars;

/// How long ssh may take to read its configuration.
const SSH: Duration = Duration::from_secs(5);

/// A remote of the clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Remote {
    /// Its name.
    pub(crate) name: String,
    /// Where it pushes to, as git understands it: with pushurl, insteadOf and pushInsteadOf.
    pub(crate) push: String,
    /// Where it fetches from, as git understands it.
    pub(crate) fetch: String,
    /// What is written in the configuration.
    pub(crate) written: String,
}

/// What git signs in with where it has nothing of its own.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    /// The server: scheme, host and port.
    pub(crate) server: String,
    /// The token.
    pub(crate) token: SecretString,
}

/// What must hold on the remote for a push that rewrites a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lease {
    /// There is no such branch yet.
    New,
    /// The branch only grows.
    Grows,
    /// The branch is rewritten, if it is still at this commit.
    Rewrites(String),
}

/// One ref, to be pushed.
#[derive(Debug, Clone)]
pub(crate) struct Push {
    /// The remote's name.
    pub(crate) remote: String,
    /// The commit.
    pub(crate) sha: String,
    /// The branch there.
    pub(crate) branch: String,
    /// What must hold.
    pub(crate) lease: Lease,
    /// Another branch that must be where it is thought to be, and its commit: else nothing is pushed.
    pub(crate) unmoved: Option<(String, String)>,
}

impl Push {
    /// The arguments of git: exactly one ref, by its full name on both sides.
    pub(crate) fn args(&self) -> Vec<String> {
        let full = format!("refs/heads/{}", self.branch);
        let mut args = vec![
            "push".to_owned(),
            "--porcelain".to_owned(),
            "--no-follow-tags".to_owned(),
            "--recurse-submodules=no".to_owned(),
        ];
        match &self.lease {
            // Without this, a branch of somebody else that happens to have the name would be moved on.
            Lease::New => args.push(format!("--force-with-lease={full}:")),
            Lease::Grows => {}
            Lease::Rewrites(expected) => {
                args.push(format!("--force-with-lease={full}:{expected}"));
            }
        }
        let mut refs = vec![format!("{}:{full}", self.sha)];
        if let Some((branch, sha)) = &self.unmoved {
            // Pushed to where it is, that branch stays as it is; where it has moved, git refuses both.
            let other = format!("refs/heads/{branch}");
            args.push("--atomic".to_owned());
            args.push(format!("--force-with-lease={other}:{sha}"));
            refs.push(format!("{sha}:{other}"));
        }
        args.extend(["--".to_owned(), self.remote.clone()]);
        args.extend(refs);
        args
    }
}

impl Git {
    /// The remotes, in the order of the configuration.
    ///
    /// # Errors
    /// When git fails.
    pub(crate) fn remotes(&self) -> anyhow::Result<Vec<Remote>> {
        let names = self.read(&["remote"])?;
        let mut remotes = Vec::new();
        for name in names.lines() {
            let url = |args: &[&str]| {
                let all = [&["remote", "get-url"], args, &["--", name]].concat();
                let listed = self.read(&all).unwrap_or_default();
                listed.lines().next().unwrap_or_default().to_owned()
            };
            let (fetch, push) = (url(&[]), url(&["--push"]));
            // A remote without an address leads nowhere.
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

    /// Fetches one branch, and says where it is. `from` is a remote's name or an address; only a
    /// remote's own view of its branch is kept.
    ///
    /// # Errors
    /// [`Kind::Service`] with what git says.
    pub(crate) fn fetch(
        &self,
        from: &str,
        branch: &str,
        login: Option<&Login>,
    ) -> anyhow::Result<String> {
        let full = format!("refs/heads/{branch}");
        let args = [
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-recurse-submodules",
            "--",
            from,
            &full,
        ];
        let finished = self.talk(&args, login)?;
        if !finished.ok() {
            return Failure::new(
                Kind::Service,
                format!("the branch {branch} cannot be fetched from {from}"),
            )
            .details(finished.tail)
            .err();
        }
        self.read(&["rev-parse", "--verify", "FETCH_HEAD"])
    }

    /// Brings a branch's commits here and leaves no other trace, so that several may do it at once; where the
    /// branch is. `None` where the remote has no such branch.
    ///
    /// # Errors
    /// [`Kind::Service`] with what git says.
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
        let full = format!("refs/heads/{branch}");
        let args = [
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-recurse-submodules",
            "--no-write-fetch-head",
            "--refmap=",
            "--",
            remote,
            &full,
        ];
        let finished = self.talk(&args, login)?;
        // Replaced in between, it is not what was told any more.
        if finished.ok() && self.resolve(&told).is_some() {
            return Ok(Some(told));
        }
        let what = format!("the branch {branch} cannot be fetched from {remote}");
        Failure::new(Kind::Service, what)
            .details(finished.tail)
            .next("call it again: it looks first")
            .err()
    }

    /// Where a branch is on a remote now; `None` where it has no such branch.
    ///
    /// # Errors
    /// [`Kind::Service`] with what git says.
    pub(crate) fn remote_head(
        &self,
        remote: &str,
        branch: &str,
        login: Option<&Login>,
    ) -> anyhow::Result<Option<String>> {
        let full = format!("refs/heads/{branch}");
        let finished = self.talk(&["ls-remote", "--", remote, &full], login)?;
        if !finished.ok() {
            return Failure::new(
                Kind::Service,
                format!("the remote {remote} does not answer"),
            )
            .details(finished.tail)
            .next(format!("git ls-remote {remote}"))
            .err();
        }
        // Patterns match the ends of names: only the full name is meant.
        let found = finished.stdout.lines().find_map(|line| {
            let (sha, name) = line.split_once('\t')?;
            (name == full).then(|| sha.to_owned())
        });
        Ok(found)
    }

    /// The branch that a remote shows to those who ask for none.
    ///
    /// # Errors
    /// [`Kind::Service`] with what git says.
    pub(crate) fn default_branch(
        &self,
        remote: &str,
        login: Option<&Login>,
    ) -> anyhow::Result<Option<String>> {
        let finished = self.talk(&["ls-remote", "--symref", "--", remote, "HEAD"], login)?;
        if !finished.ok() {
            return Failure::new(
                Kind::Service,
                format!("the remote {remote} does not answer"),
            )
            .details(finished.tail)
            .next(format!("git ls-remote {remote}"))
            .err();
        }
        Ok(finished.stdout.lines().find_map(|line| {
            let name = line.strip_prefix("ref: refs/heads/")?.split_once('\t')?.0;
            Some(name.to_owned())
        }))
    }

    /// Pushes one ref.
    ///
    /// # Errors
    /// [`Kind::Service`] with what git or the server says.
    pub(crate) fn push(&self, push: &Push, login: Option<&Login>) -> anyhow::Result<()> {
        let args = push.args();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let finished = self.talk(&args, login)?;
        if finished.ok() {
            return Ok(());
        }
        let what = format!(
            "the branch {} could not be pushed to {}",
            push.branch, push.remote
        );
        let failure = Failure::new(Kind::Service, what);
        let is_stale = finished.tail.contains("stale info");
        if let (true, Some((branch, _))) = (is_stale, &push.unmoved) {
            return Failure::new(
                Kind::Failed,
                format!(
                    "{branch} or {} has moved on {} meanwhile; nothing was pushed",
                    push.branch, push.remote
                ),
            )
            .details(finished.tail)
            .next("call it again: it looks first")
            .err();
        }
        let failure = match (is_stale, &push.lease) {
            (true, Lease::New) => failure
                .next("there is a branch of that name already: choose another one with --branch"),
            (true, _) => failure
                .next("somebody else pushed to it meanwhile: git fetch, look, and call it again"),
            (false, _) => failure,
        };
        failure.details(finished.tail).err()
    }

    /// Remembers that a local branch is the one of a remote, for later pulls.
    pub(crate) fn track(&self, branch: &str, remote: &str, name: &str) {
        // A convenience: the push has succeeded whether or not this does.
        let _ = self.read(&["config", &format!("branch.{branch}.remote"), remote]);
        let _ = self.read(&[
            "config",
            &format!("branch.{branch}.merge"),
            &format!("refs/heads/{name}"),
        ]);
    }

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

    /// A git command that talks to a remote. Where git would ask, it may do so at a terminal only.
    fn talk(&self, args: &[&str], login: Option<&Login>) -> anyhow::Result<Finished> {
        let mut command = match self.ui.can_ask() {
            true => self.outward(args),
            false => self.silent(args),
        };
        if let Some(login) = login {
            self.sign_in(&mut command, login);
        }
        let mut finished = process::run(&self.ui, &self.interrupt, command, |_| ())?;
        for remote in self.remotes()? {
            // An address may hold a password, and git's words the address.
            for secret in [&remote.push, &remote.fetch, &remote.written].map(|url| user_of(url)) {
                finished.tail = match secret {
                    Some(secret) => finished.tail.replace(secret, "***"),
                    None => finished.tail,
                };
            }
        }
        Ok(finished)
    }

    /// Gives git a token for one server, in the environment of this one child.
    fn sign_in(&self, command: &mut Command, login: &Login) {
        let basic = format!("x-access-token:{}", login.token.expose_secret());
        let header = format!("Authorization: Basic {}", STANDARD.encode(basic));
        let key = format!("http.{}/.extraHeader", login.server);
        Configured::of(&self.env).add(command, &key, &header);
    }

    /// The host that ssh connects to for a name of its own configuration, by the ssh that git would run.
    pub(crate) fn ssh_host(&self, alias: &str) -> Option<String> {
        let chosen = self
            .env
            .get("GIT_SSH_COMMAND")
            .map(str::to_owned)
            .or_else(|| self.setting("core.sshCommand"))
            .unwrap_or_else(|| "ssh".to_owned());
        // git itself hands the setting to a shell: it may hold options, such as another configuration.
        let mut command = crate::children::command(&self.env, "sh", &self.root);
        command.args(["-c", &format!("{chosen} -G -- \"$1\""), "sh", alias]);
        let finished =
            process::run_within(&self.ui, &self.interrupt, command, Some(SSH), |_| ()).ok()?;
        let host = finished
            .stdout
            .lines()
            .find_map(|line| line.strip_prefix("hostname "))?;
        Some(host.trim().to_owned())
    }

    /// git with the user's GitHub tokens, which its credential helpers may need.
    fn outward(&self, args: &[&str]) -> Command {
        let mut command = self.command(args);
        command.env_remove("GIT_TERMINAL_PROMPT");
        for name in vars::GITHUB_TOKENS {
            if let Some(value) = self.env.get(name) {
                command.env(name, value);
            }
        }
        command
    }

    /// The same, and it asks nothing: neither at the terminal nor in a window.
    fn silent(&self, args: &[&str]) -> Command {
        let mut command = self.outward(args);
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

/// User and password in an address.
fn user_of(url: &str) -> Option<&str> {
    let (user, _) = url.split_once("://")?.1.split_once('@')?;
    // `git@` is no secret, and no address without a path has one.
    (user != "git" && !user.is_empty() && !user.contains('/')).then_some(user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_names_one_ref_in_full() {
        let mut push = Push {
            remote: "origin".to_owned(),
            sha: "abc".to_owned(),
            branch: "-f".to_owned(),
            lease: Lease::Grows,
            unmoved: None,
        };
        let plain = [
            "push",
            "--porcelain",
            "--no-follow-tags",
            "--recurse-submodules=no",
            "--",
            "origin",
            "abc:refs/heads/-f",
        ];
        assert_eq!(push.args(), plain);
        push.lease = Lease::New;
        assert_eq!(push.args()[4], "--force-with-lease=refs/heads/-f:");
        push.lease = Lease::Rewrites("def".to_owned());
        assert_eq!(push.args()[4], "--force-with-lease=refs/heads/-f:def");
        push.unmoved = Some(("x".to_owned(), "123".to_owned()));
        assert_eq!(
            push.args()[5..],
            [
                "--atomic",
                "--force-with-lease=refs/heads/x:123",
                "--",
                "origin",
                "abc:refs/heads/-f",
                "123:refs/heads/x"
            ]
        );
    }
}
