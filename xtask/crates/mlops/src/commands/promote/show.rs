//! The plan of a promotion, for people.

use xtask_promotion::{Call, Plan, Step};
use xtask_remote::mlflow::MetricValue;

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
    ui.status("Plan", &plan.sentence());
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
        None => "none yet".to_owned(),
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

/// A metric, of the candidate and of the champion.
type Row<'a> = (&'a str, MetricValue, Option<MetricValue>);

/// Candidate beside champion, where both were measured on the same data.
fn comparison(context: &Context, comparison: &Comparison) {
    let ui = &context.ui;
    let (how, rows): (&str, Vec<Row<'_>>) = match comparison {
        Comparison::Same { how, rows } => {
            let rows = rows.iter();
            let rows = rows.map(|(name, ours, theirs)| (name.as_str(), *ours, Some(*theirs)));
            (how, rows.collect())
        }
        Comparison::Alone { why, rows } => {
            let rows = rows.iter().map(|(name, ours)| (name.as_str(), *ours, None));
            (why, rows.collect())
        }
    };
    let name = ui.paint(&format!("{:>12}", "metrics"), Tone::Dim);
    ui.line(&format!("{name}  {}", safe_line(how)));
    if matches!(comparison, Comparison::Same { .. }) {
        let head = format!("{:>14}{:<24}{:>12}{:>12}", "", "", "candidate", "champion");
        ui.line(&ui.paint(&head, Tone::Dim));
    }
    let names: Vec<&str> = rows.iter().map(|(name, ..)| *name).collect();
    let (shown, slices): (Vec<_>, Vec<_>) = rows
        .iter()
        .partition(|(name, ..)| !is_a_slice(name, &names));
    for (name, ours, theirs) in shown {
        let theirs = theirs.map_or_else(String::new, |theirs| format!("{theirs:>12}"));
        ui.line(&format!(
            "{:>14}{:<24}{ours:>12}{theirs}",
            "",
            safe_line(name)
        ));
    }
    if !slices.is_empty() {
        let more = format!(
            "{:>14}and {} of parts of the data (--json)",
            "",
            slices.len()
        );
        ui.line(&ui.paint(&more, Tone::Dim));
    }
}

/// Whether a metric is another one, of a part of the data: `rmse_night` beside `rmse`.
fn is_a_slice(name: &str, names: &[&str]) -> bool {
    let mut others = names.iter();
    others.any(|other| {
        let rest = name.strip_prefix(other);
        rest.is_some_and(|rest| rest.starts_with('_'))
    })
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
            ui.line(&ui.paint(
                &safe_line(&format!("      {}", in_one_line(call))),
                Tone::Dim,
            ));
        }
        if calls.len() > SHOWN {
            let more = format!("      and {} more like it", calls.len() - SHOWN);
            ui.line(&ui.paint(&more, Tone::Dim));
        }
    }
}

/// A call in one line, with what tells it from others; the whole of it is in the plan's file and in --json.
fn in_one_line(call: &Call) -> String {
    const LONGEST: usize = 100;
    // The model stands in the step; what a new version starts with is the evidence above.
    const KNOWN: &[&str] = &["name", "tags", "description", "path", "id", "what", "owner"];
    let fields = call.body.as_object().into_iter().flatten();
    let told: Vec<String> = fields
        .filter(|(field, _)| !KNOWN.contains(&field.as_str()))
        .map(|(field, value)| match value.as_str() {
            Some(text) => format!("{field}={text}"),
            None => format!("{field}={value}"),
        })
        .collect();
    let path = call.path.split('?').next().unwrap_or_default();
    let path = path.replace("%2F", "/");
    shortened(
        &format!("{} {path} {}", call.method, told.join(" ")),
        LONGEST,
    )
}

fn shortened(text: &str, most: usize) -> String {
    let text = text.trim_end();
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_the_data_are_told_from_metrics() {
        let names = ["r2", "rmse", "rmse_night", "rmsle"];
        let slices: Vec<&str> = names
            .into_iter()
            .filter(|name| is_a_slice(name, &names))
            .collect();
        assert_eq!(slices, ["rmse_night"]);
    }

    #[test]
    fn a_call_is_told_by_what_is_its_own() {
        let call = Call {
            method: "POST".to_owned(),
            path: "/api/set-tag?x=1".to_owned(),
            body: serde_json::json!({"name": "a.b.c", "key": "k", "value": "v"}),
        };
        assert_eq!(in_one_line(&call), "POST /api/set-tag key=k value=v");
    }
}
