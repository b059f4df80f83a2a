//! The one question to the Databricks CLI that needs no workspace. Asked about a target that does not exist, it
//! reads the bundle, prints what it has read, and ends there: it signs in nowhere and runs no code of the bundle.

use std::process::Command;
use std::time::Duration;

use camino::Utf8Path;

use super::{Outline, Root, files};
use crate::children::{self, Program};
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::process::{self, Finished};
use crate::vars;

/// A target that no bundle has.
const NO_TARGET: &str = "xtask-asks-which-there-are";

/// What the CLI says where it was to sign in.
const STOPPED: &str = "Error: cannot resolve bundle auth configuration";

/// How long the CLI may take; it needs a twentieth of a second.
const LIMIT: Duration = Duration::from_secs(60);

/// Asks about the project's bundle.
///
/// # Errors
/// [`Kind::Usage`] with what the CLI says when it cannot read the bundle.
pub(super) fn ask(context: &Context, program: &Utf8Path) -> anyhow::Result<Root> {
    let said = said(context, program, &context.root)?;
    match runs_a_script(&said) {
        true => ask_around_script(context, program),
        false => understood(&said),
    }
}

/// Asks about the bundle in another folder.
///
/// # Errors
/// [`Kind::Usage`] with what the CLI says when it cannot read the bundle, or would run a script first.
pub(super) fn ask_in(
    context: &Context,
    program: &Utf8Path,
    folder: &Utf8Path,
) -> anyhow::Result<Root> {
    let said = said(context, program, folder)?;
    if runs_a_script(&said) {
        let what = "the bundle runs a script before it is read, which a look does not do";
        return Failure::new(Kind::Usage, what)
            .details("experimental.scripts.preinit in databricks.yml")
            .err();
    }
    understood(&said)
}

/// Asks about a bundle that runs a script (`preinit`) before its files are read: another bundle, which runs none,
/// includes them as they are. The first answer says which files there are.
fn ask_around_script(context: &Context, program: &Utf8Path) -> anyhow::Result<Root> {
    let ask = |files: &[String]| {
        let around = Outline::around(context, files)?;
        understood(&said(context, program, around.folder())?)
    };
    let root = files::root_file(&context.root).unwrap_or_default();
    let mut includes = vec![root.to_owned()];
    // Behind the file that we include are those that it includes.
    includes.extend(ask(&includes)?.include.into_iter().skip(1));
    let mut config = ask(&includes)?;
    let included = config.include.iter();
    let included = included.filter_map(|file| Outline::in_project(file).map(str::to_owned));
    config.include = included.filter(|file| file != root).collect();
    Ok(config)
}

/// What the CLI says of the bundle in a folder.
fn said(context: &Context, program: &Utf8Path, folder: &Utf8Path) -> anyhow::Result<Finished> {
    let mut command = Command::new(program);
    command
        .args([
            "bundle", "validate", "--output", "json", "--target", NO_TARGET,
        ])
        .current_dir(folder);
    without_user(context, &mut command);
    command.env(vars::DATABRICKS_BUNDLE_RESTRICTED, "1");
    let (ui, interrupt) = (&context.ui, &context.interrupt);
    process::run_within(ui, interrupt, command, Some(LIMIT), |_| ())
}

/// Whether the CLI refused to run a script.
fn runs_a_script(said: &Finished) -> bool {
    said.stderr.contains(vars::DATABRICKS_BUNDLE_RESTRICTED)
}

fn understood(said: &Finished) -> anyhow::Result<Root> {
    // It has come to the question which target is meant: all files are read by then.
    let answered = said
        .stderr
        .contains(&format!("{NO_TARGET}: no such target"));
    let config = serde_json::from_str::<Root>(&said.stdout).ok();
    match config.filter(|config| answered && !config.targets.is_empty()) {
        Some(config) => Ok(config),
        None => Failure::new(Kind::Usage, "the Databricks CLI cannot read the bundle")
            .details(&said.stderr)
            .next("mend what the CLI names: databricks.yml, or a file that it includes")
            .err(),
    }
}

/// Whether the files are in order for a target, as far as that can be said without its workspace: the CLI reads
/// and merges them, and stops where it would sign in. Answers its warnings.
///
/// # Errors
/// [`Kind::Failed`] with what the CLI says.
pub(crate) fn load(
    context: &Context,
    program: &Utf8Path,
    target: &str,
) -> anyhow::Result<Vec<String>> {
    let folder = context.local().join("cache");
    fs_err::create_dir_all(&folder)?;
    // No configuration at all: the CLI can read no host and no token from it, and says so instead of calling one.
    let unreadable = folder.join("no-databrickscfg");
    fs_err::write(&unreadable, "[no workspace is called\n")?;
    let mut command = Command::new(program);
    command
        .args(["bundle", "validate", "--output", "json", "--target", target])
        .current_dir(&context.root);
    without_user(context, &mut command);
    command.env(vars::DATABRICKS_CONFIG_FILE, &unreadable);
    let (ui, interrupt) = (&context.ui, &context.interrupt);
    let finished = process::run_within(ui, interrupt, command, Some(LIMIT), |_| ())?;
    let said = &finished.stderr;
    let (before, after) = said.split_once(STOPPED).unwrap_or((said, "Error: "));
    if !before.contains("Error: ") && !after.contains("Error: ") {
        return Ok(warnings(before));
    }
    let what = format!("the bundle is not valid for target {target}");
    Failure::new(Kind::Failed, what)
        .details(before)
        .next("mend what the CLI names: databricks.yml, or a file that it includes")
        .err()
}

/// The warnings that the CLI says, a line each.
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

/// Nothing of the user's, no other bundle.
fn without_user(context: &Context, command: &mut Command) {
    children::surround(&context.env, Program::LocalBundle, command);
    command
        .env("DATABRICKS_CLI_DISABLE_TELEMETRY", "1")
        .env("DATABRICKS_CLI_DISABLE_UPDATE_CHECK", "1");
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
