//! `cargo xtask test`: the unit tests, then the training job on a workspace.

mod inputs;
mod integration;
mod show;
mod unit;

use camino::Utf8PathBuf;

use crate::context::Context;
use crate::databricks::Target;
use crate::error::{Failure, Kind};
use crate::git::Git;
use crate::results::{self, Integration, Results, Unit, Verdict};
use crate::tools::{self, Need, Toolbox};

/// Options of `test`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which tests.
    #[arg(value_enum, default_value = "all")]
    part: Part,
    /// The target of the bundle for the integration test; xtask.toml names the usual one.
    #[arg(long, short)]
    target: Option<String>,
    /// Run what is unchanged since its last success, too.
    #[arg(long)]
    force: bool,
    /// Print the result as one JSON object.
    #[arg(long)]
    json: bool,
    /// Write a JUnit report.
    #[arg(long, value_name = "FILE")]
    junit: Option<Utf8PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// The unit tests.
    Unit,
    /// The training job on a workspace.
    Integration,
    /// Both.
    All,
}

impl Args {
    /// All tests, as CI runs them.
    pub(crate) fn everything() -> Args {
        Args {
            part: Part::All,
            target: None,
            force: false,
            json: false,
            junit: None,
        }
    }
}

/// What has to be done; what has not is there already.
struct Plan {
    target: String,
    unit: Option<inputs::Work<Unit>>,
    integration: Option<inputs::Work<Integration>>,
}

/// Runs the command.
///
/// # Errors
/// [`Kind::Failed`] when a test or a task fails.
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let plan = plan(context, args)?;
    show::plan(context, &plan);
    let report = context.local().join("cache").join("pytest.xml");
    let (unit, integration) = execute(context, &plan, &report)?;

    let commit = Git::open(context)?.head();
    let unit_failed = unit.as_ref().is_ok_and(|unit| {
        unit.as_ref()
            .is_some_and(|unit| unit.verdict == Verdict::Failed)
    });
    let (unit, integration) = (unit?, integration?);
    let results = Results::new(commit, unit, integration.result);
    show::results(context, &results, args.json)?;
    if let Some(file) = &args.junit {
        results::write_junit(&context.env.cwd.join(file), Some(&report), &results)?;
    }
    if unit_failed {
        return Failure::new(Kind::Failed, "unit tests failed")
            .details(integration.unit_tail)
            .next("cargo xtask test unit")
            .err();
    }
    integration.error.map_or(Ok(()), Err)
}

/// How the parts ended, and what is still to be said about them.
struct Outcome {
    result: Option<Integration>,
    error: Option<anyhow::Error>,
    unit_tail: String,
}

fn plan(context: &Context, args: &Args) -> anyhow::Result<Plan> {
    let target = args
        .target
        .clone()
        .unwrap_or_else(|| context.config.test.integration_target.clone());
    let wants = |part: Part| args.part == Part::All || args.part == part;
    let found = inputs::Found::look(context)?;
    Ok(Plan {
        unit: wants(Part::Unit)
            .then(|| found.unit(context, args.force))
            .transpose()?,
        integration: wants(Part::Integration)
            .then(|| found.integration(context, &target, args.force))
            .transpose()?,
        target,
    })
}

type Executed = (anyhow::Result<Option<Unit>>, anyhow::Result<Outcome>);

fn execute(context: &Context, plan: &Plan, report: &Utf8PathBuf) -> anyhow::Result<Executed> {
    let mut outcome = Outcome {
        result: None,
        error: None,
        unit_tail: String::new(),
    };
    if let Some(work) = &plan.integration {
        outcome.result = work.cached.clone();
    }
    let unit_needed = plan.unit.as_ref().filter(|work| work.cached.is_none());
    let integration_needed = plan
        .integration
        .as_ref()
        .filter(|work| work.cached.is_none());
    let cached_unit = plan.unit.as_ref().and_then(|work| work.cached.clone());
    if unit_needed.is_none() && integration_needed.is_none() {
        return Ok((Ok(cached_unit), Ok(outcome)));
    }
    let needs = if integration_needed.is_some() {
        Need::ALL
    } else {
        &[Need::Python]
    };
    let toolbox = tools::ready(context, needs)?;
    let target = match integration_needed {
        // Opened before the unit tests run, so that MLflow comes up beside them.
        Some(_) => Some(Target::open(context, &toolbox, &plan.target)?),
        None => None,
    };
    let (unit, prepared) = side_by_side(context, &toolbox, unit_needed, target.as_ref(), report);
    let unit = match unit? {
        Some((unit, tail)) => {
            outcome.unit_tail = tail;
            Some(unit)
        }
        None => cached_unit,
    };
    let green = unit
        .as_ref()
        .is_none_or(|unit| unit.verdict == Verdict::Passed);
    if let (true, Some(target), Some(work)) = (green, &target, integration_needed) {
        let (result, error) = integration::train(context, target, prepared?, work)?;
        (outcome.result, outcome.error) = (Some(result), error);
    }
    Ok((Ok(unit), Ok(outcome)))
}

type UnitEnd = anyhow::Result<Option<(Unit, String)>>;

/// Runs the unit tests while the bundle is deployed and its data uploaded.
fn side_by_side(
    context: &Context,
    toolbox: &Toolbox,
    unit: Option<&inputs::Work<Unit>>,
    target: Option<&Target<'_>>,
    report: &Utf8PathBuf,
) -> (UnitEnd, anyhow::Result<Option<crate::databricks::Summary>>) {
    std::thread::scope(|scope| {
        let preparing = scope.spawn(|| {
            target
                .map(|target| integration::prepare(context, toolbox, target))
                .transpose()
        });
        let unit = unit
            .map(|work| unit::run(context, toolbox, report, work))
            .transpose();
        let prepared = preparing
            .join()
            .unwrap_or_else(|_| Err(anyhow::anyhow!("the deployment ended unexpectedly")));
        (unit, prepared)
    })
}
