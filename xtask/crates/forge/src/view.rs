//! The forge at one moment, at the address by which the client reached it: what a reply shows.

use std::sync::Arc;

use crate::forge::Forge;
use crate::world::{Id, Pull, Repo, World};

#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) forge: Arc<Forge>,
    pub(crate) world: Arc<World>,
    pub(crate) links: Links,
}

impl View {
    /// With the current world.
    pub(crate) fn now(&self) -> View {
        View {
            world: self.forge.world(),
            ..self.clone()
        }
    }

    pub(crate) fn repo_page(&self, repo: &Repo) -> String {
        format!("{}/{}", self.links.web, self.world.full_name(repo))
    }

    pub(crate) fn repo_api(&self, repo: &Repo) -> String {
        format!("{}/repos/{}", self.links.api, self.world.full_name(repo))
    }

    pub(crate) fn pull_page(&self, pull: &Pull) -> String {
        match self.world.repos.get(pull.repo) {
            Some(repo) => format!("{}/pull/{}", self.repo_page(repo), pull.number),
            None => self.links.web.clone(),
        }
    }

    pub(crate) fn job_page(&self, repo: &Repo, run: Id, job: Id) -> String {
        format!("{}/actions/runs/{run}/job/{job}", self.repo_page(repo))
    }
}

/// GitHub has its API on a host of its own, GitHub Enterprise below `/api/v3`.
#[derive(Debug, Clone)]
pub(crate) struct Links {
    /// For pages and git, without a trailing slash.
    pub(crate) web: String,
    /// For REST, without a trailing slash.
    pub(crate) api: String,
}

impl Links {
    pub(crate) fn of_host(host: &str) -> Links {
        let name = host.split(':').next().unwrap_or(host);
        let site = name.strip_prefix("api.").unwrap_or(name);
        match site {
            "github.com" => Links {
                web: "https://github.com".to_owned(),
                api: "https://api.github.com".to_owned(),
            },
            "github.localhost" => Links {
                web: "http://github.localhost".to_owned(),
                api: "http://api.github.localhost".to_owned(),
            },
            _ => Links {
                web: format!("http://{host}"),
                api: format!("http://{host}/api/v3"),
            },
        }
    }
}

/// GitHub's global ids: a kind and a number, opaque to clients.
pub(crate) fn node_id(kind: &str, id: Id) -> String {
    format!("{kind}_kwF{id:o}")
}

pub(crate) fn parse_node_id(node: &str) -> Option<(&str, Id)> {
    let (kind, number) = node.rsplit_once("_kwF")?;
    Some((kind, Id::from_str_radix(number, 8).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_global_name_leads_back_to_its_row() {
        assert_eq!(parse_node_id(&node_id("PR", 1234)), Some(("PR", 1234)));
        assert_eq!(parse_node_id("PR_x"), None);
    }

    #[test]
    fn the_api_is_where_the_host_has_it() {
        assert_eq!(Links::of_host("api.github.com").web, "https://github.com");
        assert_eq!(
            Links::of_host("127.0.0.1:80").api,
            "http://127.0.0.1:80/api/v3"
        );
    }
}
