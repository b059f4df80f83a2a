//! The project's own Python: unit tests and data sets.

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use xshell::{Cmd, cmd};

use crate::child_env::{self, Program, sh};
use crate::context::Context;
use crate::error::Failure;
use crate::fingerprint::{Inputs, Verdict, look, remember};
use crate::git::Git;
use crate::process::{self, Finished};
use crate::tools::Toolbox;

/// Runs the unit tests with pytest; `junit` is where it writes its report. Failing tests are not an error
/// here.
pub(crate) fn unit_tests(
    context: &Context,
    toolbox: &Toolbox,
    junit: &Utf8Path,
    on_line: &mut dyn FnMut(&str),
) -> anyhow::Result<Finished> {
    let settings = &context.config.test;
    let covered = settings.coverage.iter();
    let covered = covered.map(|folder| format!("--cov={folder}"));
    let report = (!settings.coverage.is_empty()).then_some("--cov-report=term:skip-covered");
    let tests = &settings.unit;
    let python = &toolbox.python;
    // A line for each test, with how many there are.
    let line = cmd!(
        sh(),
        "{python} -m pytest -q --color=no -p no:cacheprovider --junit-xml={junit}
            -o verbosity_test_cases=1 -o console_output_style=count {report...} {covered...} {tests...}"
    );
    let line = line.env("COVERAGE_FILE", context.local().join("cache/coverage"));
    process::run(
        &context.ui,
        &context.interrupt,
        code(context, line),
        on_line,
    )
}

/// The folder of the project's data sets; generates them if they are missing or the generator changed.
pub(crate) fn data_sets(
    context: &Context,
    toolbox: &Toolbox,
    options: &[String],
) -> anyhow::Result<Utf8PathBuf> {
    let folder = context.local().join("data");
    let memory = context.local().join("cache").join("data.json");
    let inputs = data_inputs(context, options)?;
    if folder.is_dir() && matches!(look::<()>(&memory, &inputs), Verdict::Unchanged { .. }) {
        return Ok(folder);
    }
    let progress = context.ui.progress("Making", "the data sets");
    let fresh = context.local().join("data.new");
    if fresh.exists() {
        fs_err::remove_dir_all(&fresh)?;
    }
    let (python, module) = (&toolbox.python, &context.config.data.module);
    let line = cmd!(sh(), "{python} -m {module} make --out {fresh} {options...}");
    let command = code(context, line);
    let made = process::run(&context.ui, &context.interrupt, command, &mut |line| {
        progress.message(line)
    })?;
    if !made.ok() {
        return Failure::failed("could not generate the data sets")
            .details(made.tail)
            .next("cargo xtask data make --explain")
            .err();
    }
    // Keep the old ones until the new ones are complete.
    if folder.exists() {
        fs_err::remove_dir_all(&folder)?;
    }
    fs_err::rename(&fresh, &folder)?;
    remember(&memory, &inputs, &())?;
    progress.finish(
        "Made",
        &format!("the data sets in {}", relative(context, &folder)),
    );
    Ok(folder)
}

/// Runs the rows of `xtask/crates/mlops/tests/conformance` on a new local workspace; the results are in
/// `out`. Failing rows are not an error here.
pub(crate) fn conformance(
    context: &Context,
    toolbox: &Toolbox,
    out: &Utf8Path,
    on_line: &mut dyn FnMut(&str),
) -> anyhow::Result<Finished> {
    let Toolbox {
        python,
        workspace,
        databricks,
        ..
    } = toolbox;
    let line = cmd!(
        sh(),
        "{python} xtask/crates/mlops/tests/conformance --program {workspace} --cli {databricks} --out {out}"
    );
    let command = child_env::command(&context.env, Program::Xtask, line, &context.root);
    process::run(&context.ui, &context.interrupt, command, on_line)
}

/// A path relative to the project's folder.
pub(crate) fn relative<'p>(context: &Context, path: &'p Utf8Path) -> &'p Utf8Path {
    path.strip_prefix(&context.root).unwrap_or(path)
}

/// The inputs of the data sets: the Python code beside their generator, and its options.
fn data_inputs(context: &Context, options: &[String]) -> anyhow::Result<Inputs> {
    let source = Utf8Path::new(&context.config.data.source);
    let files = Git::open(context)?.files()?;
    // Notebooks and tests do not generate data.
    let package = context
        .config
        .data
        .module
        .split('.')
        .next()
        .unwrap_or_default();
    let folder = source.join(package);
    let mut inputs = Inputs::default();
    inputs.files(
        &context.root,
        files
            .iter()
            .map(Utf8PathBuf::as_path)
            .filter(|f| f.starts_with(&folder)),
    )?;
    inputs.fact("options", &options.join(" "));
    Ok(inputs)
}

/// A script of the project with its arguments.
pub(crate) fn script(context: &Context, toolbox: &Toolbox, words: &[String]) -> Command {
    let python = &toolbox.python;
    code(context, cmd!(sh(), "{python} {words...}"))
}

/// A command that finds the project's own packages.
fn code(context: &Context, line: Cmd<'_>) -> Command {
    let line = line
        .env("PYTHONPATH", &context.config.data.source)
        .env("PYTHONUTF8", "1");
    child_env::command(&context.env, Program::Code, line, &context.root)
}
