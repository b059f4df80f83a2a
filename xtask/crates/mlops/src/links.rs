//! The five links of a target's model: what they should point to, and fixing them.
//!
//! Which links there are, how they are kept and compared is the engine's
//! ([`xtask_promotion::links`]); here the addresses are worked out, of what the workspace says about
//! its deployment.

use serde::Serialize;
use xtask_promotion::links::{self, Destination, Found, Link, Links, Trouble};
use xtask_remote::databricks::bundle_state::Source;
use xtask_remote::databricks::registry::RegistryKind;
use xtask_remote::{Request, Transport};

use crate::context::Context;
use crate::databricks::{Summary, Target, Writer};
use crate::git::Git;
use crate::github;

/// What determines the links of a target.
#[derive(Debug, Clone)]
pub(crate) struct Deployment<'a> {
    /// The workspace's address.
    pub(crate) host: &'a str,
    /// The registered model's name in the registry.
    pub(crate) model: Option<&'a str>,
    /// The id of the job that trains.
    pub(crate) training: Option<&'a str>,
    /// The id of the job that infers.
    pub(crate) inference: Option<&'a str>,
    /// The code that is deployed.
    pub(crate) source: &'a Source,
}

impl<'a> Deployment<'a> {
    /// Reads a target's resources from the CLI and its deployed code from the workspace.
    pub(crate) fn of(
        context: &Context,
        summary: &'a Summary,
        host: &'a str,
        source: &'a Source,
    ) -> Deployment<'a> {
        let (resources, config) = (&summary.resources, &context.config);
        let job = |key: &String| resources.jobs.get(key)?.id.as_deref();
        let model = resources.model(config);
        Deployment {
            host,
            model: model.and_then(|model| model.id.as_deref()),
            training: job(&config.jobs.train),
            inference: job(&config.jobs.inference),
            source,
        }
    }

    /// The expected links.
    pub(crate) fn links(&self, context: &Context, git: Option<&Git>) -> Links {
        // A page without a host is no link, and would replace a working one.
        let page = |path: String| match self.host {
            "" => unknown("the workspace's address is unknown"),
            host => Destination::Page(format!("{host}{path}")),
        };
        let job = |id: Option<&str>| match id {
            Some(id) => page(format!("/jobs/{id}")),
            None => unknown("the job is not deployed"),
        };
        let registry = context.config.model.registry;
        let model = self.model.map(|model| page(registry.page(model)));
        let model = model.unwrap_or_else(|| unknown("the model is not deployed"));
        let repository = git.and_then(|git| github::page_of(context, git, &self.source.origin_url));
        Links {
            versions: model,
            repository: code(self.source, repository.as_ref()),
            training_job: job(self.training),
            deployment_workflow: workflow(context, self.source, repository.as_ref()),
            inference_job: job(self.inference),
        }
    }
}

/// The repository at the deployed commit.
fn code(source: &Source, repository: Option<&(String, bool)>) -> Destination {
    match repository {
        _ if source.commit.is_empty() => unknown("the deployment records no commit"),
        Some((page, _)) => Destination::Page(format!("{page}/tree/{}", source.commit)),
        None => no_page(source),
    }
}

/// The page of the workflow that deploys models.
fn workflow(
    context: &Context,
    source: &Source,
    repository: Option<&(String, bool)>,
) -> Destination {
    match (&context.config.github.deploy_model_workflow, repository) {
        (None, _) => unknown("github.deploy-model-workflow is not set in xtask.toml"),
        (_, None) => no_page(source),
        (_, Some((_, false))) => {
            unknown("the repository is not on GitHub, nor on github.host of xtask.toml")
        }
        (Some(file), Some((page, true))) => {
            Destination::Page(format!("{page}/actions/workflows/{file}"))
        }
    }
}

fn no_page(source: &Source) -> Destination {
    unknown(match source.origin_url.is_empty() {
        true => "the deployment records no remote",
        false => "the deployed remote has no web page",
    })
}

fn unknown(reason: &str) -> Destination {
    Destination::Unknown(reason.to_owned())
}

/// The state of a link; docs/links.md describes the fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LinkState {
    pub(crate) link: &'static str,
    /// `right`, `missing`, `wrong`, `dead`, `unknown`.
    pub(crate) state: &'static str,
    /// The address that the model has.
    pub(crate) url: Option<String>,
    /// The expected address.
    pub(crate) expected: Option<String>,
    /// Why it is dead, or not known.
    pub(crate) reason: Option<String>,
    /// Its name for people.
    #[serde(skip)]
    pub(crate) words: &'static str,
}

impl LinkState {
    /// Whether it needs fixing.
    pub(crate) fn is_bad(&self) -> bool {
        matches!(self.state, "missing" | "wrong" | "dead")
    }
}

/// The state of all five.
pub(crate) fn states(found: &Found, links: &Links) -> Vec<LinkState> {
    let differences = links::differences(found, links);
    let one = |link: Link| {
        let trouble = differences.iter().find(|one| one.link == link);
        let (state, reason) = match trouble.map(|one| &one.trouble) {
            None => ("right", None),
            Some(Trouble::Missing) => ("missing", None),
            Some(Trouble::Wrong) => ("wrong", None),
            Some(Trouble::Dead(reason)) => ("dead", Some(reason.clone())),
            Some(Trouble::Unknown(reason)) => ("unknown", Some(reason.clone())),
        };
        LinkState {
            link: link.name(),
            state,
            url: found.of(link).map(str::to_owned),
            expected: links.of(link).page().map(str::to_owned),
            reason,
            words: link.words(),
        }
    };
    Link::ALL.into_iter().map(one).collect()
}

/// The result of fixing a model's links.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    /// Their state now.
    pub(crate) links: Vec<LinkState>,
    /// How many were written.
    pub(crate) written: usize,
}

/// The calls that fix the links of a deployed target.
pub(crate) struct Repair {
    /// The calls in order; empty where nothing needs fixing.
    pub(crate) requests: Vec<Request>,
    model: Option<String>,
    found: Found,
    links: Links,
}

/// Compares the links of a deployed target with what is deployed. Reads only.
pub(crate) fn repair(
    context: &Context,
    target: &Target<'_>,
    summary: &Summary,
    source: &Source,
) -> Result<Repair, xtask_remote::Error> {
    let host = target.host();
    let deployment = Deployment::of(context, summary, &host, source);
    let links = deployment.links(context, Git::open(context).ok().as_ref());
    let registry = context.config.model.registry;
    let found = read(&*target.transport(), registry, deployment.model)?;
    let name = deployment.model.unwrap_or_default();
    Ok(Repair {
        requests: links::requests(registry, name, &found, &links),
        model: deployment.model.map(str::to_owned),
        found,
        links,
    })
}

/// Writes the links of a deployed target that are wrong, and reads them back.
pub(crate) fn keep(
    context: &Context,
    writer: &Writer<'_, '_>,
    summary: &Summary,
    source: &Source,
) -> Result<Kept, xtask_remote::Error> {
    let mut repair = repair(context, writer.target(), summary, source)?;
    let transport = writer.transport();
    for request in &repair.requests {
        transport.send(request)?;
    }
    if !repair.requests.is_empty() {
        let registry = context.config.model.registry;
        repair.found = read(&*transport, registry, repair.model.as_deref())?;
    }
    Ok(Kept {
        links: states(&repair.found, &repair.links),
        written: repair.requests.len(),
    })
}

/// The state of a target's links before a deployment, compared with what the checked-out commit will need.
pub(crate) fn before(
    context: &Context,
    target: &Target<'_>,
    summary: &Summary,
    commit: Option<&str>,
) -> Result<Vec<LinkState>, xtask_remote::Error> {
    let host = target.host();
    let git = Git::open(context).ok();
    let origin = git
        .as_ref()
        .and_then(|git| git.setting("remote.origin.url"));
    let source = Source {
        commit: commit.unwrap_or_default().to_owned(),
        origin_url: origin.unwrap_or_default(),
        ..Source::default()
    };
    let deployment = Deployment::of(context, summary, &host, &source);
    let links = deployment.links(context, git.as_ref());
    let registry = context.config.model.registry;
    let found = read(&*target.transport(), registry, deployment.model)?;
    Ok(states(&found, &links))
}

/// The links that a model has; none where there is no model.
fn read(
    transport: &dyn Transport,
    registry: RegistryKind,
    model: Option<&str>,
) -> Result<Found, xtask_remote::Error> {
    match model {
        Some(model) => Ok(links::found(transport, registry, model)?.unwrap_or_default()),
        None => Ok(Found::default()),
    }
}
