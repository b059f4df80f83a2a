//! The plan of a promotion, for people.

use xtask_promotion::{Plan, Step};

use super::evidence::{Comparison, Evidence};
use crate::context::Context;
use crate::ui::{Tone, safe_line};

/// How many calls of one step are shown; --explain shows all when they are made.
const SHOWN: usize = 6;

/// Shows what a promotion rests on, and each thing that is not as one would wish.
pub(super) fn evidence(context: &Context, plan: &Plan, evidence: &Evidence) {
    let ui = &context.ui;
    let row = |name: &str, text: &str| {
        let name = ui.paint(&format!("{name:>12}"), Tone::Dim);
        ui.line(&format!("{name}  {text}"));
    };
    ui.status("Promote", &plan.sentence());
    let digest = plan.digest();
    row(
        "files",
        &format!(
            "{} files, {} bytes, {digest}",
            plan.from.files.len(),
            plan.from.files.values().sum::<u64>()
        ),
    );
    row(
        "run",
        &safe_line(evidence.run.as_deref().unwrap_or("not known")),
    );
    row("commit", &safe_line(&evidence.commit_line()));
    row(
        "code there",
        &safe_line(&evidence.code.sentence(&plan.to.target)),
    );
    row("pull request", &safe_line(&evidence.pull_line()));
    row("verdict", &safe_line(&evidence.verdict));
    comparison(context, &evidence.comparison);
    let was = match plan.found.champion {
        Some(_) if plan.is_champion() => "this version".to_owned(),
        Some(number) => format!("version {number}, which the new one replaces"),
        None => "nobody yet".to_owned(),
    };
    row("champion", &format!("of {}: {was}", plan.to.target));
    if let Some(waits) = plan.event.waits {
        row(
            "challenger",
            &format!("version {waits}, which waits meanwhile and is challenger again afterwards"),
        );
    }
    for warning in &evidence.warnings {
        ui.warn(&safe_line(warning));
    }
}

/// Candidate beside champion, where both were measured on the same data.
fn comparison(context: &Context, comparison: &Comparison) {
    let ui = &context.ui;
    match comparison {
        Comparison::Same { how, rows } => {
            ui.line(&format!(
                "{}  {how}",
                ui.paint(&format!("{:>12}", "metrics"), Tone::Dim)
            ));
            for (name, candidate, champion) in rows {
                ui.line(&format!(
                    "{:>14}{name:<28} {candidate:>12.4}  champion {champion:>12.4}",
                    ""
                ));
            }
        }
        Comparison::Alone { why, rows } => {
            ui.line(&format!(
                "{}  {}",
                ui.paint(&format!("{:>12}", "metrics"), Tone::Dim),
                safe_line(why)
            ));
            for (name, candidate) in rows {
                ui.line(&format!("{:>14}{name:<28} {candidate:>12.4}", ""));
            }
        }
    }
}

/// Shows the steps with the calls that they write with.
pub(super) fn steps(context: &Context, steps: &[Step]) {
    let ui = &context.ui;
    for (index, step) in steps.iter().enumerate() {
        ui.line(&format!(
            "  {} {}",
            ui.paint(&format!("{:>2}.", index + 1), Tone::Accent),
            safe_line(&step.does)
        ));
        let calls = step.calls();
        for call in calls.iter().take(SHOWN) {
            let body = match &call.body {
                body if body.is_null() => String::new(),
                body => shortened(&body.to_string()),
            };
            let line = format!("      {} {} {body}", call.method, call.path);
            ui.line(&ui.paint(&safe_line(line.trim_end()), Tone::Dim));
        }
        if calls.len() > SHOWN {
            let more = format!("      and {} more like it", calls.len() - SHOWN);
            ui.line(&ui.paint(&more, Tone::Dim));
        }
    }
}

/// A body in one line; the whole of it is in the plan's file and in --json.
fn shortened(body: &str) -> String {
    const MOST: usize = 100;
    match body.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &body[..at]),
        None => body.to_owned(),
    }
}
