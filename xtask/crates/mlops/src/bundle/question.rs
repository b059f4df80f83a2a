//! Reads the bundle through the Databricks CLI without a workspace: given a target that does not exist, the
//! CLI loads the bundle, prints it and stops, without signing in or running the bundle's code.

use std::time::Duration;

use camino::Utf8Path;
use xshell::cmd;

use super::{Outline, Root, files};
use crate::child_env::{self, Program, sh};
use crate::context::Context;
use crate::error::Failure;
use crate::process::{self, Finished};
use crate::vars;

/// A target name that no bundle uses.
const NO_TARGET: &str = "xtask-asks-which-there-are";

/// The CLI's error at the point of signing in.
const STOPPED: &str = "Error: cannot resolve bundle auth configuration";

/// The CLI's timeout; it needs about 50 ms.
const LIMIT: Duration = Duration::from_secs(60);

/// Reads the project's bundle.
pub(super) fn ask(context: &Context, program: &Utf8Path) -> anyhow::Result<Root> {
    let said = said(context, program, &context.root)?;
    match runs_a_script(&said) {
        true => ask_around_script(context, program),
        false => understood(&said),
    }
}

/// Reads the bundle in another folder.
pub(super) fn ask_in(
    context: &Context,
    program: &Utf8Path,
    folder: &Utf8Path,
) -> anyhow::Result<Root> {
    let said = said(context, program, folder)?;
    if runs_a_script(&said) {
        let what =
            "the bundle runs a script before it can be read; read-only commands do not run it";
        return Failure::usage(what)
            .details("experimental.scripts.preinit in databricks.yml")
            .err();
    }
    understood(&said)
}

/// Reads a bundle with a `preinit` script, through a bundle without one that includes the same files. The
/// first call lists the files.
fn ask_around_script(context: &Context, program: &Utf8Path) -> anyhow::Result<Root> {
    let ask = |files: &[String]| {
        let around = Outline::around(context, files)?;
        understood(&said(context, program, around.folder())?)
    };
    let root = files::root_file(&context.root).unwrap_or_default();
    let mut includes = vec![root.to_owned()];
    // The first include is ours; the others are the bundle's own.
    includes.extend(ask(&includes)?.include.into_iter().skip(1));
    let mut config = ask(&includes)?;
    let included = config.include.iter();
    let included = included.filter_map(|file| Outline::in_project(file).map(str::to_owned));
    config.include = included.filter(|file| file != root).collect();
    Ok(config)
}

/// Runs the CLI on the bundle in a folder.
fn said(context: &Context, program: &Utf8Path, folder: &Utf8Path) -> anyhow::Result<Finished> {
    let restricted = (vars::DATABRICKS_BUNDLE_RESTRICTED, "1");
    validate(context, program, NO_TARGET, folder, restricted)
}

/// Validates a bundle without the user's settings and other bundles.
fn validate(
    context: &Context,
    program: &Utf8Path,
    target: &str,
    folder: &Utf8Path,
    (name, value): (&str, &str),
) -> anyhow::Result<Finished> {
    let line = cmd!(
        sh(),
        "{program} bundle validate --output json --target {target}"
    )
    .env("DATABRICKS_CLI_DISABLE_TELEMETRY", "1")
    .env("DATABRICKS_CLI_DISABLE_UPDATE_CHECK", "1")
    .env(name, value);
    let command = child_env::command(&context.env, Program::LocalBundle, line, folder);
    let (ui, interrupt) = (&context.ui, &context.interrupt);
    process::run_within(ui, interrupt, command, Some(LIMIT), &mut |_| ())
}

/// Whether the CLI refused to run a script.
fn runs_a_script(said: &Finished) -> bool {
    said.stderr.contains(vars::DATABRICKS_BUNDLE_RESTRICTED)
}

fn understood(said: &Finished) -> anyhow::Result<Root> {
    // The CLI got as far as the unknown target, so all files are read.
    let answered = said
        .stderr
        .contains(&format!("{NO_TARGET}: no such target"));
    let config = xtask_remote::json::from_str::<Root>(&said.stdout).ok();
    match config.filter(|config| answered && !config.targets.is_empty()) {
        Some(config) => Ok(config),
        None => Failure::usage("the Databricks CLI cannot read the bundle")
            .details(&said.stderr)
            .next("fix what the CLI names in databricks.yml or a file that it includes")
            .err(),
    }
}

/// Validates the files for a target without its workspace: the CLI loads and merges them, and stops before
/// signing in. Returns its warnings.
pub(crate) fn load(
    context: &Context,
    program: &Utf8Path,
    target: &str,
) -> anyhow::Result<Vec<String>> {
    let folder = context.local().join("cache");
    fs_err::create_dir_all(&folder)?;
    // An invalid configuration file: the CLI reports that instead of calling a workspace.
    let unreadable = folder.join("no-databrickscfg");
    fs_err::write(&unreadable, "[no workspace is called\n")?;
    let settings = (vars::DATABRICKS_CONFIG_FILE, unreadable.as_str());
    let finished = validate(context, program, target, &context.root, settings)?;
    let said = &finished.stderr;
    let (before, after) = said.split_once(STOPPED).unwrap_or((said, "Error: "));
    if !before.contains("Error: ") && !after.contains("Error: ") {
        return Ok(warnings(before));
    }
    let what = format!("the bundle is not valid for target {target}");
    Failure::failed(what)
        .details(before)
        .next("fix what the CLI names in databricks.yml or a file that it includes")
        .err()
}

/// The CLI's warnings, one line each.
pub(crate) fn warnings(said: &str) -> Vec<String> {
    let mut warnings: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in said.lines() {
        if let Some(first) = line.strip_prefix("Warning: ") {
            warnings.push(first.trim().to_owned());
            goes_on = true;
        } else if !line.starts_with("  ") {
            goes_on = false;
        } else if let Some(last) = warnings.last_mut().filter(|_| goes_on) {
            last.push(' ');
            last.push_str(line.trim());
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_a_line() {
        let said = "Warn: noise\nWarning: unknown field: hots\n  at targets.a\n  in databricks.yml:8:23\n\n\
                    Recommendation: x\n  at y\n\nWarning: second\n\nError: no\n";
        assert_eq!(
            warnings(said),
            [
                "unknown field: hots at targets.a in databricks.yml:8:23",
                "second"
            ]
        );
    }
}
