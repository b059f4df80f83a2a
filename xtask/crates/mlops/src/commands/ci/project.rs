//! The parts that check the ML project.

use std::collections::BTreeSet;

use xshell::cmd;

use super::Suite;
use super::tool::last_line;
use crate::bundle::{self, Bundle};
use crate::child_env::sh;
use crate::commands::test;
use crate::context::Context;
use crate::databricks::{Summary, Target};
use crate::error::{self, Failure};
use crate::ui::safe_line;
use crate::vars;

/// uv.lock and Cargo.lock hold what pyproject.toml and the Cargo.tomls ask for.
pub(super) fn locks(suite: &Suite<'_>) -> anyhow::Result<String> {
    let line = cmd!(suite, "uv lock --check");
    suite.succeed(suite.uv(line), "uv.lock is out of step; run `uv lock`")?;
    let line = cmd!(suite, "cargo metadata --locked --format-version 1 --quiet");
    let Context { ui, interrupt, .. } = suite.context;
    // Its answer is long and of no interest: no line of it is shown.
    let what = "Cargo.lock is out of step; run `cargo build`";
    crate::process::succeed(ui, interrupt, suite.cargo(line), what)?;
    Ok("uv.lock, Cargo.lock".to_owned())
}

/// ruff finds nothing.
pub(super) fn ruff(suite: &Suite<'_>) -> anyhow::Result<String> {
    let check = suite.python(cmd!(suite, "python -m ruff check ."));
    suite.succeed(check, "ruff has findings")?;
    let format = suite.python(cmd!(suite, "python -m ruff format --check ."));
    let what = "Python is not formatted; run `uv run ruff format`";
    suite.succeed(format, what)?;
    Ok("no findings".to_owned())
}

/// The CLI accepts the bundle for every target. Its warnings are shown, and counted in the answer. A target on
/// Databricks without a sign-in is checked as far as its files go, and named.
pub(super) fn bundle(suite: &Suite<'_>) -> anyhow::Result<String> {
    let context = suite.context;
    let (mut checked, mut not_checked, mut warned) = (Vec::new(), Vec::new(), BTreeSet::new());
    for target in Bundle::read(context)?.targets(&context.config) {
        let name = &target.name;
        let opened = match Target::open_to_deploy(context, suite.toolbox, name) {
            Ok(opened) => opened,
            Err(error) if may_be_left_out(context, &target) => {
                context.interrupt.check()?;
                let warnings = bundle::load(context, &suite.toolbox.databricks, name)?;
                warn(context, warnings, &mut warned);
                let reason = error::report(&error).what;
                context.ui.warn(&format!(
                    "target {name} was not validated: {}",
                    safe_line(&reason)
                ));
                not_checked.push(name.clone());
                continue;
            }
            Err(error) => return Err(error),
        };
        warn(context, opened.warnings()?, &mut warned);
        names(suite, &opened.summary()?)?;
        checked.push(name.clone());
    }
    let not_checked = match not_checked.as_slice() {
        [] => String::new(),
        names => format!("not validated: {}", names.join(", ")),
    };
    let warnings = match warned.len() {
        0 => String::new(),
        1 => "1 warning".to_owned(),
        count => format!("{count} warnings"),
    };
    let said = [checked.join(", "), warnings, not_checked];
    let said: Vec<String> = said.into_iter().filter(|part| !part.is_empty()).collect();
    Ok(said.join("; "))
}

/// Shows warnings that no target before has had.
fn warn(context: &Context, warnings: Vec<String>, warned: &mut BTreeSet<String>) {
    for warning in warnings {
        if warned.insert(warning.clone()) {
            context.ui.warn(&safe_line(&warning));
        }
    }
}

/// Whether a target may stay unchecked where its workspace cannot be asked: who has credentials in the environment
/// means to use them.
fn may_be_left_out(context: &Context, target: &bundle::DeclaredTarget) -> bool {
    let mut variables = context.env.variables();
    let is_given = |name: &str| vars::DATABRICKS_CREDENTIALS.contains(&name);
    target.workspace.local().is_none()
        && !variables.any(|(name, value)| is_given(name) && !value.is_empty())
}

/// What xtask.toml names is in the bundle.
fn names(suite: &Suite<'_>, summary: &Summary) -> anyhow::Result<()> {
    let config = &suite.context.config;
    let resources = &summary.resources;
    let tasks = resources
        .jobs
        .get(&config.jobs.train)
        .map(|job| job.task_keys());
    let has_task = tasks.is_some_and(|keys| keys.contains(&config.jobs.validation_task));
    let (jobs, model, volume) = (&config.jobs, &config.model.resource, &config.data.volume);
    let has_job = |name| resources.jobs.contains_key(name);
    let has_model = resources.model(config).is_some();
    let has_volume = resources.volumes.contains_key(volume);
    let found = [
        ("jobs.train", &jobs.train, has_job(&jobs.train)),
        ("jobs.inference", &jobs.inference, has_job(&jobs.inference)),
        ("jobs.validation-task", &jobs.validation_task, has_task),
        ("model.resource", model, has_model),
        ("data.volume", volume, has_volume),
    ];
    match found.into_iter().find(|(_, _, is_there)| !is_there) {
        None => Ok(()),
        Some((field, name, _)) => Failure::usage(format!(
            "xtask.toml: {field} = \"{name}\", which the bundle does not have"
        ))
        .err(),
    }
}

/// The main job.
pub(super) fn test(suite: &Suite<'_>) -> anyhow::Result<String> {
    test::everything(suite.context)?;
    Ok("unit tests and training job".to_owned())
}

/// The tests that need Spark, in an environment of their own: it is larger by half.
pub(super) fn spark(suite: &Suite<'_>) -> anyhow::Result<String> {
    let folders = &suite.context.config.test.spark;
    if folders.is_empty() {
        return Ok("this project has none".to_owned());
    }
    let python = suite.spark_python()?;
    let line = cmd!(
        sh(),
        "{python} -m pytest -q -p no:cacheprovider {folders...}"
    );
    last_line(suite, suite.python(line), "tests that need Spark failed")
}
