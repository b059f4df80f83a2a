//! A target that the bundle is deployed to: champion and challenger, the last runs, what monitoring
//! found. All questions go out at once; only a champion older than the newest runs takes one more.

use std::collections::BTreeMap;

use xtask_promotion::links::{self, Destination, Found, Links};
use xtask_remote::databricks::bundle_state::{Resources, Source};
use xtask_remote::databricks::jobs;
use xtask_remote::databricks::model_versions::ModelVersion;
use xtask_remote::databricks::registry::RegistryKind;
use xtask_remote::mlflow::{self, MetricValue, Run};
use xtask_remote::records::{RunRecord, TrainedIn, VersionRecord};
use xtask_remote::{Error, Transport};

use super::environments::joined;
use super::facts::{Environment, LastRun, Monitoring, Trend, Unknown, Version};
use crate::context::Context;
use crate::error::sign_in;
use crate::git::Git;
use crate::lineage::CHAMPION;
use crate::links as addresses;
use crate::ui;
use xtask_remote::Timestamp;

/// The alias of a version that passed validation and is not in use.
const CHALLENGER: &str = "challenger";
/// How many of the newest MLflow runs are looked at.
const RUNS: u32 = 100;
/// How many values a trend has at most.
const TREND: usize = 24;

/// What the bundle has deployed to a target.
pub(super) struct Deployed<'a> {
    target: &'a str,
    host: &'a str,
    /// The metrics that xtask.toml names.
    metrics: &'a [String],
    registry: RegistryKind,
    model: Option<String>,
    training: Option<i64>,
    inference: Option<i64>,
    experiments: Vec<String>,
    /// Where the model's links have to lead.
    links: Links,
}

impl<'a> Deployed<'a> {
    /// Takes out of the deployed resources what xtask.toml names. `source` is the code that is deployed.
    pub(super) fn new(
        context: &'a Context,
        git: &Git,
        target: &'a str,
        host: &'a str,
        resources: &Resources,
        source: &Source,
    ) -> Deployed<'a> {
        let config = &context.config;
        let id = |key: &String| resources.get(&format!("jobs.{key}")).map(String::as_str);
        let job = |key: &String| id(key)?.parse().ok();
        let kind = config.model.registry.kind();
        let model = format!("{kind}.{}", config.model.resource);
        let is_experiment = |(key, _): &(&String, &String)| {
            // Grants and permissions of a resource stand beside it, one level deeper.
            key.strip_prefix("experiments.")
                .is_some_and(|key| !key.contains('.'))
        };
        let model = resources.get(&model).filter(|id| !id.is_empty());
        let deployment = addresses::Deployment {
            host,
            model: model.map(String::as_str),
            training: id(&config.jobs.train),
            inference: id(&config.jobs.inference),
            source,
        };
        Deployed {
            target,
            host,
            metrics: &config.model.metrics,
            links: deployment.links(context, Some(git)),
            registry: config.model.registry,
            model: model.cloned(),
            training: job(&config.jobs.train),
            inference: job(&config.jobs.inference),
            experiments: resources
                .iter()
                .filter(is_experiment)
                .map(|(_, id)| id.clone())
                .collect(),
        }
    }
}

/// The answers of one target.
struct Answers {
    champion: Result<Option<ModelVersion>, Error>,
    challenger: Result<Option<ModelVersion>, Error>,
    training: Result<Vec<jobs::Run>, Error>,
    inference: Result<Vec<jobs::Run>, Error>,
    runs: Result<Vec<Run>, Error>,
    links: Result<Option<Found>, Error>,
    /// Whether the jobs that train and infer are not there any more.
    gone: [bool; 2],
}

/// Finds a run in the workspace at an address, where that is one of the bundle's.
pub(super) type Elsewhere<'a> = &'a (dyn Fn(&TrainedIn) -> Option<Run> + Sync);

/// Asks everything, and writes down the answers and what stayed unknown.
pub(super) fn fill(
    environment: &mut Environment,
    deployed: &Deployed<'_>,
    transport: &dyn Transport,
    elsewhere: Elsewhere<'_>,
) {
    let answers = ask(deployed, transport);
    let mut unknowns = Vec::new();
    let mut note = |what: &str, error: &Error| {
        unknowns.push(unknown(what, deployed.target, error));
    };
    let runs = answers.runs.unwrap_or_else(|error| {
        note("MLflow runs", &error);
        Vec::new()
    });
    let named = [&answers.champion, &answers.challenger];
    let wanted = named.map(|answer| trained_in(answer.as_ref().ok()?.as_ref()?, deployed.host));
    let metrics = metrics_of(deployed.host, transport, &runs, &wanted, elsewhere);
    for ((what, answer, slot), metrics) in [
        (CHAMPION, answers.champion, &mut environment.champion),
        (CHALLENGER, answers.challenger, &mut environment.challenger),
    ]
    .into_iter()
    .zip(metrics)
    {
        match answer {
            Ok(found) => *slot = found.map(|aliased| version(deployed, aliased, metrics)),
            Err(error) => note(what, &error),
        }
    }
    for (what, answer, slot) in [
        ("training runs", answers.training, &mut environment.training),
        (
            "inference runs",
            answers.inference,
            &mut environment.inference,
        ),
    ] {
        match answer {
            Ok(runs) => *slot = runs.into_iter().next().map(last_run),
            Err(error) => note(what, &error),
        }
    }
    match answers.links {
        Ok(found) => {
            environment.links =
                found.map(|found| addresses::states(&found, &deployed.links_where(answers.gone)));
        }
        Err(error) => note("links", &error),
    }
    environment.model.clone_from(&deployed.model);
    environment.monitoring = runs.iter().find_map(monitoring);
    environment.metric = deployed.metrics.first().cloned().or_else(|| {
        let champion = environment.champion.as_ref();
        champion?.metrics.keys().next().cloned()
    });
    environment.trend = environment
        .metric
        .as_ref()
        .and_then(|metric| trend(metric, &runs));
    environment.unknown.extend(unknowns);
}

/// The run that trained a version: here, unless the version was brought from another workspace.
fn trained_in(version: &ModelVersion, host: &str) -> Option<TrainedIn> {
    TrainedIn::of_version(host, &version.run_id, &version.tags)
}

/// What two runs logged. Those that are not among the newest are asked for, side by side; one that is
/// deleted, or in a workspace that does not answer, has logged nothing.
fn metrics_of(
    host: &str,
    transport: &dyn Transport,
    runs: &[Run],
    wanted: &[Option<TrainedIn>; 2],
    elsewhere: Elsewhere<'_>,
) -> [BTreeMap<String, MetricValue>; 2] {
    let of = |wanted: &Option<TrainedIn>| {
        let found = wanted.as_ref().and_then(|wanted| {
            let known = runs.iter().find(|run| run.info.run_id == wanted.run_id);
            match known {
                Some(run) => Some(run.clone()),
                None if wanted.host == host => mlflow::run(transport, &wanted.run_id).ok(),
                None => elsewhere(wanted),
            }
        });
        found.map(|run| run.metrics()).unwrap_or_default()
    };
    let [first, second] = wanted;
    std::thread::scope(|scope| {
        let other = scope.spawn(move || of(second));
        [of(first), other.join().unwrap_or_default()]
    })
}

impl Deployed<'_> {
    /// Where the links have to lead, when one knows which jobs are gone.
    fn links_where(&self, [training, inference]: [bool; 2]) -> Links {
        let mut links = self.links.clone();
        let jobs = [
            (&mut links.training_job, training),
            (&mut links.inference_job, inference),
        ];
        for (job, gone) in jobs {
            if let Destination::Page(page) = job
                && gone
            {
                let reason = "the workspace has no such job any more".to_owned();
                *job = Destination::Gone(std::mem::take(page), reason);
            }
        }
        links
    }
}

fn ask(deployed: &Deployed<'_>, transport: &dyn Transport) -> Answers {
    let aliased = |alias: &'static str| match &deployed.model {
        Some(model) => deployed.registry.aliased(transport, model, alias),
        None => Ok(None),
    };
    // A list without runs is that of a job without runs, or of none: the one is asked about.
    let newest = |job: Option<i64>| {
        let Some(job) = job else {
            return (Ok(Vec::new()), false);
        };
        let runs = jobs::newest_runs(transport, Some(job));
        let is_empty = matches!(&runs, Ok(runs) if runs.is_empty());
        let gone = is_empty && matches!(jobs::exists(transport, job), Ok(false));
        (runs, gone)
    };
    let linked = || match &deployed.model {
        Some(model) => links::found(transport, deployed.registry, model),
        None => Ok(None),
    };
    std::thread::scope(|scope| {
        let champion = scope.spawn(move || aliased(CHAMPION));
        let challenger = scope.spawn(move || aliased(CHALLENGER));
        let training = scope.spawn(move || newest(deployed.training));
        let inference = scope.spawn(move || newest(deployed.inference));
        let links = scope.spawn(linked);
        let runs = match deployed.experiments.is_empty() {
            true => Ok(Vec::new()),
            false => mlflow::newest_runs(transport, &deployed.experiments, RUNS),
        };
        let broken = |panic| (joined(Err(panic)), false);
        let (training, no_training) = training.join().unwrap_or_else(broken);
        let (inference, no_inference) = inference.join().unwrap_or_else(broken);
        Answers {
            champion: joined(champion.join()),
            challenger: joined(challenger.join()),
            training,
            inference,
            runs,
            links: joined(links.join()),
            gone: [no_training, no_inference],
        }
    })
}

fn version(
    deployed: &Deployed<'_>,
    aliased: ModelVersion,
    metrics: BTreeMap<String, MetricValue>,
) -> Version {
    let model = deployed.model.as_deref().unwrap_or_default();
    let record = VersionRecord::read(model, aliased.version, &aliased.tags);
    let judgement = record.judgement;
    Version {
        version: aliased.version,
        url: format!(
            "{}{}",
            deployed.host,
            deployed.registry.version_page(model, aliased.version)
        ),
        created_at: moment(aliased.created),
        run_id: trained_in(&aliased, deployed.host)
            .map(|trained| trained.run_id)
            .unwrap_or_default(),
        commit: record.origin.git_commit,
        verdict: judgement
            .as_ref()
            .map(|judgement| judgement.verdict.as_str().to_owned()),
        reason: judgement.map(|judgement| judgement.reason),
        metrics,
    }
}

fn last_run(run: jobs::Run) -> LastRun {
    LastRun {
        run_id: run.run_id,
        result: run.state.word().to_owned(),
        ok: run.state.is_final().then(|| run.state.is_success()),
        started_at: moment(run.start_time),
        url: run.run_page_url,
    }
}

fn monitoring(run: &Run) -> Option<Monitoring> {
    let record = RunRecord::read(run);
    let found = record.monitoring?;
    Some(Monitoring {
        beyond_limits: found.beyond_limits,
        reason: found.reason,
        version: record.model_version.map(|version| version.version),
        at: moment(run.info.start_time),
    })
}

/// A metric over the runs that logged it.
fn trend(metric: &str, runs: &[Run]) -> Option<Trend> {
    let mut values: Vec<f64> = runs
        .iter()
        .filter_map(|run| run.metrics().get(metric).map(|value| value.get()))
        .filter(|value| value.is_finite())
        .take(TREND)
        .collect();
    values.reverse();
    (values.len() > 1).then(|| Trend {
        metric: metric.to_owned(),
        values,
    })
}

/// A time as RFC 3339; `None` for 0, which stands for no time.
fn moment(milliseconds: i64) -> Option<String> {
    let time = Timestamp::from_millisecond(milliseconds)?;
    (milliseconds > 0).then(|| time.to_string())
}

/// Says why something is not known.
pub(super) fn unknown(what: &str, target: &str, error: &Error) -> Unknown {
    let (reason, next) = match error {
        Error::Timeout { .. } => ("timed out".to_owned(), None),
        Error::NoConnection { reason, .. } | Error::Unreachable { reason, .. } => {
            (format!("not reached: {reason}"), None)
        }
        Error::Refused {
            status, message, ..
        } => (format!("{status}: {message}"), None),
        Error::SignedOut {
            service, message, ..
        } => (
            format!("not signed in to {service}: {message}"),
            Some(sign_in(service)),
        ),
        other => (other.to_string(), None),
    };
    Unknown {
        what: what.to_owned(),
        target: Some(target.to_owned()),
        reason: ui::safe_line(&reason),
        next,
    }
}
