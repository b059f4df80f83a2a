//! The figures: what is measured, in what unit, with what goal.

use super::{Bench, measure};

/// One figure.
pub(super) struct Figure {
    /// What the command line takes.
    pub(super) name: &'static str,
    /// What it is.
    pub(super) about: &'static str,
    /// The unit of the value.
    pub(super) unit: Unit,
    /// The most that it should be.
    pub(super) goal: f64,
    /// Whether it takes minutes.
    pub(super) slow: bool,
    /// Measures it.
    pub(super) measure: fn(&Bench<'_>) -> anyhow::Result<f64>,
}

/// Units of figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Seconds of wall time.
    Seconds,
    /// Seconds of processor time.
    CpuSeconds,
    /// Milliseconds of wall time.
    Milliseconds,
    /// A plain ratio.
    Times,
}

impl Unit {
    pub(super) fn show(self, value: f64) -> String {
        match self {
            Unit::Seconds => format!("{value:.2} s"),
            Unit::CpuSeconds => format!("{value:.0} CPU s"),
            Unit::Milliseconds => format!("{value:.2} ms"),
            Unit::Times => format!("{value:.2} ×"),
        }
    }
}

/// All figures.
pub(super) const FIGURES: &[Figure] = &[
    Figure {
        name: "help",
        about: "`cargo xtask --help`, warm, median of 10",
        unit: Unit::Milliseconds,
        goal: 150.0,
        slow: false,
        measure: measure::help,
    },
    Figure {
        name: "unchanged",
        about: "`cargo xtask test` with nothing changed, median of 5",
        unit: Unit::Seconds,
        goal: 0.5,
        slow: false,
        measure: measure::unchanged,
    },
    Figure {
        name: "workspace-ready",
        about: "the local workspace answers after its start (without MLflow), median of 5",
        unit: Unit::Seconds,
        goal: 0.2,
        slow: false,
        measure: measure::workspace_ready,
    },
    Figure {
        name: "jobs-list",
        about: "one `jobs/list` of the local workspace, median of 500",
        unit: Unit::Milliseconds,
        goal: 0.5,
        slow: false,
        measure: measure::jobs_list,
    },
    Figure {
        name: "training-job",
        about: "the training job on the warm local workspace, against its notebooks as plain Python processes",
        unit: Unit::Times,
        goal: 1.3,
        slow: false,
        measure: measure::training_job,
    },
    Figure {
        name: "rebuild",
        about: "`cargo build -p xtask` after a change of one line",
        unit: Unit::Seconds,
        goal: 3.0,
        slow: false,
        measure: measure::rebuild,
    },
    Figure {
        name: "cold-build",
        about: "`cargo build -p xtask` from nothing",
        unit: Unit::CpuSeconds,
        goal: 60.0,
        slow: true,
        measure: measure::cold_build,
    },
    Figure {
        name: "fresh-clone",
        about: "fresh clone to the first green `cargo xtask test`, the Databricks CLI on PATH",
        unit: Unit::Seconds,
        goal: 180.0,
        slow: true,
        measure: measure::fresh_clone,
    },
    Figure {
        name: "fresh-clone-built",
        about: "the same where the Databricks CLI must be built",
        unit: Unit::Seconds,
        goal: 360.0,
        slow: true,
        measure: measure::fresh_clone_built,
    },
];
