//! Parses a remote's URL into a GitHub repository.

use xtask_remote::github::Address;
use xtask_remote::github::repositories::Name;

use super::GitHubRemote;
use crate::context::Context;
use crate::git::{Git, Remote};
use crate::vars;

/// The parts of a remote's URL.
#[derive(Debug, PartialEq, Eq)]
struct Parts<'a> {
    /// `https`, `http`, `ssh`, `git`.
    scheme: &'a str,
    /// The host, with its port for http.
    host: String,
    /// What follows.
    path: &'a str,
}

/// The repository of a remote; `None` if it is not on GitHub. Takes the push URL, unless that is not on
/// GitHub (a mirror, a folder); then the fetch URL, then the configured one.
pub(super) fn place(context: &Context, git: &Git, remote: &Remote) -> Option<GitHubRemote> {
    remote
        .push
        .iter()
        .chain([&remote.fetch, &remote.written])
        .find_map(|url| {
            let (address, name) = repository(url, |host| behind_alias(context, git, host))?;
            is_github(context, &address).then(|| GitHubRemote {
                remote: remote.name.clone(),
                address,
                name,
            })
        })
}

/// The host of a URL, for messages.
pub(super) fn host(context: &Context, git: &Git, url: &str) -> Option<String> {
    let parts = parts(url)?;
    Some(real_host(&parts, |host| behind_alias(context, git, host)))
}

/// The host that ssh connects to for a host name in a URL. Any name may be an ssh alias, with or without a
/// dot, except that of GitHub itself: its web server has that name, whatever ssh does.
pub(super) fn behind_alias(context: &Context, git: &Git, host: &str) -> Option<String> {
    let address = Address::of(&format!("https://{}", normal(host)));
    match is_github(context, &address) {
        true => None,
        false => git.ssh_host(host),
    }
}

/// Whether a host is GitHub.
pub(super) fn is_github(context: &Context, address: &Address) -> bool {
    let known = [
        context.config.github.host.as_deref(),
        context.env.get(vars::GH_HOST),
        context.env.get(vars::GITHUB_SERVER_URL),
    ];
    let is_known = |host: &str| {
        let host = host.split("://").last().unwrap_or(host);
        host.trim_end_matches('/')
            .eq_ignore_ascii_case(address.host())
    };
    address.is_cloud() || address.is_local() || known.into_iter().flatten().any(is_known)
}

/// GitHub host and repository of a URL in any form.
pub(super) fn repository(
    url: &str,
    ssh_host: impl Fn(&str) -> Option<String>,
) -> Option<(Address, Name)> {
    let parts = parts(url)?;
    let path = parts.path.trim_matches('/');
    let name = Name::parse(path.strip_suffix(".git").unwrap_or(path))?;
    let host = real_host(&parts, ssh_host);
    // Plain HTTP only for servers on this machine.
    let plain = parts.scheme == "http" && Address::of(&format!("http://{host}")).is_local();
    let scheme = if plain { "http" } else { "https" };
    Some((Address::of(&format!("{scheme}://{host}")), name))
}

fn real_host(parts: &Parts<'_>, ssh_host: impl Fn(&str) -> Option<String>) -> String {
    let behind = match parts.scheme {
        "ssh" => ssh_host(&parts.host),
        _ => None,
    };
    normal(behind.as_deref().unwrap_or(&parts.host))
}

/// The web host of a git host.
fn normal(host: &str) -> String {
    match host.to_lowercase().as_str() {
        // ssh.github.com serves ssh on port 443, where port 22 is blocked.
        "ssh.github.com" | "www.github.com" => "github.com".to_owned(),
        other => other.to_owned(),
    }
}

fn parts(url: &str) -> Option<Parts<'_>> {
    if let Some((scheme, rest)) = url.split_once("://") {
        let scheme = match scheme {
            "https" | "http" | "git" => scheme,
            "ssh" | "git+ssh" | "ssh+git" => "ssh",
            _ => return None,
        };
        let (authority, path) = rest.split_once('/')?;
        let host = authority.rsplit('@').next()?;
        // The port of an ssh URL is not the web server's.
        let host = match scheme {
            "https" | "http" => host.strip_suffix(":443").unwrap_or(host),
            _ => host.split(':').next()?,
        };
        let host = host.to_owned();
        return (!host.is_empty()).then_some(Parts { scheme, host, path });
    }
    // scp syntax, `user@host:path`; with a slash before the colon it is a folder.
    let (authority, path) = url.split_once(':')?;
    let host = authority.rsplit('@').next()?;
    let is_host = !host.is_empty() && !authority.contains('/') && !host.starts_with('-');
    is_host.then(|| Parts {
        scheme: "ssh",
        host: host.to_owned(),
        path,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str) -> Option<(String, String)> {
        let alias = |host: &str| {
            ["work", "github.com-work"]
                .contains(&host)
                .then(|| "github.com".to_owned())
        };
        repository(url, alias).map(|(address, name)| (address.web().to_owned(), name.to_string()))
    }

    #[test]
    fn every_form_of_address_leads_to_the_repository() {
        for (url, web, name) in [
            ("https://github.com/o/r", "https://github.com", "o/r"),
            ("https://github.com/o/r.git", "https://github.com", "o/r"),
            ("https://GitHub.com/o/r.git/", "https://github.com", "o/r"),
            (
                "https://me:ghp_x@github.com/o/r.git",
                "https://github.com",
                "o/r",
            ),
            ("https://github.com:443/o/r", "https://github.com", "o/r"),
            ("git@github.com:o/r.git", "https://github.com", "o/r"),
            ("github.com:o/r", "https://github.com", "o/r"),
            ("git@work:o/r.git", "https://github.com", "o/r"),
            ("git@github.com-work:o/r.git", "https://github.com", "o/r"),
            (
                "https://github.com-work/o/r.git",
                "https://github.com-work",
                "o/r",
            ),
            ("ssh://git@github.com/o/r.git", "https://github.com", "o/r"),
            (
                "ssh://git@ssh.github.com:443/o/r.git",
                "https://github.com",
                "o/r",
            ),
            ("git+ssh://git@github.com/o/r", "https://github.com", "o/r"),
            ("git://github.com/o/r.git", "https://github.com", "o/r"),
            ("http://github.com/o/r", "https://github.com", "o/r"),
            (
                "git@git.example.org:o/my.repo.git",
                "https://git.example.org",
                "o/my.repo",
            ),
            (
                "ssh://git@git.example.org:2222/o/r",
                "https://git.example.org",
                "o/r",
            ),
            ("https://acme.ghe.com/o/r", "https://acme.ghe.com", "o/r"),
            (
                "http://127.0.0.1:4567/o/r.git",
                "http://127.0.0.1:4567",
                "o/r",
            ),
        ] {
            assert_eq!(of(url), Some((web.to_owned(), name.to_owned())), "{url}");
        }
    }

    #[test]
    fn what_is_no_repository_leads_nowhere() {
        for url in [
            "/srv/git/r.git",
            "../r.git",
            "file:///srv/r.git",
            "https://github.com/o",
            "https://gist.example.org/a/b/c",
            "ext::sh -c x",
            "-oProxyCommand=x:o/r",
            "",
        ] {
            assert_eq!(of(url), None, "{url}");
        }
    }
}
