//! The parts of CI, in the order in which they run: quick ones first.

use super::system::System;
use super::{Suite, github, project, tool};

pub(super) struct Part {
    /// What `--only` takes.
    pub(super) name: &'static str,
    /// Which half it belongs to.
    pub(super) group: Group,
    /// What it checks.
    pub(super) about: &'static str,
    /// What must be installed on the machine.
    pub(super) needs: &'static [System],
    /// Checks; returns a few words about what was seen.
    pub(super) run: fn(&Suite<'_>) -> anyhow::Result<String>,
}

/// The halves of CI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    /// The ML project: on every pull request.
    Project,
    /// The tool: when it changes.
    Tool,
}

pub(super) const PARTS: &[Part] = &[
    Part {
        name: "locks",
        group: Group::Project,
        about: "lock files are in step with what they lock",
        needs: &[],
        run: project::locks,
    },
    Part {
        name: "ruff",
        group: Group::Project,
        about: "Python is formatted and clean",
        needs: &[],
        run: project::ruff,
    },
    Part {
        name: "bundle",
        group: Group::Project,
        about: "the bundle is valid for every target, and xtask.toml names what it has",
        needs: &[],
        run: project::bundle,
    },
    Part {
        name: "test",
        group: Group::Project,
        about: "unit tests, then the training job: cargo xtask test",
        needs: &[],
        run: project::test,
    },
    Part {
        name: "spark",
        group: Group::Project,
        about: "the tests that need Spark, where xtask.toml names some",
        needs: &[System::Java],
        run: project::spark,
    },
    Part {
        name: "fmt",
        group: Group::Tool,
        about: "Rust is formatted",
        needs: &[],
        run: tool::fmt,
    },
    Part {
        name: "crates",
        group: Group::Tool,
        about: "xtask stays quick to compile: at most 135 crates",
        needs: &[],
        run: tool::crates,
    },
    Part {
        name: "workflows",
        group: Group::Tool,
        about: "GitHub workflows are valid, pinned and without needless rights",
        needs: &[],
        run: tool::workflows,
    },
    Part {
        name: "clippy",
        group: Group::Tool,
        about: "Rust without warnings",
        needs: &[],
        run: tool::clippy,
    },
    Part {
        name: "kernel",
        group: Group::Tool,
        about: "the notebook kernel's own tests",
        needs: &[],
        run: tool::kernel,
    },
    Part {
        name: "spark-notebooks",
        group: Group::Tool,
        about: "notebooks with Spark: here, on a standalone cluster and behind Spark Connect",
        needs: &[System::Java],
        run: tool::spark_notebooks,
    },
    Part {
        name: "rust",
        group: Group::Tool,
        about: "Rust tests, with the real Databricks CLI and MLflow",
        needs: &[],
        run: tool::rust,
    },
    Part {
        name: "init",
        group: Group::Tool,
        about: "new projects, from their first test to production and back",
        needs: &[],
        run: tool::init,
    },
    Part {
        name: "conformance",
        group: Group::Tool,
        about: "the Databricks CLI, databricks-sdk and MLflow find in the local workspace what docs/conformance.md says",
        needs: &[],
        run: tool::conformance,
    },
    Part {
        name: "github",
        group: Group::Tool,
        about: "the local GitHub and our calls, held against what GitHub publishes, and used by gh",
        needs: &[System::Node],
        run: github::contract,
    },
    Part {
        name: "act",
        group: Group::Tool,
        about: "each GitHub workflow, executed by act on this machine without a network",
        needs: &[],
        run: github::workflows,
    },
    Part {
        name: "docs",
        group: Group::Tool,
        about: "every command line in the docs does what the page says",
        needs: &[],
        run: tool::docs,
    },
    Part {
        name: "completions",
        group: Group::Tool,
        about: "Tab completes cargo xtask in bash, zsh and fish",
        needs: &[System::Zsh, System::Fish],
        run: tool::completions,
    },
    Part {
        name: "browser",
        group: Group::Tool,
        about: "a browser follows the printed address to the metrics",
        needs: &[System::Chromium],
        run: tool::browser,
    },
];
