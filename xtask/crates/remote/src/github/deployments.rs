//! Deployments: what GitHub was told that was brought to an environment. A workflow's job that names an
//! environment makes one by itself.

use serde::Deserialize;

use super::GitHub;
use super::repositories::Name;
use crate::Error;
use crate::transport::{Method, Request};

/// What became of the deployments of a commit to an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deployed {
    /// Nobody told of any.
    Unknown,
    /// One succeeded.
    Yes,
    /// There were some, and none of them has succeeded.
    No,
}

/// Whether a commit was brought to an environment, as far as GitHub was told.
pub fn of_commit(
    github: &GitHub,
    name: &Name,
    environment: &str,
    sha: &str,
) -> Result<Deployed, Error> {
    #[derive(Deserialize)]
    struct Deployment {
        id: u64,
    }
    #[derive(Deserialize)]
    struct Status {
        state: String,
    }
    let list = format!("{}/deployments", name.path());
    let request = Request::new(Method::Get, list.as_str())
        .query("environment", environment)
        .query("sha", sha);
    let found: Vec<Deployment> = github.pages(&request, None)?;
    for deployment in &found {
        let request = Request::new(Method::Get, format!("{list}/{}/statuses", deployment.id));
        let statuses: Vec<Status> = github.pages(&request, None)?;
        // One that a later deployment has made inactive keeps the success before that.
        if statuses.iter().any(|status| status.state == "success") {
            return Ok(Deployed::Yes);
        }
    }
    Ok(match found.is_empty() {
        true => Deployed::Unknown,
        false => Deployed::No,
    })
}
