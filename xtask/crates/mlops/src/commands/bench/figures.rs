//! The figures: what is measured, in what unit, with what goal.

use super::{Bench, deploy, measure, status};
use crate::config::{Config, Unit};

/// One figure.
#[derive(Clone, Copy)]
pub(super) struct Figure<'a> {
    /// What the command line takes.
    pub(super) name: &'a str,
    /// What it is.
    pub(super) about: &'a str,
    /// The unit of the value.
    pub(super) unit: Unit,
    /// What it should be.
    pub(super) goal: Goal,
    /// Whether it takes minutes.
    pub(super) slow: bool,
    /// How it is measured.
    pub(super) measure: Measure<'a>,
}

/// What a figure should be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Goal {
    /// This or less.
    AtMost(f64),
    /// This or more.
    AtLeast(f64),
}

/// How a figure is measured.
#[derive(Clone, Copy)]
pub(super) enum Measure<'a> {
    /// By a function of ours.
    Ours(fn(&Bench<'_>) -> anyhow::Result<f64>),
    /// By a script of the project, with its arguments.
    Project(&'a [String]),
}

impl Goal {
    /// Whether a value is as it should be.
    pub(super) fn is_met(self, value: f64) -> bool {
        match self {
            Goal::AtMost(limit) => value <= limit,
            Goal::AtLeast(limit) => value >= limit,
        }
    }

    /// In words, with the unit.
    pub(super) fn show(self, unit: Unit) -> String {
        match self {
            Goal::AtMost(limit) => unit.show(limit),
            Goal::AtLeast(limit) => format!("at least {}", unit.show(limit)),
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
pub(super) fn all(config: &Config) -> Vec<Figure<'_>> {
    let project = config.bench.iter().filter_map(|figure| {
        let most = figure.at_most.map(Goal::AtMost);
        Some(Figure {
            name: &figure.name,
            about: &figure.about,
            unit: figure.unit,
            // The configuration has seen to it that there is one.
            goal: most.or_else(|| figure.at_least.map(Goal::AtLeast))?,
            slow: figure.slow,
            measure: Measure::Project(&figure.command),
        })
    });
    OURS.iter().copied().chain(project).collect()
}

/// What every project has.
const OURS: &[Figure<'static>] = &[
    Figure {
        name: "help",
        about: "`cargo xtask --help`, warm, median of 10",
        unit: Unit::Milliseconds,
        goal: Goal::AtMost(150.0),
        slow: false,
        measure: Measure::Ours(measure::help),
    },
    Figure {
        name: "unchanged",
        about: "`cargo xtask test` with nothing changed, median of 5",
        unit: Unit::Seconds,
        goal: Goal::AtMost(0.5),
        slow: false,
        measure: Measure::Ours(measure::unchanged),
    },
    Figure {
        name: "status-round-trips",
        about: "`cargo xtask status` with a failed check, in round trips: 200 ms added to each service, divided",
        unit: Unit::Times,
        goal: Goal::AtMost(3.1),
        slow: false,
        measure: Measure::Ours(status::round_trips),
    },
    Figure {
        name: "status-large",
        about: "`cargo xtask status` with 10,000 model versions and 300 checks, median of 5",
        unit: Unit::Seconds,
        goal: Goal::AtMost(2.0),
        slow: false,
        measure: Measure::Ours(status::seconds),
    },
    Figure {
        name: "status-memory",
        about: "the most memory that this takes",
        unit: Unit::Megabytes,
        goal: Goal::AtMost(100.0),
        slow: false,
        measure: Measure::Ours(status::megabytes),
    },
    Figure {
        name: "workspace-ready",
        about: "the local workspace answers after its start (without MLflow), median of 5",
        unit: Unit::Seconds,
        goal: Goal::AtMost(0.2),
        slow: false,
        measure: Measure::Ours(measure::workspace_ready),
    },
    Figure {
        name: "jobs-list",
        about: "one `jobs/list` of the local workspace, median of 500",
        unit: Unit::Milliseconds,
        goal: Goal::AtMost(0.5),
        slow: false,
        measure: Measure::Ours(measure::jobs_list),
    },
    Figure {
        name: "training-job",
        about: "the training job on the warm local workspace, against its notebooks as plain Python processes",
        unit: Unit::Times,
        goal: Goal::AtMost(1.3),
        slow: false,
        measure: Measure::Ours(measure::training_job),
    },
    Figure {
        name: "unit-tests",
        about: "the unit tests alone",
        unit: Unit::Seconds,
        goal: Goal::AtMost(30.0),
        slow: false,
        measure: Measure::Ours(measure::unit_tests),
    },
    Figure {
        name: "rebuild",
        about: "`cargo build -p xtask` after a change of one line",
        unit: Unit::Seconds,
        goal: Goal::AtMost(3.0),
        slow: false,
        measure: Measure::Ours(measure::rebuild),
    },
    Figure {
        name: "cold-build",
        about: "`cargo build -p xtask` from nothing",
        unit: Unit::CpuSeconds,
        goal: Goal::AtMost(60.0),
        slow: true,
        measure: Measure::Ours(measure::cold_build),
    },
    Figure {
        name: "build-ratio",
        about: "`cargo build -p xtask` from nothing, in CPU time, against its agreed packages alone",
        unit: Unit::Times,
        goal: Goal::AtMost(1.4),
        slow: true,
        measure: Measure::Ours(measure::build_ratio),
    },
    Figure {
        name: "deploy",
        about: "deploying the bundle with the Databricks CLI, against the same to the in-memory server of its own tests; needs Go, medians of 5",
        unit: Unit::Times,
        goal: Goal::AtMost(1.0),
        slow: true,
        measure: Measure::Ours(deploy::deploy),
    },
    Figure {
        name: "fresh-clone",
        about: "fresh clone to the first green `cargo xtask test`, the Databricks CLI on PATH",
        unit: Unit::Seconds,
        goal: Goal::AtMost(180.0),
        slow: true,
        measure: Measure::Ours(measure::fresh_clone),
    },
    Figure {
        name: "fresh-clone-built",
        about: "the same where the Databricks CLI must be built",
        unit: Unit::Seconds,
        goal: Goal::AtMost(360.0),
        slow: true,
        measure: Measure::Ours(measure::fresh_clone_built),
    },
];
