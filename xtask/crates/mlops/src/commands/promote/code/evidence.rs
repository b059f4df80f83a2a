//! What is known about both targets and about the commit: what is deployed, which model is the champion,
//! whether the checks are green. Nothing is started or fetched for it; what cannot be told is named.

use serde::Serialize;
use xtask_remote::databricks::bundle_state;
use xtask_remote::github::checks::{self, State};

use super::route::Route;
use crate::bundle;
use crate::context::Context;
use crate::databricks::{Summary, Target};
use crate::github::Upstream;
use crate::lineage::CHAMPION;
use crate::local_workspace;
use crate::tools::{self, Need, Toolbox};
use crate::ui::safe_line;
use crate::words::short;

/// A target as it is.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Seen {
    pub(super) target: String,
    /// The commit that is deployed there.
    pub(super) commit: Option<String>,
    /// The version of the model that is in use there.
    pub(super) champion: Option<u64>,
    /// Why something of this is not known.
    pub(super) unknown: Option<String>,
}

/// The checks of a commit.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Checks {
    pub(super) passed: Vec<String>,
    pub(super) failed: Vec<String>,
    pub(super) pending: Vec<String>,
}

impl Checks {
    /// How many there are of which: `2 passed, 1 failed`.
    pub(super) fn told(&self) -> String {
        let told = [
            (self.passed.len(), "passed"),
            (self.failed.len(), "failed"),
            (self.pending.len(), "still running"),
        ];
        let told: Vec<String> = told
            .iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, word)| format!("{number} {word}"))
            .collect();
        match told.is_empty() {
            true => "none ran".to_owned(),
            false => told.join(", "),
        }
    }
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Evidence {
    pub(super) from: Seen,
    pub(super) to: Seen,
    pub(super) checks: Checks,
}

impl Evidence {
    /// Collects it.
    pub(super) fn collect(
        context: &Context,
        upstream: &Upstream,
        route: &Route,
        main: &str,
    ) -> anyhow::Result<Evidence> {
        let from = seen(context, &route.from);
        context.interrupt.check()?;
        let to = seen(context, &route.to);
        context.interrupt.check()?;
        Ok(Evidence {
            from,
            to,
            checks: checks(upstream, main)?,
        })
    }

    /// What speaks against a merge, in words.
    pub(super) fn objections(&self, route: &Route, main: &str) -> Vec<String> {
        let mut objections = Vec::new();
        match &self.from.commit {
            Some(commit) if commit != main => objections.push(format!(
                "{} has {} deployed, not the newest commit of {}",
                route.from,
                short(commit),
                route.main
            )),
            _ => {}
        }
        if !self.checks.failed.is_empty() {
            objections.push(format!(
                "checks of {} failed: {}",
                short(main),
                self.checks.failed.join(", ")
            ));
        }
        if !self.checks.pending.is_empty() {
            objections.push(format!(
                "checks of {} are still running: {}",
                short(main),
                self.checks.pending.join(", ")
            ));
        }
        objections
    }
}

/// What a target has. Nothing that goes wrong here stops a promotion: it is said.
pub(super) fn seen(context: &Context, name: &str) -> Seen {
    let mut seen = Seen {
        target: name.to_owned(),
        ..Seen::default()
    };
    let looked = at_hand(context, name).and_then(|toolbox| {
        let target = Target::open(context, &toolbox, name)?;
        let summary = target.deployed()?;
        let transport = target.transport();
        let source = bundle_state::source(&*transport, &summary.workspace.state_path)?;
        let commit = source.map(|source| source.commit);
        seen.commit = commit.filter(|commit| !commit.is_empty());
        let model = model(context, &summary);
        let registry = context.config.model.registry;
        if let Some(model) = model.filter(|_| seen.commit.is_some()) {
            let champion = registry.aliased(&*transport, &model, CHAMPION)?;
            seen.champion = champion.map(|found| found.version);
        }
        Ok(())
    });
    if let Err(error) = looked {
        seen.unknown = Some(safe_line(&error.to_string()));
    }
    seen
}

fn model(context: &Context, summary: &Summary) -> Option<String> {
    summary.resources.model(&context.config)?.id.clone()
}

/// The tools for a target, where nothing has to be fetched and no workspace started for it.
pub(super) fn at_hand(context: &Context, name: &str) -> anyhow::Result<Toolbox> {
    let place = bundle::workspace(context, name)?;
    if let Some(profile) = place.local()
        && local_workspace::find(context, profile)?.is_none()
    {
        anyhow::bail!(
            "{} does not run ({})",
            local_workspace::called(context, profile),
            local_workspace::command(context, "up", profile)
        );
    }
    let needs: &[Need] = match place.local() {
        Some(_) => Need::FOR_A_WORKSPACE,
        None => &[Need::DatabricksCli],
    };
    tools::at_hand(context, needs)
        .ok_or_else(|| anyhow::anyhow!("the Databricks CLI is not here (cargo xtask setup)"))
}

fn checks(upstream: &Upstream, main: &str) -> anyhow::Result<Checks> {
    let mut checks = Checks::default();
    for check in checks::of_commit(&upstream.connection.github, &upstream.into, main)? {
        match check.state {
            State::Passed => checks.passed.push(check.name),
            State::Failed => checks.failed.push(check.name),
            State::Pending => checks.pending.push(check.name),
            State::Skipped => {}
        }
    }
    Ok(checks)
}
