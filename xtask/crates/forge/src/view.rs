//! The forge at one moment, at the address by which the client reached it: what a reply shows.

use std::sync::Arc;

use crate::forge::Forge;
use crate::links::Links;
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
