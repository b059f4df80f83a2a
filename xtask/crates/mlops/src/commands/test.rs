//! `cargo xtask test`: the unit tests, then the training job on a workspace.

mod causes;
mod code;
mod inputs;
mod integration;
mod show;
mod unit;

use camino::{Utf8Path, Utf8PathBuf};

use crate::bundle;
use crate::context::Context;
use crate::databricks::guard::{self, Pass};
use crate::databricks::{Purpose, Target};
use crate::error::Failure;
use crate::git::Git;
use crate::results::{self, Integration, Results, Unit, Verdict};
use crate::tools::{self, Need};

/// Options of `test`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Tests to run.
    #[arg(value_enum, default_value = "all")]
    part: Part,
    /// Bundle target for the training job [default: from xtask.toml].
    #[arg(long, short)]
    target: Option<String>,
    /// Run tests that passed on the same files before.
    #[arg(long)]
    force: bool,
    /// Write a JUnit report to this file.
    #[arg(long, value_name = "FILE")]
    junit: Option<Utf8PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Unit tests.
    Unit,
    /// Training job on the target.
    Integration,
    /// Both.
    All,
}

impl Args {
    /// All tests, as CI runs them.
    fn everything() -> Args {
        Args {
            part: Part::All,
            target: None,
            force: false,
            junit: None,
        }
    }
}

/// The results that still hold for the files as they are; nothing is run for them.
pub(crate) struct Green {
    /// Of the unit tests.
    pub(crate) unit: Option<Unit>,
    /// Of the training job.
    pub(crate) integration: Option<Integration>,
}

/// What is known to pass on exactly these files.
pub(crate) fn green(context: &Context) -> anyhow::Result<Green> {
    let found = inputs::Found::look(context)?;
    let target = &context.config.test.integration_target;
    Ok(Green {
        unit: found.unit(context, false)?.cached,
        integration: found.integration(context, target, false)?.cached,
    })
}

/// What has to be done; what has not is there already.
struct Plan {
    target: String,
    unit: Option<inputs::Work<Unit>>,
    integration: Option<inputs::Work<Integration>>,
    /// That the target may be tested on.
    pass: Option<Pass>,
}

/// How the parts ended, and what is still to be said about them.
#[derive(Default)]
struct Outcome {
    unit: Option<Unit>,
    /// The last lines of what pytest said.
    unit_tail: String,
    integration: Option<Integration>,
    /// The job's own failure.
    job_error: Option<anyhow::Error>,
}

/// Runs the command.
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    all(context, args, true)
}

/// Runs all tests, as a part of another command.
pub(crate) fn everything(context: &Context) -> anyhow::Result<()> {
    all(context, &Args::everything(), false)
}

fn all(context: &Context, args: &Args, answer: bool) -> anyhow::Result<()> {
    let plan = plan(context, args)?;
    show::plan(context, &plan);
    let report = context.local().join("cache").join("pytest.xml");
    let outcome = execute(context, &plan, &report)?;

    let commit = Git::open(context)?.head();
    let results = Results::new(commit, outcome.unit, outcome.integration);
    show::results(context, &results)?;
    if answer {
        context.ui.json(&results)?;
    }
    if let Some(file) = &args.junit {
        results::write_junit(&context.env.cwd.join(file), Some(&report), &results)?;
    }
    if results
        .unit
        .is_some_and(|unit| unit.verdict == Verdict::Failed)
    {
        let what = unit::too_little_covered(&outcome.unit_tail)
            .unwrap_or_else(|| "unit tests failed".to_owned());
        let details = causes::told(&report)?.unwrap_or(outcome.unit_tail);
        return Failure::failed(what)
            .details(details)
            .next("cargo xtask test unit")
            .err();
    }
    outcome.job_error.map_or(Ok(()), Err)
}

fn plan(context: &Context, args: &Args) -> anyhow::Result<Plan> {
    let usual = &context.config.test.integration_target;
    let target = args.target.clone().unwrap_or_else(|| usual.clone());
    let wants = |part: Part| args.part == Part::All || args.part == part;
    let pass = wants(Part::Integration)
        .then(|| guard::check(context, &target, Purpose::Test))
        .transpose()?;
    let found = inputs::Found::look(context)?;
    Ok(Plan {
        unit: wants(Part::Unit)
            .then(|| found.unit(context, args.force))
            .transpose()?,
        integration: wants(Part::Integration)
            .then(|| found.integration(context, &target, args.force))
            .transpose()?,
        target,
        pass,
    })
}

/// Does what is due. A failed unit test keeps the training job from running.
fn execute(context: &Context, plan: &Plan, report: &Utf8Path) -> anyhow::Result<Outcome> {
    let unit_due = plan.unit.as_ref().filter(|work| work.cached.is_none());
    let job_due = plan
        .integration
        .as_ref()
        .filter(|work| work.cached.is_none());
    let mut outcome = Outcome {
        unit: plan.unit.as_ref().and_then(|work| work.cached.clone()),
        integration: plan
            .integration
            .as_ref()
            .and_then(|work| work.cached.clone()),
        ..Outcome::default()
    };
    if unit_due.is_none() && job_due.is_none() {
        return Ok(outcome);
    }
    let toolbox = match job_due {
        Some(_) => bundle::ready(context, &[&plan.target], &[Need::Python])?,
        None => tools::ready(context, &[Need::Python])?,
    };
    // Opened before the unit tests run, so that MLflow comes up beside them.
    let target = job_due
        .map(|_| Target::open_to_deploy(context, &toolbox, &plan.target))
        .transpose()?;
    let writer = match (&plan.pass, &target) {
        (Some(pass), Some(target)) => Some(pass.on(target)?),
        _ => None,
    };
    let commit = plan.pass.as_ref().and_then(Pass::commit);
    let prepare = || {
        let prepare = |writer| integration::prepare(context, &toolbox, writer, commit);
        writer.as_ref().map(prepare).transpose()
    };
    let (tested, prepared) = std::thread::scope(|scope| {
        let preparing = scope.spawn(prepare);
        let tested = unit_due
            .map(|work| unit::run(context, &toolbox, report, work))
            .transpose();
        let prepared = preparing
            .join()
            .unwrap_or_else(|_| Err(anyhow::anyhow!("the deployment ended unexpectedly")));
        (tested, prepared)
    });
    if let Some((unit, tail)) = tested? {
        (outcome.unit, outcome.unit_tail) = (Some(unit), tail);
    }
    let green = outcome
        .unit
        .as_ref()
        .is_none_or(|unit| unit.verdict == Verdict::Passed);
    if let (true, Some(writer), Some(work)) = (green, &writer, job_due)
        && let Some(prepared) = prepared?
    {
        let (result, error) = integration::train(context, writer, &prepared, work)?;
        (outcome.integration, outcome.job_error) = (Some(result), error);
    }
    Ok(outcome)
}
