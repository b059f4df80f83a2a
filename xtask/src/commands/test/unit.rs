//! The unit tests: pytest in the locked environment.

use camino::Utf8Path;

use super::inputs::Work;
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::fingerprint::remember;
use crate::python;
use crate::results::{self, Unit, Verdict};
use crate::tools::Toolbox;

/// Runs them; returns the counts and the end of what pytest said.
pub(super) fn run(
    context: &Context,
    toolbox: &Toolbox,
    report: &Utf8Path,
    work: &Work<Unit>,
) -> anyhow::Result<(Unit, String)> {
    if let Some(folder) = report.parent() {
        fs_err::create_dir_all(folder)?;
    }
    if report.exists() {
        fs_err::remove_file(report)?;
    }
    let progress = context.ui.progress("Testing", "unit tests");
    let finished = python::unit_tests(context, toolbox, report, |line| {
        progress.message(format!("unit tests  {line}"))
    })?;
    if !report.exists() {
        // pytest did not come as far as a report: a broken conftest, no tests, a missing package.
        return Failure::new(
            Kind::Failed,
            format!("pytest ended with {}", finished.status),
        )
        .details(finished.tail)
        .next("cargo xtask test unit --explain")
        .err();
    }
    let mut unit = results::read_pytest(report)?;
    if !finished.ok() {
        unit.verdict = Verdict::Failed;
    }
    let counts = format!("unit tests  {} passed, {} failed", unit.passed, unit.failed);
    match unit.verdict {
        Verdict::Passed => {
            progress.finish("Passed", &counts);
            remember(
                &work.memory,
                &work.inputs,
                &Unit {
                    cached: true,
                    ..unit.clone()
                },
            )?;
        }
        Verdict::Failed => {
            progress.clear();
            context
                .ui
                .status_toned("Failed", &counts, crate::ui::Tone::Bad);
        }
    }
    Ok((unit, finished.tail))
}
