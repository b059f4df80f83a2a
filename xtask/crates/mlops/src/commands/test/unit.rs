//! The unit tests: pytest in the locked environment.

use camino::Utf8Path;

use super::inputs::Work;
use crate::context::Context;
use crate::error::Failure;
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
    let mut failed = 0;
    let finished = python::unit_tests(context, toolbox, report, &mut |line| {
        failed += u64::from(line.contains(" FAILED ") || line.contains(" ERROR "));
        if let Some(count) = count(line) {
            let failed = match failed {
                0 => String::new(),
                some => format!(", {some} failed"),
            };
            progress.message(format!("unit tests  {count}{failed}"));
        }
    })?;
    if !report.exists() {
        // pytest did not come as far as a report: a broken conftest, no tests, a missing package.
        return Failure::failed(format!("pytest ended with {}", finished.status))
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
            let said = match unit.failed {
                0 => format!("{counts}; pytest ended with {}", finished.status),
                _ => counts,
            };
            context
                .ui
                .status_toned("Failed", &said, crate::ui::Tone::Bad);
        }
    }
    Ok((unit, finished.tail))
}

/// How far pytest is, at the end of a line for one test: `[ 84/161]`.
fn count(line: &str) -> Option<&str> {
    let (_, count) = line.strip_suffix(']')?.rsplit_once('[')?;
    let (done, all) = count.trim().split_once('/')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(done) && is_number(all)).then(|| count.trim())
}

/// What pytest-cov says when the tests ran less of the code than pyproject.toml asks for.
pub(super) fn too_little_covered(tail: &str) -> Option<String> {
    let line = tail
        .lines()
        .find(|line| line.contains("test coverage") && line.contains("not reached"))?;
    let said = line.trim_start_matches("FAIL ").trim_end_matches('.');
    Some(format!("the unit tests run too little of the code: {said}"))
}

#[cfg(test)]
mod tests {
    use super::{count, too_little_covered};

    #[test]
    fn a_lack_of_coverage_is_told_from_a_failed_test() {
        let tail = "TOTAL 10 5 50%\nFAIL Required test coverage of 90.0% not reached. Total coverage: 50.00%\n3 passed in 1s";
        let said = too_little_covered(tail).unwrap();
        assert!(
            said.ends_with("of 90.0% not reached. Total coverage: 50.00%"),
            "{said}"
        );
        assert_eq!(too_little_covered("1 failed, 2 passed in 1s"), None);
    }

    #[test]
    fn the_count_of_tests_is_read_from_pytests_lines() {
        let line = "notebooks/tests/test_a.py::test_one[0-x] FAILED          [ 84/161]";
        assert_eq!(count(line), Some("84/161"));
        for other in ["....F", "tests [100%]", "E  assert [1/x]", "[/]"] {
            assert_eq!(count(other), None, "{other}");
        }
    }
}
