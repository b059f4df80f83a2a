//! The lineage of a job run: its MLflow run, the model version, the metrics, and the champion they are
//! compared with.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use xtask_remote::databricks::{jobs, registry};
use xtask_remote::mlflow::MetricValue;
use xtask_remote::records::TrainedIn;
use xtask_remote::{Transport, Within, mlflow};

use crate::bundle::{Bundle, TargetWorkspace};
use crate::context::Context;
use crate::databricks::{self, Summary, Target};
use crate::{local_workspace, tools};

/// The alias of the version that is in use.
pub(crate) const CHAMPION: &str = "champion";

/// An MLflow run with its page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MlflowRun {
    pub(crate) run_id: String,
    pub(crate) experiment_id: String,
    /// The page that shows it.
    pub(crate) url: String,
}

/// A version of the registered model with its page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ModelVersion {
    /// Full name of the model.
    pub(crate) name: String,
    pub(crate) version: u64,
    /// The page that shows it.
    pub(crate) url: String,
    /// What was logged when it was trained.
    pub(crate) metrics: BTreeMap<String, MetricValue>,
}

/// What a training run made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Lineage {
    /// The MLflow run of the training task; `None` when the run made none.
    pub(crate) mlflow_run: Option<MlflowRun>,
    /// The version that was registered from it; `None` when none was.
    pub(crate) model: Option<ModelVersion>,
    /// The champion before this run; `None` when there was none.
    pub(crate) champion_before: Option<ModelVersion>,
}

/// The timeout for the workspace of another target.
const ELSEWHERE: Duration = Duration::from_secs(15);

/// A run in the workspace of another target: that of a version that was promoted from there. `None` where no target
/// has that workspace, or it does not answer within `limit`.
pub(crate) fn run_elsewhere(
    context: &Context,
    bundle: &Bundle,
    trained: &TrainedIn,
    limit: Duration,
) -> Option<mlflow::Run> {
    let is_there = |host: &str| databricks::address(host) == databricks::address(&trained.host);
    let targets = bundle.targets(&context.config);
    let (target, local) = targets.iter().find_map(|target| match &target.workspace {
        TargetWorkspace::Local(profile) => {
            let local = local_workspace::written(context, profile).ok().flatten()?;
            is_there(&local.url).then_some((target, Some(local)))
        }
        TargetWorkspace::Databricks { host, .. } => {
            is_there(host.as_ref()?).then_some((target, None))
        }
    })?;
    // A local workspace is asked without the CLI.
    let program = match local {
        Some(_) => Utf8PathBuf::new(),
        None => tools::databricks_cli(context)?,
    };
    let started = Instant::now();
    let opened = Target::seen(context, bundle, target, local, program);
    if opened.local.is_none() {
        opened.signed_in(limit).ok()?;
    }
    let left = limit.saturating_sub(started.elapsed());
    let transport = opened.transport();
    mlflow::run(&Within::new(&*transport, left), &trained.run_id).ok()
}

/// Where the bundle keeps its model and its experiments, and how to reach them.
pub(crate) struct ModelRegistry<'a> {
    context: &'a Context,
    transport: &'a dyn Transport,
    host: String,
    registry: registry::RegistryKind,
    model: Option<String>,
    experiments: Vec<String>,
}

impl<'a> ModelRegistry<'a> {
    /// The registry of a deployed target.
    pub(crate) fn new(
        context: &'a Context,
        target: &Target<'_>,
        transport: &'a dyn Transport,
        summary: &Summary,
    ) -> ModelRegistry<'a> {
        let experiments = summary.resources.experiments.values();
        ModelRegistry {
            context,
            transport,
            host: target.host(),
            registry: context.config.model.registry,
            model: summary
                .resources
                .model(&context.config)
                .and_then(|model| model.id.clone()),
            experiments: experiments
                .filter_map(|experiment| experiment.id.clone())
                .collect(),
        }
    }

    /// The version that `champion` names now, with its metrics.
    pub(crate) fn champion(&self) -> anyhow::Result<Option<ModelVersion>> {
        let Some(model) = &self.model else {
            return Ok(None);
        };
        let Some(version) = self.registry.aliased(self.transport, model, CHAMPION)? else {
            return Ok(None);
        };
        // The run of an old champion may be deleted; the version is still worth naming.
        let trained = TrainedIn::of_version(&self.host, &version.run_id, &version.tags);
        let run = trained.and_then(|trained| self.run(&trained));
        Ok(Some(self.version(model, version.version, run.as_ref())))
    }

    /// A run, here or in the workspace of another target.
    fn run(&self, trained: &TrainedIn) -> Option<mlflow::Run> {
        if trained.host == self.host {
            return mlflow::run(self.transport, &trained.run_id).ok();
        }
        let bundle = Bundle::read(self.context).ok()?;
        run_elsewhere(self.context, &bundle, trained, ELSEWHERE)
    }

    /// Follows a job run to its MLflow run and its model version.
    pub(crate) fn follow(
        &self,
        run: &jobs::Run,
        champion_before: Option<ModelVersion>,
    ) -> anyhow::Result<Lineage> {
        let mut runs = Vec::new();
        for task in &run.tasks {
            for experiment in &self.experiments {
                runs.extend(mlflow::runs_of_task(
                    self.transport,
                    experiment,
                    task.run_id,
                )?);
            }
        }
        let versions = match &self.model {
            Some(model) => self.registry.versions(self.transport, model)?,
            None => Vec::new(),
        };
        let registered = runs.iter().find_map(|run| {
            let version = versions
                .iter()
                .find(|version| version.run_id == run.info.run_id)?;
            Some((run, version.version))
        });
        // Other tasks log runs too (validation, monitoring): the one that matters made the version.
        let trained = registered.map(|(run, _)| run).or(runs.first());
        let model = registered.zip(self.model.as_ref());
        Ok(Lineage {
            mlflow_run: trained.map(|run| MlflowRun {
                run_id: run.info.run_id.clone(),
                experiment_id: run.info.experiment_id.clone(),
                url: format!(
                    "{}/ml/experiments/{}/runs/{}",
                    self.host, run.info.experiment_id, run.info.run_id
                ),
            }),
            model: model.map(|((run, version), name)| self.version(name, version, Some(run))),
            champion_before,
        })
    }

    fn version(&self, name: &str, version: u64, run: Option<&mlflow::Run>) -> ModelVersion {
        let page = self.registry.version_page(name, version);
        ModelVersion {
            name: name.to_owned(),
            version,
            url: format!("{}{page}", self.host),
            metrics: run.map(mlflow::Run::metrics).unwrap_or_default(),
        }
    }
}
