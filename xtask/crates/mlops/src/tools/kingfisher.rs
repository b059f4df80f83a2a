//! Kingfisher, a scanner with rules for hundreds of secrets: found on PATH, or from PyPI. Only `open-pr`
//! needs it, and also works without it.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use xshell::cmd;

use super::workshop::Workshop;
use super::{Item, consent, pypi, python, remedies};
use crate::child_env::{self, Program, sh};
use crate::context::Context;
use crate::env::Env;
use crate::error::Failure;
use crate::interrupt::Interrupt;
use crate::process;
use crate::temporary::Temporary;
use crate::ui::Ui;

/// How large the download is.
pub(super) const SIZE: &str = "22 MB";
/// The timeout of a scan; one of a large pull request takes seconds.
const LIMIT: Duration = Duration::from_secs(180);
/// Its exit code when it has found something.
const FOUND: i32 = 200;
/// The excluded rule: our own pattern has fewer false positives.
const WITHOUT: &str = "betterleaks.generic-credential-uri";

/// The program.
#[derive(Debug, Clone)]
pub(crate) struct Kingfisher {
    program: Utf8PathBuf,
    /// The cache of compiled rules.
    rules: Utf8PathBuf,
    /// The folder of what is local to this clone.
    local: Utf8PathBuf,
    env: Env,
    ui: Ui,
    interrupt: Interrupt,
}

/// A line that a rule matches.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Match {
    /// From 1.
    pub(crate) line: usize,
    /// The rule's name: `github-pat`.
    pub(crate) rule: String,
}

/// The part of its output that is read.
#[derive(Debug, Deserialize)]
struct Printed {
    rule: Rule,
    finding: Finding,
}

#[derive(Debug, Deserialize)]
struct Rule {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Finding {
    line: usize,
}

impl Kingfisher {
    /// The one on PATH if it is new enough, else the installed one; downloads nothing.
    pub(crate) fn look(context: &Context) -> anyhow::Result<Option<Kingfisher>> {
        let workshop = Workshop::open(context)?;
        Ok(look(&workshop))
    }

    pub(super) fn path(&self) -> &Utf8Path {
        &self.program
    }

    /// The scanner of [`Kingfisher::look`], installed if missing. Prompts at a terminal.
    pub(crate) fn get(context: &Context) -> anyhow::Result<Kingfisher> {
        let workshop = Workshop::open(context)?;
        if let Some(found) = look(&workshop) {
            return Ok(found);
        }
        let Some(pinned) = &workshop.lock.kingfisher else {
            return Failure::missing("tools.lock has no entry for Kingfisher").err();
        };
        let what = format!("Kingfisher {}", pinned.version);
        if context.env.offline {
            return remedies::offline(&what).err();
        }
        let item = Item {
            what: what.clone(),
            how: format!(
                "from PyPI (kingfisher-bin), {SIZE}, to search pushed commits for secrets"
            ),
            disk: 120_000_000,
            asks: true,
        };
        consent::ask(context, &[item])?;
        let _alone = workshop.alone()?;
        let python = python::find(&workshop).and_then(python::Python::for_environments)?;
        let progress = context
            .ui
            .progress("Fetching", &format!("{what} from PyPI"));
        workshop.install(&name(&workshop), |folder| {
            pypi::install(
                &workshop,
                &python,
                "kingfisher-bin",
                pinned,
                folder,
                &progress,
            )?;
            // Now, so that the first scan does not have to.
            progress.message(format!("{what}: compiling its rules"));
            let fetched = Kingfisher::of(&workshop, folder)
                .ok_or_else(|| anyhow::anyhow!("the wheel of kingfisher-bin holds no program"))?;
            let Kingfisher { program, rules, .. } = &fetched;
            let line = cmd!(
                sh(),
                "{program} rules compile-cache --quiet --no-update-check --exclude-rule {WITHOUT}
                    --rule-cache-dir {rules}"
            );
            let compile = workshop.command(Program::Code, line);
            let compiled = workshop.run(compile, &mut |_| ())?;
            match compiled.ok() {
                true => Ok(()),
                false => remedies::failed(&what, &compiled.tail).err(),
            }
        })?;
        progress.finish("Fetched", &what);
        look(&workshop).ok_or_else(|| anyhow::anyhow!("{what} is missing after its installation"))
    }

    /// The one in a folder that pip filled.
    fn of(workshop: &Workshop<'_>, home: &Utf8Path) -> Option<Kingfisher> {
        let program = home
            .join("lib")
            .read_dir_utf8()
            .ok()?
            .filter_map(Result::ok)
            .map(|entry| entry.path().join("site-packages/kingfisher/bin/kingfisher"))
            .find(|program| program.is_file())?;
        Some(Kingfisher::at(workshop, program, home.join("rules")))
    }

    fn at(workshop: &Workshop<'_>, program: Utf8PathBuf, rules: Utf8PathBuf) -> Kingfisher {
        let context = workshop.context;
        Kingfisher {
            program,
            rules,
            local: context.local(),
            env: context.env.clone(),
            ui: context.ui.clone(),
            interrupt: context.interrupt.clone(),
        }
    }

    /// Scans lines. They are passed in a private temporary file. The output is redacted, and no server is
    /// contacted.
    pub(crate) fn search(&self, lines: &str) -> anyhow::Result<Vec<Match>> {
        let folder = Temporary::folder(&self.local.join("open-pr/search"))?;
        let file = folder.file("lines", lines.as_bytes())?;
        let Kingfisher { program, rules, .. } = self;
        let line = cmd!(
            sh(),
            "{program} scan {file} --format=jsonl --no-validate --no-update-check --quiet --redact
                --no-dedup --no-ignore --no-extract-archives --commit-metadata=false
                --git-history=none --exclude-rule {WITHOUT} --rule-cache-dir {rules}"
        );
        // Outside the project, whose settings file could disable rules.
        let command = child_env::command(&self.env, Program::Code, line, &folder);
        let limit = Some(LIMIT);
        let finished = process::run_within(&self.ui, &self.interrupt, command, limit, &mut |_| ())?;
        if !finished.ok() && finished.status.code() != Some(FOUND) {
            return Failure::failed(format!("{} ended with {}", self.program, finished.status))
                .err();
        }
        Ok(matches(&finished.stdout))
    }
}

/// The one on PATH if it is new enough, else the installed one.
pub(super) fn look(workshop: &Workshop<'_>) -> Option<Kingfisher> {
    let pinned = workshop.lock.kingfisher.as_ref()?;
    if let Some(program) = workshop.on_path("kingfisher")
        && let Some(version) = workshop.version(&program, &["--version"])
        && version >= pinned.minimum
    {
        let rules = workshop.folder.join(format!("kingfisher-rules-{version}"));
        return Some(Kingfisher::at(workshop, program, rules));
    }
    Kingfisher::of(workshop, &workshop.installed(&name(workshop))?)
}

fn name(workshop: &Workshop<'_>) -> String {
    let version = workshop
        .lock
        .kingfisher
        .as_ref()
        .map(|pinned| pinned.version);
    format!(
        "kingfisher-{}",
        version
            .map(|version| version.to_string())
            .unwrap_or_default()
    )
}

/// Each match, one JSON object per line; other lines are statistics.
fn matches(printed: &str) -> Vec<Match> {
    printed
        .lines()
        .filter_map(|line| xtask_remote::json::from_str::<Printed>(line).ok())
        .map(|printed| Match {
            line: printed.finding.line,
            rule: printed.rule.name,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_are_read_and_accounts_are_not() {
        let printed = "{\"rule\":{\"title\":\"X\",\"name\":\"github-pat\",\"id\":\"b.github-pat\"},\
            \"finding\":{\"snippet\":\"[REDACTED:4829]\",\"line\":7,\"path\":\"lines\"}}\n{\"audit\":{}}\nnoise\n";
        let expected = Match {
            line: 7,
            rule: "github-pat".to_owned(),
        };
        assert_eq!(matches(printed), [expected]);
    }
}
