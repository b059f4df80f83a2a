//! `cargo xtask setup`: gets this machine ready.

mod targets;

use serde::Serialize;

use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::tools::doctor::{self, Finding, State};
use crate::tools::{self, Need};
use crate::ui::Tone;

/// Options of `setup`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Report what is missing without installing it.
    #[arg(long)]
    check: bool,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Findings<'f> {
    /// The version of this format; 1.
    version: u32,
    /// Whether nothing is left that only the user can mend.
    ready: bool,
    findings: &'f [Finding],
}

/// Runs the command.
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    if args.check {
        return check(context);
    }
    tools::ready(context, Need::ALL)?;
    if context.ui.wants_json() {
        return check(context);
    }
    context
        .ui
        .status("Ready", "everything is here; next: `cargo xtask test`");
    Ok(())
}

fn check(context: &Context) -> anyhow::Result<()> {
    let mut findings = doctor::examine(context)?;
    findings.extend(targets::examine(context));
    let missing: Vec<&Finding> = findings
        .iter()
        .filter(|finding| wrong(finding.state).is_some())
        .collect();
    context.ui.answer(&table(context, &findings));
    context.ui.json(&Findings {
        version: 1,
        ready: missing.is_empty(),
        findings: &findings,
    })?;
    // What is missing on this machine comes first: without it the others may be wrong too.
    let kinds = [Kind::Missing, Kind::Service, Kind::SignedOut];
    let of = |kind| {
        missing
            .iter()
            .any(|finding| wrong(finding.state) == Some(kind))
    };
    let Some(kind) = kinds.into_iter().find(|kind| of(*kind)) else {
        return Ok(());
    };
    let names: Vec<&str> = missing.iter().map(|finding| &*finding.name).collect();
    let what = match kind {
        Kind::Missing => "missing here",
        Kind::Service => "not reached",
        _ => "not signed in to",
    };
    let mut failure = Failure::new(kind, format!("{what}: {}", names.join(", ")));
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

/// What a state is, where it is for the user to mend.
fn wrong(state: State) -> Option<Kind> {
    match state {
        State::Ok | State::WillBeFetched | State::OnDemand | State::TooOld => None,
        State::Missing => Some(Kind::Missing),
        State::NotReached => Some(Kind::Service),
        State::SignedOut => Some(Kind::SignedOut),
    }
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
            State::OnDemand => ("on demand", Tone::Dim),
            State::TooOld => ("too old", Tone::Warning),
            State::Missing => ("missing", Tone::Bad),
            State::NotReached => ("not reached", Tone::Bad),
            State::SignedOut => ("not signed in", Tone::Bad),
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
