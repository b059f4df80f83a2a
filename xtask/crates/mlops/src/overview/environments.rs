//! The bundle's targets: what is deployed there, which model is in use, what ran last. All of them side
//! by side, each with a deadline; what does not answer in time is told, and the rest stands.

use std::time::{Duration, Instant};

use xtask_remote::databricks::bundle_state;
use xtask_remote::mlflow::Run;
use xtask_remote::records::TrainedIn;
use xtask_remote::{Error, Transport, Within};

use super::deployed::{self, Deployed};
use super::drift::{self, Question};
use super::facts::{Deployment, Environment, Unknown};
use super::state_paths::{Known, StatePaths};
use crate::bundle::{self, Bundle, TargetWorkspace};
use crate::context::Context;
use crate::databricks::{self, Target};
use crate::error;
use crate::git::Git;
use crate::lineage;
use crate::local_workspace::{self, LocalWorkspace};
use crate::tools;
use crate::ui::safe_line;

/// How long a target may take to answer all questions.
const DEADLINE: Duration = databricks::ANSWER;

/// What every look at a target needs.
pub(super) struct Look<'a> {
    context: &'a Context,
    git: &'a Git,
    head: Option<&'a str>,
    drift: bool,
    bundle: Bundle,
    targets: Vec<bundle::DeclaredTarget>,
    locals: Vec<LocalWorkspace>,
    paths: StatePaths,
}

impl<'a> Look<'a> {
    /// Finds out which targets there are, without a call. `drift` asks those on Databricks as well what a
    /// deployment would change; on the local workspace that takes little time.
    pub(super) fn prepare(
        context: &'a Context,
        git: &'a Git,
        head: Option<&'a str>,
        drift: bool,
    ) -> anyhow::Result<Look<'a>> {
        let written = |profile| local_workspace::written(context, profile);
        let profiles = context.config.workspace.profiles();
        let locals: Vec<Option<LocalWorkspace>> =
            profiles.map(written).collect::<Result<_, _>>()?;
        let bundle = Bundle::read(context)?;
        Ok(Look {
            context,
            git,
            head,
            drift,
            targets: bundle.targets(&context.config),
            locals: locals.into_iter().flatten().collect(),
            paths: StatePaths::open(context, &bundle),
            bundle,
        })
    }

    /// The targets, in the order of the bundle.
    pub(super) fn targets(&self) -> &[bundle::DeclaredTarget] {
        &self.targets
    }

    /// Asks one target everything.
    pub(super) fn at(&self, target: &bundle::DeclaredTarget) -> Environment {
        let mut environment = Environment {
            target: target.name.clone(),
            place: self.place(target),
            ..Environment::default()
        };
        let local = self.local(target);
        if let (Some(profile), None) = (target.workspace.local(), local) {
            let unknown = self.not_running(&target.name, profile);
            environment.unknown.push(unknown);
            return environment;
        }
        let program = match self.program(target) {
            Ok(program) => program,
            Err(unknown) => {
                environment.unknown.push(unknown);
                return environment;
            }
        };
        let remembered = self.paths.remembered(target);
        let mut opened = self.opened(target, program);
        if let Some(signed_in) = remembered
            .as_ref()
            .and_then(|known| known.signed_in.clone())
        {
            opened = opened.with_sign_in(signed_in);
        }
        let transport = opened.transport();
        let within = Within::new(&*transport, DEADLINE);
        let until = Instant::now() + DEADLINE;
        match self.state(target, &opened, remembered, &within) {
            Ok(Some(found)) => {
                environment.deployed = Some(true);
                let deployment = self.deployment(&target.name, &found);
                let host = opened.host();
                let question = self.question(target, &found, until);
                let deployed = Deployed::new(
                    self.context,
                    self.git,
                    &target.name,
                    &host,
                    &found.resources,
                    &found.source,
                );
                std::thread::scope(|scope| {
                    let drift = question.map(|question| scope.spawn(move || question.ask()));
                    let elsewhere = |trained: &TrainedIn| self.elsewhere(trained, until);
                    deployed::fill(&mut environment, &deployed, &within, &elsewhere);
                    let broken = |_| Err(drift::broken(&target.name));
                    match drift.map(|asked| asked.join().unwrap_or_else(broken)) {
                        Some(Ok(drift)) => environment.drift = Some(drift),
                        Some(Err(unknown)) => environment.unknown.push(unknown),
                        None => {}
                    }
                });
                environment.deployment = Some(deployment);
            }
            Ok(None) => environment.deployed = Some(false),
            Err(error) => environment.unknown.push(self.unknown(target, &error)),
        }
        environment
    }

    /// A run in the workspace of another target: that of a version that was brought from there.
    fn elsewhere(&self, trained: &TrainedIn, until: Instant) -> Option<Run> {
        let left = until.saturating_duration_since(Instant::now());
        lineage::run_elsewhere(self.context, &self.bundle, trained, left)
    }

    /// What is asked about the drift of a target; `None` where it is not asked.
    fn question<'q>(
        &'q self,
        target: &'q bundle::DeclaredTarget,
        found: &Found,
        until: Instant,
    ) -> Option<Question<'q>> {
        let local = self.local(target);
        let commit = Some(&found.source.commit).filter(|commit| !commit.is_empty());
        (self.drift || local.is_some()).then(|| Question {
            opened: self.opened(
                target,
                tools::databricks_cli(self.context).unwrap_or_default(),
            ),
            resources: found.resources.clone(),
            checkout_is_deployed: commit
                .zip(self.head)
                .map(|(deployed, head)| deployed == head),
            // Terraform's state is elsewhere.
            plans_by_itself: self.bundle.plans_by_itself() && !found.resources.is_empty(),
            until,
        })
    }

    /// The Databricks CLI. A target on the local workspace whose state's place is remembered needs none.
    fn program(&self, target: &bundle::DeclaredTarget) -> Result<camino::Utf8PathBuf, Unknown> {
        if target.workspace.local().is_some() && self.paths.remembered(target).is_some() {
            return Ok(camino::Utf8PathBuf::new());
        }
        tools::databricks_cli(self.context).ok_or_else(|| Unknown {
            what: "environment".to_owned(),
            target: Some(target.name.clone()),
            reason: "the Databricks CLI is not here".to_owned(),
            next: Some("cargo xtask setup".to_owned()),
        })
    }

    /// What the deployment left; `None` where nothing is deployed.
    fn state(
        &self,
        target: &bundle::DeclaredTarget,
        opened: &Target<'_>,
        remembered: Option<Known>,
        transport: &dyn Transport,
    ) -> anyhow::Result<Option<Found>> {
        if let Some(known) = remembered {
            let found = read(transport, &known.state_path)?;
            // Another user of the same clone deploys elsewhere: what is not found is looked up anew.
            if found.is_some() || target.workspace.local().is_some() {
                return Ok(found);
            }
        }
        let known = self.paths.ask(target, opened, DEADLINE)?;
        read(transport, &known.state_path)
    }

    /// A target as it is.
    fn opened(&self, target: &bundle::DeclaredTarget, program: camino::Utf8PathBuf) -> Target<'a> {
        let local = self.local(target).cloned();
        Target::seen(self.context, &self.bundle, target, local, program)
    }

    fn deployment(&self, target: &str, found: &Found) -> Deployment {
        let known = |text: &String| (!text.is_empty()).then(|| text.clone());
        let commit = known(&found.source.commit);
        let configured = self.context.config.targets.get(target);
        let feeding = configured.and_then(|target| target.branch.clone());
        // The remote's view of the branch counts, where this clone has one.
        let head_of_feeding = feeding.as_ref().and_then(|branch| {
            ["origin", "upstream"]
                .iter()
                .map(|remote| format!("refs/remotes/{remote}/{branch}"))
                .chain([format!("refs/heads/{branch}")])
                .find_map(|name| self.git.resolve(&name))
        });
        let (compared_with, head) = match (feeding, head_of_feeding) {
            (Some(branch), Some(head)) => (Some(branch), Some(head)),
            _ => (
                self.git.branch().or_else(|| Some("HEAD".to_owned())),
                self.head.map(str::to_owned),
            ),
        };
        let relation = commit
            .as_ref()
            .zip(head)
            .and_then(|(commit, head)| self.git.ahead_behind(&head, commit).ok().flatten());
        Deployment {
            commit,
            branch: known(&found.source.branch),
            edits: known(&found.source.edits),
            at: known(&found.deployed_at),
            compared_with,
            ahead: relation.map(|(ahead, _)| ahead),
            behind: relation.map(|(_, behind)| behind),
        }
    }
}

impl Look<'_> {
    /// The local workspace that a target lives on, as its files name it.
    fn local(&self, target: &bundle::DeclaredTarget) -> Option<&LocalWorkspace> {
        let profile = target.workspace.local()?;
        self.locals.iter().find(|local| local.profile == profile)
    }

    fn place(&self, target: &bundle::DeclaredTarget) -> String {
        match &target.workspace {
            TargetWorkspace::Local(profile)
                if *profile == self.context.config.workspace.profile =>
            {
                "local".to_owned()
            }
            TargetWorkspace::Local(profile) => format!("local {profile}"),
            TargetWorkspace::Databricks { host, profile } => host
                .clone()
                .or_else(|| profile.as_ref().map(|profile| format!("profile {profile}")))
                .unwrap_or_else(|| "the default profile".to_owned()),
        }
    }

    fn not_running(&self, target: &str, profile: &str) -> Unknown {
        let called = local_workspace::called(self.context, profile);
        Unknown {
            what: "environment".to_owned(),
            target: Some(target.to_owned()),
            reason: format!("{called} does not run"),
            next: Some(local_workspace::command(self.context, "up", profile)),
        }
    }

    /// Says why a deployment is not known. A local workspace that cannot be reached does not run.
    fn unknown(&self, target: &bundle::DeclaredTarget, error: &anyhow::Error) -> Unknown {
        let (what, name) = ("deployment", &target.name);
        match (error.downcast_ref::<Error>(), target.workspace.local()) {
            (Some(Error::NoConnection { .. }), Some(profile)) => self.not_running(name, profile),
            (Some(error), _) => deployed::unknown(what, name, error),
            (None, _) => {
                let report = error::report(error);
                let why = report.details.unwrap_or_default();
                let why = why.lines().find(|line| !line.trim().is_empty());
                let why = why.map(|line| format!(": {}", line.trim()));
                let next = report.next.into_iter().next();
                Unknown {
                    what: what.to_owned(),
                    target: Some(name.clone()),
                    reason: safe_line(&(report.what + &why.unwrap_or_default())),
                    next: next.or_else(|| Some(drift::next(name))),
                }
            }
        }
    }
}

/// What the CLI keeps in the workspace.
struct Found {
    source: bundle_state::Source,
    deployed_at: String,
    resources: bundle_state::Resources,
}

/// Reads the three files of a deployment's state side by side.
fn read(transport: &dyn Transport, state_path: &str) -> anyhow::Result<Option<Found>> {
    let (source, deployment, state) = std::thread::scope(|scope| {
        let source = scope.spawn(|| bundle_state::source(transport, state_path));
        let deployment = scope.spawn(|| bundle_state::deployment(transport, state_path));
        let state = bundle_state::state(transport, state_path);
        (joined(source.join()), joined(deployment.join()), state)
    });
    Ok(match (source?, state?) {
        (None, None) => None,
        // After `destroy` an empty state may stay.
        (_, Some(state)) if state.resources.is_empty() => None,
        (source, state) => {
            let state = state.unwrap_or_default();
            Some(Found {
                source: bundle_state::Source {
                    edits: state.edits,
                    ..source.unwrap_or_default()
                },
                deployed_at: deployment?.unwrap_or_default().timestamp,
                resources: state.resources,
            })
        }
    })
}

/// What a thread came to; one that broke down has found nothing out.
pub(super) fn joined<T>(result: std::thread::Result<Result<T, Error>>) -> Result<T, Error> {
    result.unwrap_or_else(|_| {
        Err(Error::Unexpected {
            call: "a call".to_owned(),
            reason: "it broke down".to_owned(),
        })
    })
}
