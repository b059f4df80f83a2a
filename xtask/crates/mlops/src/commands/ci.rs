//! `cargo xtask ci`: everything that CI checks, on a laptop or in CI, in named and timed parts.

mod builds;
mod github;
mod parts;
mod project;
mod system;
mod tool;

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;
use xshell::{Cmd, cmd};

use crate::child_env::{self, Program, sh};
use crate::context::Context;
use crate::error::{self, Failure};
use crate::process;
use crate::tools::{Toolbox, own_source};
use crate::ui::{Tone, seconds};
use crate::vars;
use builds::Builds;
use parts::{Group, PARTS, Part};

/// Options of `ci`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run only these parts or groups (`project`, `tool`), separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "PART")]
    only: Vec<String>,
    /// List the parts and exit.
    #[arg(long)]
    list: bool,
}

/// What every part is given.
struct Suite<'a> {
    context: &'a Context,
    toolbox: &'a Toolbox,
    /// Whether an earlier part kept what the tests sent to the local GitHub.
    kept: std::cell::Cell<bool>,
    /// What cargo compiled.
    builds: Builds,
}

/// How a part ended.
enum End {
    Passed(String),
    Failed(anyhow::Error),
    Skipped(String),
}

/// Runs the command.
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let has_the_tool = own_source::is_the_tools_repository(&context.root);
    let chosen = choose(&args.only, has_the_tool)?;
    if args.list {
        for part in chosen {
            let group = part.group.name();
            context
                .ui
                .answer(&format!("{:<10} {group:<8} {}", part.name, part.about));
        }
        return Ok(());
    }
    let toolbox = crate::tools::ready(context, crate::tools::Need::ALL)?;
    let suite = Suite {
        context,
        toolbox: &toolbox,
        kept: std::cell::Cell::default(),
        builds: Builds::default(),
    };
    let started = Instant::now();
    let mut ends = Vec::new();
    for part in chosen {
        context.interrupt.check()?;
        let begun = Instant::now();
        let end = suite.part(part);
        ends.push((part, end, begun.elapsed()));
    }
    conclude(context, &ends, started.elapsed())
}

/// The group `tool` checks the tool's own repository, and no project that depends on the tool or has a copy of it.
fn choose(only: &[String], has_the_tool: bool) -> anyhow::Result<Vec<&'static Part>> {
    let here = |part: &&Part| has_the_tool || part.group == Group::Project;
    let known = |name: &String| PARTS.iter().filter(here).any(|part| part.is(name));
    if let Some(unknown) = only.iter().find(|name| !known(name)) {
        return Failure::usage(format!("there is no part \"{unknown}\""))
            .next("cargo xtask ci --list")
            .err();
    }
    let wanted = |part: &&Part| only.is_empty() || only.iter().any(|name| part.is(name));
    Ok(PARTS.iter().filter(here).filter(wanted).collect())
}

impl Suite<'_> {
    fn part(&self, part: &Part) -> End {
        let ui = &self.context.ui;
        if let Some(missing) = part.needs.iter().find(|system| system.find().is_none()) {
            let what = missing.missing();
            return match self.context.env.ci {
                true => End::Failed(Failure::missing(what).into()),
                false => End::Skipped(what),
            };
        }
        let grouped = self.context.env.get(vars::GITHUB_ACTIONS).is_some();
        if grouped {
            ui.line(&format!("::group::{}", part.name));
        } else {
            ui.status("Checking", &format!("{}: {}", part.name, part.about));
        }
        let end = (part.run)(self);
        if grouped {
            ui.line("::endgroup::");
        }
        match end {
            Ok(summary) => End::Passed(summary),
            Err(error) => {
                ui.report(&error::report(&error));
                End::Failed(error)
            }
        }
    }

    /// Runs a program that must succeed. In CI its lines are shown as they come; on a laptop they
    /// are only shown when it fails.
    fn succeed(&self, command: Command, what: &str) -> anyhow::Result<process::Finished> {
        let Context {
            ui, interrupt, env, ..
        } = self.context;
        let line = process::typed(&command);
        let progress = ui.progress("Running", &line);
        let finished = process::run(ui, interrupt, command, &mut |text| {
            if self.builds.see(text) {
            } else if env.ci {
                ui.line(text);
            } else {
                progress.message(text);
            }
        })?;
        progress.clear();
        if finished.ok() {
            self.builds.none_again()?;
            return Ok(finished);
        }
        let failure = Failure::failed(format!("{what}: `{line}` ended with {}", finished.status));
        // In CI the output stands above already.
        if env.ci {
            failure.err()
        } else {
            failure.details(builds::told(&finished)).err()
        }
    }

    /// The program that a line of [`xshell::cmd`] names: cargo, Python and uv are those of this run.
    fn cmd(&self, program: &str) -> Cmd<'static> {
        sh().cmd(match program {
            "cargo" => self.context.env.cargo(),
            "python" => self.toolbox.python.as_str(),
            "uv" => self.toolbox.uv.as_str(),
            other => other,
        })
    }

    /// A program, run in the project's folder.
    fn command(&self, kind: Program, line: Cmd<'_>) -> Command {
        let Context { env, root, .. } = self.context;
        child_env::command(env, kind, line, root)
    }

    /// cargo, as it runs us.
    fn cargo(&self, line: Cmd<'_>) -> Command {
        self.command(Program::Xtask, line)
    }

    /// A module of the locked Python environment.
    fn python(&self, line: Cmd<'_>) -> Command {
        let source = &self.context.config.data.source;
        self.command(Program::Code, line.env("PYTHONPATH", source))
    }

    /// Python of an environment with the extra `spark`. It is one of its own, as it is larger by half.
    fn spark_python(&self) -> anyhow::Result<camino::Utf8PathBuf> {
        let folder = self.context.local().join("spark");
        let line = cmd!(self, "uv sync --locked --extra spark")
            .env("UV_PROJECT_ENVIRONMENT", &folder)
            .env("UV_COMPILE_BYTECODE", "1");
        self.succeed(self.uv(line), "the packages for Spark cannot be installed")?;
        Ok(folder.join("bin/python"))
    }

    fn uv(&self, line: Cmd<'_>) -> Command {
        self.command(Program::Uv, line)
    }
}

impl Part {
    fn is(&self, name: &str) -> bool {
        self.name == name || self.group.name() == name
    }
}

impl Group {
    fn name(self) -> &'static str {
        match self {
            Group::Project => "project",
            Group::Tool => "tool",
        }
    }
}

fn conclude(
    context: &Context,
    ends: &[(&Part, End, Duration)],
    took: Duration,
) -> anyhow::Result<()> {
    let ui = &context.ui;
    ui.line("");
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    let mut parts = Vec::new();
    for (part, end, took) in ends {
        let (count, verb, tone, detail) = match end {
            End::Passed(summary) => (&mut passed, "passed", Tone::Good, summary.clone()),
            End::Failed(error) => (&mut failed, "failed", Tone::Bad, error.to_string()),
            End::Skipped(reason) => (&mut skipped, "skipped", Tone::Warning, reason.clone()),
        };
        *count += 1;
        parts.push(json!({
            "name": part.name, "outcome": verb, "seconds": took.as_secs_f64(), "detail": detail,
        }));
        let took = seconds(*took);
        ui.status_toned(
            verb,
            &format!("{:<10} {took:>9}  {detail}", part.name),
            tone,
        );
    }
    ui.status("Took", &seconds(took));
    ui.answer(&format!(
        "ci: {passed} passed, {failed} failed, {skipped} skipped"
    ));
    ui.json(&json!({"version": 1, "parts": parts}))?;
    if failed == 0 {
        return Ok(());
    }
    let names: Vec<&str> = ends
        .iter()
        .filter(|(_, end, _)| matches!(end, End::Failed(_)))
        .map(|(part, _, _)| part.name)
        .collect();
    Failure::failed(format!("{failed} of {} parts failed", ends.len()))
        .next(format!("cargo xtask ci --only {}", names.join(",")))
        .err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_without_the_tools_sources_has_no_parts_that_check_them() {
        let all = choose(&[], true).unwrap();
        let of_the_project = choose(&[], false).unwrap();
        assert!(all.len() > of_the_project.len() && !of_the_project.is_empty());
        assert!(
            of_the_project
                .iter()
                .all(|part| part.group == Group::Project)
        );
        assert!(choose(&["rust".to_owned()], false).is_err());
        assert_eq!(choose(&["rust".to_owned()], true).unwrap().len(), 1);
    }
}
