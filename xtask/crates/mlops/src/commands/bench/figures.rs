//! The figures: what is measured, in what unit, with what goal.

use serde::Deserialize;

use super::{Bench, deploy, measure, status};
use crate::config::{Config, Figure, Unit};

/// The figures that every project has.
const OURS: &str = include_str!("figures.toml");

#[derive(Deserialize)]
struct Ours {
    bench: Vec<Figure>,
}

impl Figure {
    /// Whether a value is as it should be.
    pub(super) fn is_met(&self, value: f64) -> bool {
        self.at_most.is_none_or(|limit| value <= limit)
            && self.at_least.is_none_or(|limit| value >= limit)
    }

    /// What it should be, with the unit.
    pub(super) fn goal(&self) -> String {
        match self.at_least {
            Some(limit) => format!("at least {}", self.unit.show(limit)),
            None => self.unit.show(self.at_most.unwrap_or_default()),
        }
    }

    /// Whether it compiles the tool from its sources.
    pub(super) fn compiles_the_tool(&self) -> bool {
        matches!(self.name.as_str(), "rebuild" | "cold-build" | "build-ratio")
    }

    /// Measures it: by a script of the project, or by a function of ours.
    pub(super) fn measure(&self, bench: &Bench<'_>) -> anyhow::Result<f64> {
        if !self.command.is_empty() {
            return measure::project(bench, &self.command);
        }
        match self.name.as_str() {
            "help" => measure::help(bench),
            "unchanged" => measure::unchanged(bench),
            "status-round-trips" => status::round_trips(bench),
            "status-large" => status::seconds(bench),
            "status-memory" => status::megabytes(bench),
            "workspace-ready" => measure::workspace_ready(bench),
            "jobs-list" => measure::jobs_list(bench),
            "training-job" => measure::training_job(bench),
            "unit-tests" => measure::unit_tests(bench),
            "rebuild" => measure::rebuild(bench),
            "cold-build" => measure::cold_build(bench),
            "build-ratio" => measure::build_ratio(bench),
            "deploy" => deploy::deploy(bench),
            "fresh-clone" => measure::fresh_clone(bench),
            "fresh-clone-built" => measure::fresh_clone_built(bench),
            name => anyhow::bail!("nothing measures {name}"),
        }
    }
}

impl Unit {
    /// A value with its unit.
    pub(super) fn show(self, value: f64) -> String {
        match self {
            Unit::Seconds => format!("{value:.2} s"),
            Unit::CpuSeconds => format!("{value:.0} CPU s"),
            Unit::Milliseconds => format!("{value:.2} ms"),
            Unit::Megabytes => format!("{value:.0} MB"),
            Unit::Times => format!("{value:.2} ×"),
        }
    }
}

/// Our figures and the project's.
pub(super) fn all(config: &Config) -> anyhow::Result<Vec<Figure>> {
    let Ours { mut bench } = toml::from_str(OURS)?;
    bench.extend(config.bench.iter().cloned());
    Ok(bench)
}
