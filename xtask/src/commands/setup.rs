//! `cargo xtask setup`: gets this machine ready.

use serde::Serialize;

use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::tools::doctor::{self, Finding, State};
use crate::tools::{self, Need};
use crate::ui::Tone;

/// Options of `setup`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Change nothing; say what is missing and what to type.
    #[arg(long)]
    check: bool,
    /// With `--check`: print the findings as JSON.
    #[arg(long, requires = "check")]
    json: bool,
}

/// What `--check --json` prints.
#[derive(Debug, Serialize)]
struct Findings<'f> {
    /// The version of this format; 1.
    version: u32,
    /// Whether nothing is left that only the user can mend.
    ready: bool,
    findings: &'f [Finding],
}

/// Runs the command.
///
/// # Errors
/// What [`tools::ready`] fails with; with `--check`, [`Kind::Missing`] when something is missing that
/// `setup` cannot fetch.
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    if args.check {
        return check(context, args.json);
    }
    tools::ready(context, Need::ALL)?;
    context
        .ui
        .status("Ready", "everything is here; next: `cargo xtask test`");
    Ok(())
}

fn check(context: &Context, json: bool) -> anyhow::Result<()> {
    let findings = doctor::examine(context)?;
    let missing: Vec<&Finding> = findings
        .iter()
        .filter(|f| f.state == State::Missing)
        .collect();
    if json {
        let findings = Findings {
            version: 1,
            ready: missing.is_empty(),
            findings: &findings,
        };
        context.ui.answer(&serde_json::to_string_pretty(&findings)?);
    } else {
        context.ui.answer(&table(context, &findings));
    }
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|finding| finding.name).collect();
    let mut failure = Failure::new(Kind::Missing, format!("missing here: {}", names.join(", ")));
    let mut said: Vec<&str> = missing
        .iter()
        .flat_map(|f| &f.next)
        .map(String::as_str)
        .collect();
    // What several end with is said once, at the end.
    let mut at = 0;
    while let Some(step) = said.get(at) {
        if said[at + 1..].contains(step) {
            said.remove(at);
        } else {
            at += 1;
        }
    }
    for step in said {
        failure = failure.next(step);
    }
    failure.err()
}

fn table(context: &Context, findings: &[Finding]) -> String {
    let width = findings
        .iter()
        .map(|f| f.name.chars().count())
        .max()
        .unwrap_or(0);
    let mut lines = Vec::new();
    for finding in findings {
        let (word, tone) = match finding.state {
            State::Ok => ("ok", Tone::Good),
            State::WillBeFetched => ("will be fetched", Tone::Accent),
            State::TooOld => ("too old", Tone::Warning),
            State::Missing => ("missing", Tone::Bad),
        };
        let word = context.ui.paint(&format!("{word:15}"), tone);
        lines.push(format!("{:width$}  {word}  {}", finding.name, finding.says));
        for next in &finding.next {
            lines.push(format!(
                "{:width$}  {:15}  {} {next}",
                "",
                "",
                context.ui.paint("next:", Tone::Dim)
            ));
        }
    }
    lines.join("\n")
}
