//! The five links of a registered model: its versions, the code that is deployed, the job that trains,
//! the workflow that deploys models, the job that infers.
//!
//! They are tags of the model (docs/records.md), one for each link, and nothing else of the model is
//! ever written: other tags and the description are people's. The description could not hold them: it
//! belongs to the bundle, whose every plan and deployment would undo what is written there.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;
use xtask_remote::databricks::registry::RegistryKind;
use xtask_remote::mlflow::KeyValue;
use xtask_remote::{Error, Method, Request, Transport};

/// One of the five.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Link {
    /// The model's page, with its versions.
    Versions,
    /// The Git repository at the deployed commit.
    Repository,
    /// The recurring training job.
    TrainingJob,
    /// The workflow that deploys models.
    DeploymentWorkflow,
    /// The recurring inference job.
    InferenceJob,
}

impl Link {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Link; 5] = [
        Link::Versions,
        Link::Repository,
        Link::TrainingJob,
        Link::DeploymentWorkflow,
        Link::InferenceJob,
    ];

    /// The tag that holds it.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Link::Versions => "mlops_link_versions",
            Link::Repository => "mlops_link_repository",
            Link::TrainingJob => "mlops_link_training_job",
            Link::DeploymentWorkflow => "mlops_link_deployment_workflow",
            Link::InferenceJob => "mlops_link_inference_job",
        }
    }

    /// Its name for machines.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.tag().trim_start_matches("mlops_link_")
    }

    /// Its name for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Link::Versions => "versions",
            Link::Repository => "repository",
            Link::TrainingJob => "training job",
            Link::DeploymentWorkflow => "deployment workflow",
            Link::InferenceJob => "inference job",
        }
    }
}

/// Where a link has to lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    Page(String),
    /// To this page, which is not there any more, for this reason.
    Gone(String, String),
    /// Nobody can say, for this reason.
    Unknown(String),
}

impl Destination {
    /// Its address, where there is one.
    #[must_use]
    pub fn page(&self) -> Option<&str> {
        match self {
            Destination::Page(page) | Destination::Gone(page, _) => Some(page),
            Destination::Unknown(_) => None,
        }
    }
}

/// Where the five have to lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    pub versions: Destination,
    pub repository: Destination,
    /// [`Link::TrainingJob`].
    pub training_job: Destination,
    /// [`Link::DeploymentWorkflow`].
    pub deployment_workflow: Destination,
    /// [`Link::InferenceJob`].
    pub inference_job: Destination,
}

impl Links {
    /// Where one of them has to lead.
    #[must_use]
    pub fn of(&self, link: Link) -> &Destination {
        match link {
            Link::Versions => &self.versions,
            Link::Repository => &self.repository,
            Link::TrainingJob => &self.training_job,
            Link::DeploymentWorkflow => &self.deployment_workflow,
            Link::InferenceJob => &self.inference_job,
        }
    }
}

/// The links that a model has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found(BTreeMap<Link, String>);

impl Found {
    /// The address that one of them has.
    #[must_use]
    pub fn of(&self, link: Link) -> Option<&str> {
        self.0.get(&link).map(String::as_str)
    }
}

/// The links among a model's tags.
#[must_use]
pub fn read(tags: &[KeyValue]) -> Found {
    let value = |link: Link| {
        let tag = tags.iter().find(|tag| tag.key == link.tag())?;
        (!tag.value.is_empty()).then(|| (link, tag.value.clone()))
    };
    Found(Link::ALL.into_iter().filter_map(value).collect())
}

/// The links that a model has now, in one call; `None` when there is no such model.
pub fn found(
    transport: &dyn Transport,
    registry: RegistryKind,
    model: &str,
) -> Result<Option<Found>, Error> {
    #[derive(Deserialize)]
    struct Reply {
        registered_model: Model,
    }
    #[derive(Deserialize)]
    struct Model {
        #[serde(default)]
        tags: Vec<KeyValue>,
    }
    let request =
        Request::new(Method::Get, registry.path("registered-models/get")).query("name", model);
    match transport.send(&request) {
        Err(error) if error.is_not_found() => Ok(None),
        reply => Ok(Some(read(
            &reply?.json::<Reply>(&request)?.registered_model.tags,
        ))),
    }
}

/// What is not right about a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// There is none.
    Missing,
    /// It leads elsewhere.
    Wrong,
    /// It leads to what is not there, for this reason.
    Dead(String),
    /// Where it has to lead is not known, for this reason.
    Unknown(String),
}

/// A link that is not right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub link: Link,
    /// What is not right.
    pub trouble: Trouble,
}

/// The links that are not right, in the order of [`Link::ALL`].
#[must_use]
pub fn differences(found: &Found, links: &Links) -> Vec<Difference> {
    let difference = |link: Link| {
        let trouble = trouble(found.of(link), links.of(link))?;
        Some(Difference { link, trouble })
    };
    Link::ALL.into_iter().filter_map(difference).collect()
}

fn trouble(found: Option<&str>, destination: &Destination) -> Option<Trouble> {
    let placeholder = destination
        .page()
        .or(found)
        .filter(|page| is_placeholder(page));
    if let Some(page) = placeholder {
        return Some(Trouble::Dead(format!("{page} was never filled in")));
    }
    match (found, destination) {
        // What stands there cannot be checked.
        (_, Destination::Unknown(reason)) => Some(Trouble::Unknown(reason.clone())),
        (None, _) => Some(Trouble::Missing),
        (Some(found), Destination::Page(page) | Destination::Gone(page, _))
            if !same_page(found, page) =>
        {
            Some(Trouble::Wrong)
        }
        (Some(_), Destination::Gone(_, reason)) => Some(Trouble::Dead(reason.clone())),
        (Some(_), Destination::Page(_)) => None,
    }
}

/// What is written to make the links right: one call for each that is missing or leads elsewhere. None
/// where the page to lead to is not there or not known.
#[must_use]
pub fn requests(registry: RegistryKind, model: &str, found: &Found, links: &Links) -> Vec<Request> {
    let request = |difference: Difference| {
        let Destination::Page(page) = links.of(difference.link) else {
            return None;
        };
        // A placeholder would be as dead the next time.
        (!is_placeholder(page)).then(|| set(registry, model, difference.link, page))
    };
    let differences = differences(found, links);
    differences.into_iter().filter_map(request).collect()
}

/// Setting a tag twice ends as setting it once does.
fn set(registry: RegistryKind, model: &str, link: Link, page: &str) -> Request {
    Request::new(Method::Post, registry.path("registered-models/set-tag"))
        .json(&json!({"name": model, "key": link.tag(), "value": page}))
        .repeatable()
}

/// Whether two addresses lead to the same page. What follows a `?` says which workspace of the host is
/// meant (`?o=…`, `?w=…`), and only some of those who write addresses say it.
fn same_page(one: &str, other: &str) -> bool {
    let page = |address: &str| {
        let page = address.split(['?', '#']).next().unwrap_or_default();
        page.trim_end_matches('/').to_owned()
    };
    page(one) == page(other)
}

/// Whether an address was never filled in: the host of a template, or of documentation.
fn is_placeholder(page: &str) -> bool {
    let host = host(page).to_lowercase();
    let owner = page.split('/').nth(3).unwrap_or_default();
    host.contains(['<', '>', '{', '}', '$'])
        || host.starts_with("your-")
        || host.contains("xxxx")
        || host.ends_with(".example")
        || ["example.com", "example.org", "example.net"]
            .iter()
            .any(|name| host == *name || host.ends_with(&format!(".{name}")))
        || owner == "OWNER"
}

fn host(page: &str) -> &str {
    let rest = page.split_once("://").map_or(page, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "https://dbc-1.cloud.databricks.com";

    fn links() -> Links {
        let page = |path: &str| Destination::Page(format!("{HOST}/{path}"));
        Links {
            versions: page("explore/data/models/a/b/c"),
            repository: Destination::Page("https://github.com/o/r/tree/abc".to_owned()),
            training_job: page("jobs/1?w=7"),
            deployment_workflow: Destination::Unknown("not configured".to_owned()),
            inference_job: page("jobs/2"),
        }
    }

    fn tags(pairs: &[(&str, &str)]) -> Vec<KeyValue> {
        let tag = |(key, value): &(&str, &str)| KeyValue {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
        };
        pairs.iter().map(tag).collect()
    }

    fn named(found: &Found, links: &Links) -> Vec<(&'static str, Trouble)> {
        let differences = differences(found, links).into_iter();
        differences
            .map(|one| (one.link.name(), one.trouble))
            .collect()
    }

    #[test]
    fn each_that_is_missing_or_leads_elsewhere_is_written_and_nothing_else() {
        let tags = tags(&[
            (
                "mlops_link_versions",
                &format!("{HOST}/explore/data/models/a/b/c?o=3"),
            ),
            ("mlops_link_training_job", &format!("{HOST}/jobs/9")),
            ("mlops_link_inference_job", ""),
            ("team", "fares"),
        ]);
        let (found, links) = (read(&tags), links());
        let unknown = Trouble::Unknown("not configured".to_owned());
        assert_eq!(
            named(&found, &links),
            [
                ("repository", Trouble::Missing),
                ("training_job", Trouble::Wrong),
                ("deployment_workflow", unknown),
                ("inference_job", Trouble::Missing),
            ]
        );
        let requests = requests(RegistryKind::UnityCatalog, "a.b.c", &found, &links);
        let sent: Vec<String> = requests
            .iter()
            .map(|request| format!("{} {:?}", request.call(), request.body))
            .collect();
        assert_eq!(sent.len(), 3, "{sent:?}");
        let path = "POST /api/2.0/mlflow/unity-catalog/registered-models/set-tag ";
        assert!(sent.iter().all(|call| call.starts_with(path)), "{sent:?}");
        assert!(sent[1].contains("mlops_link_training_job"), "{sent:?}");
        assert!(
            sent[1].contains("/jobs/1?w=7") && sent[1].contains("a.b.c"),
            "{sent:?}"
        );
    }

    #[test]
    fn what_was_written_is_right() {
        let links = links();
        let written: Vec<KeyValue> =
            requests(RegistryKind::Workspace, "m", &Found::default(), &links)
                .iter()
                .map(|request| {
                    assert_eq!(request.path, "/api/2.0/mlflow/registered-models/set-tag");
                    let xtask_remote::Body::Json(body) = &request.body else {
                        panic!("no JSON");
                    };
                    serde_json::from_value(body.clone()).unwrap()
                })
                .collect();
        let found = read(&written);
        assert_eq!(named(&found, &links).len(), 1);
        assert!(requests(RegistryKind::Workspace, "m", &found, &links).is_empty());
    }

    #[test]
    fn a_job_that_is_gone_and_a_placeholder_are_dead_and_never_written() {
        let gone = "the workspace has no such job".to_owned();
        let mut links = links();
        links.training_job = Destination::Gone(format!("{HOST}/jobs/1"), gone.clone());
        links.repository = Destination::Page("https://github.com/OWNER/NAME/tree/1".to_owned());
        let mut tags = tags(&[("mlops_link_training_job", &format!("{HOST}/jobs/1"))]);
        let nowhere = "https://adb-xxxx.xx.azuredatabricks.net";
        for (key, path) in [
            ("mlops_link_versions", "models"),
            ("mlops_link_deployment_workflow", ""),
        ] {
            tags.push(KeyValue {
                key: key.to_owned(),
                value: format!("{nowhere}/{path}"),
            });
        }
        let found = read(&tags);
        let dead = |page: &str| Trouble::Dead(format!("{page} was never filled in"));
        assert_eq!(
            named(&found, &links),
            [
                ("versions", Trouble::Wrong),
                ("repository", dead("https://github.com/OWNER/NAME/tree/1")),
                ("training_job", Trouble::Dead(gone)),
                ("deployment_workflow", dead(&format!("{nowhere}/"))),
                ("inference_job", Trouble::Missing),
            ]
        );
        let requests = requests(RegistryKind::UnityCatalog, "a.b.c", &found, &links);
        let keys: Vec<String> = requests
            .iter()
            .map(|one| format!("{:?}", one.body))
            .collect();
        assert_eq!(keys.len(), 2, "{keys:?}");
        assert!(keys[0].contains("versions") && keys[1].contains("inference_job"));
    }

    #[test]
    fn placeholders_are_told_from_hosts() {
        for page in [
            "https://your-workspace.cloud.databricks.com/jobs/1",
            "https://adb-xxxx.xx.azuredatabricks.net/jobs/1",
            "https://<host>/jobs/1",
            "https://${host}/jobs/1",
            "https://git.example.com/o/r",
            "https://github.com/OWNER/NAME",
        ] {
            assert!(is_placeholder(page), "{page}");
        }
        for page in [
            "http://127.0.0.1:4000/jobs/1",
            "https://github.com/example/example.com",
            "https://adb-123.4.azuredatabricks.net/jobs/1?o=1",
        ] {
            assert!(!is_placeholder(page), "{page}");
        }
    }
}
